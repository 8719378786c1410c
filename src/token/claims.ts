import { AuthError } from '../model/errors.js';

type Claims = Readonly<Record<string, unknown>>;

// 9999-12-31T23:59:59Z. A time in milliseconds is far past it; so is 1e999, which JSON.parse turns into Infinity.
const LATEST_NUMERIC_DATE = 253_402_300_799;

/**
 * Returns a NumericDate (RFC 7519 §2): seconds since 1970, possibly with a fraction. Undefined if the claim is absent.
 * @throws AuthError CLAIM_INVALID
 */
export function numericDate(claims: Claims, claim: string): number | undefined {
  const value = claims[claim];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= LATEST_NUMERIC_DATE)) {
    throw new AuthError('CLAIM_INVALID', { claim, expected: 'seconds since 1970' });
  }
  return value;
}

/** @throws AuthError CLAIM_MISSING, CLAIM_INVALID */
export function requiredNumericDate(claims: Claims, claim: string): number {
  const value = numericDate(claims, claim);
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  return value;
}

/**
 * Returns the issuer that the token names. It selects the keys, audience and algorithms that the token is verified with.
 * @throws AuthError CLAIM_MISSING, CLAIM_INVALID
 */
export function namedIssuer(claims: Claims): string {
  const { iss } = claims;
  if (iss === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'iss' });
  if (typeof iss !== 'string') throw new AuthError('CLAIM_INVALID', { claim: 'iss', expected: 'a string' });
  return iss;
}

/**
 * Returns the audiences that a claim names: one string, or a list of strings (RFC 7519 §4.1.3).
 * @throws AuthError CLAIM_MISSING, CLAIM_INVALID
 */
export function audiences(claims: Claims, claim: string): readonly string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  if (!isStringOrStrings(value)) throw new AuthError('CLAIM_INVALID', { claim, expected: STRING_OR_STRINGS });
  return typeof value === 'string' ? [value] : value;
}

export const STRING_OR_STRINGS = 'a string or a list of strings';

export function isStringOrStrings(value: unknown): value is string | readonly string[] {
  if (!Array.isArray(value)) return typeof value === 'string';
  for (const item of value) if (typeof item !== 'string') return false;
  return true;
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
