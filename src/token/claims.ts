import { AuthError } from '../model/errors.js';

type Claims = Readonly<Record<string, unknown>>;

// 9999-12-31T23:59:59Z. A time in milliseconds is far past it; so is 1e999, which JSON.parse makes Infinity.
const LATEST_NUMERIC_DATE = 253_402_300_799;

/** RFC 7519 §2: seconds since 1970, maybe with a fraction. Undefined when the claim is not there. */
export function numericDate(claims: Claims, claim: string): number | undefined {
  const value = claims[claim];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= LATEST_NUMERIC_DATE)) {
    throw new AuthError('CLAIM_INVALID', { claim, expected: 'seconds since 1970' });
  }
  return value;
}

export function requiredNumericDate(claims: Claims, claim: string): number {
  const value = numericDate(claims, claim);
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  return value;
}

/** The issuer that the token names; the claim by which its keys, audience and algorithms are chosen. */
export function namedIssuer(claims: Claims): string {
  const { iss } = claims;
  if (iss === undefined) throw new AuthError('CLAIM_MISSING', { claim: 'iss' });
  if (typeof iss !== 'string') throw new AuthError('CLAIM_INVALID', { claim: 'iss', expected: 'a string' });
  return iss;
}

/** RFC 7519 §4.1.3: one string, or a list of strings. */
export function audiences(claims: Claims, claim: string): readonly string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) throw new AuthError('CLAIM_MISSING', { claim });
  if (!isTextOrTexts(value)) throw new AuthError('CLAIM_INVALID', { claim, expected: TEXT_OR_TEXTS });
  return typeof value === 'string' ? [value] : value;
}

const STRING_CLAIMS = ['sub', 'jti', 'client_id', 'azp'];

/** RFC 9068 §2.2: what names the subject, the client and the token is a string, or somebody's code breaks on it. */
export function checkStringClaims(claims: Claims): void {
  for (const claim of STRING_CLAIMS) {
    const value = claims[claim];
    if (value !== undefined && typeof value !== 'string') {
      throw new AuthError('CLAIM_INVALID', { claim, expected: 'a string' });
    }
  }
}

/** RFC 8693 §4.2 has one string; some issuers send a list. */
export function checkScopeClaim({ scope }: Claims): void {
  if (scope === undefined || isTextOrTexts(scope)) return;
  throw new AuthError('CLAIM_INVALID', { claim: 'scope', expected: TEXT_OR_TEXTS });
}

const TEXT_OR_TEXTS = 'a string or a list of strings';

function isTextOrTexts(value: unknown): value is string | readonly string[] {
  if (!Array.isArray(value)) return typeof value === 'string';
  for (const item of value) if (typeof item !== 'string') return false;
  return true;
}

/** Whether two tokens stand for the same: a subject, or, where they name none, a client. */
export function isSameCaller(claims: Claims, other: Claims): boolean {
  if (claims.iss !== other.iss || claims.sub !== other.sub) return false;
  // Of one that names neither nobody can say whose it is.
  if (claims.sub !== undefined && claims.sub !== '') return true;
  return clientOf(claims) !== undefined && clientOf(claims) === clientOf(other);
}

/**
 * Whom the token was issued to: `client_id` (RFC 9068 §2.2), or what issuers send in its place: `azp` (OpenID Connect Core
 * §2), `appid` (Entra ID v1.0), `cid` (Okta).
 */
export function clientOf({ client_id: clientId, azp, appid, cid }: Claims): string | undefined {
  const client = clientId ?? azp ?? appid ?? cid;
  return typeof client === 'string' ? client : undefined;
}
