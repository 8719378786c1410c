import { AuthError } from '../model/errors.js';

type Claims = Readonly<Record<string, unknown>>;

interface ClaimType<Value> {
  readonly expected: string;
  readonly matches: (value: unknown) => value is Value;
}

export const STRING: ClaimType<string> = {
  expected: 'a string',
  matches: (value) => typeof value === 'string',
};

export const STRING_OR_STRINGS: ClaimType<string | readonly string[]> = {
  expected: 'a string or a list of strings',
  matches(value): value is string | readonly string[] {
    if (!Array.isArray(value)) return typeof value === 'string';
    for (const item of value) if (typeof item !== 'string') return false;
    return true;
  },
};

// 9999-12-31T23:59:59Z. A time in milliseconds is far past it; so is 1e999, which JSON.parse turns into Infinity.
const LATEST_NUMERIC_DATE = 253_402_300_799;

/** RFC 7519 §2: seconds since 1970, possibly with a fraction. */
export const NUMERIC_DATE: ClaimType<number> = {
  expected: 'seconds since 1970',
  matches: (value): value is number => typeof value === 'number' && value >= 0 && value <= LATEST_NUMERIC_DATE,
};

export function optionalClaim<Value>(claims: Claims, claim: string, type: ClaimType<Value>): Value | undefined {
  // Own members only: a polluted prototype must not provide a claim.
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined || type.matches(value)) return value;
  throw new AuthError('CLAIM_INVALID', { claim, expected: type.expected });
}

export function requiredClaim<Value>(claims: Claims, claim: string, type: ClaimType<Value>): Value {
  const value = optionalClaim(claims, claim, type);
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  return value;
}

/** Returns whether two tokens identify the same caller: the same subject, or the same client if there is no subject. */
export function isSameCaller(claims: Claims, other: Claims): boolean {
  if (claims.iss !== other.iss || claims.sub !== other.sub) return false;
  // Tokens that name neither a subject nor a client identify no caller.
  if (claims.sub !== undefined && claims.sub !== '') return true;
  return clientOf(claims) !== undefined && clientOf(claims) === clientOf(other);
}

/**
 * Returns the client that the token was issued to: `client_id` (RFC 9068 §2.2), or what issuers send instead: `azp` (OpenID
 * Connect Core §2), `appid` (Entra ID v1.0), `cid` (Okta).
 */
export function clientOf({ client_id: clientId, azp, appid, cid }: Claims): string | undefined {
  const client = clientId ?? azp ?? appid ?? cid;
  return typeof client === 'string' ? client : undefined;
}
