import type { VerifiedAccessToken } from '../model/access-token.js';
import { ALGORITHM_NAMES, isSignatureAlgorithm, type SignatureAlgorithm } from '../keys/algorithms.js';
import { AuthError } from '../model/errors.js';
import type { ReportableCheck } from '../options/options.js';
import { normalizeTokenType, type ReportOnly, type ResolvedIssuer } from '../options/resolve-issuer.js';
import { audiences, numericDate, requiredNumericDate } from './claims.js';
import type { DecodedToken } from './jwt/compact.js';

type Claims = DecodedToken['claims'];
type Header = DecodedToken['header'];

/** RFC 7515 §4.1.11: whoever does not understand a critical extension must refuse. We understand none. */
export function checkNoCriticalExtension(header: Header): void {
  if ('crit' in header) throw new AuthError('HEADER_CRITICAL');
}

/** RFC 8725 §3.2: `none`, HMAC and what nobody knows are refused before anybody is asked about the issuer. */
export function namedAlgorithm({ alg }: Header): SignatureAlgorithm {
  if (!isSignatureAlgorithm(alg)) throw new AuthError('ALGORITHM_NOT_ALLOWED', { expected: ALGORITHM_NAMES });
  return alg;
}

/** RFC 8725 §3.1: the algorithm is chosen by us; the header may only name one that we chose. */
export function checkAlgorithmAllowed(algorithm: SignatureAlgorithm, { issuer, algorithms }: ResolvedIssuer): void {
  if (!algorithms.has(algorithm)) throw new AuthError('ALGORITHM_NOT_ALLOWED', { issuer, expected: [...algorithms] });
}

/** RFC 7515 §4.1.4: the key that the token names, if it names one. */
export function namedKey({ kid }: Header): string | undefined {
  if (kid === undefined || typeof kid === 'string') return kid;
  throw new AuthError('TOKEN_MALFORMED', { reason: 'kid is not a string' });
}

/** RFC 8725 §3.11, RFC 9068 §4: a token that was made for another purpose is not an access token. */
export function checkTokenType(header: Header, issuer: ResolvedIssuer): void {
  const { typ } = header;
  if (issuer.tokenTypes.has(typ as string | undefined)) return;
  if (typeof typ !== 'string' || !issuer.tokenTypes.has(normalizeTokenType(typ))) {
    throw new AuthError('TYPE_NOT_ALLOWED', { member: 'typ', expected: [...issuer.tokenTypes] });
  }
}

// Hashes that only an ID token carries: OpenID Connect Core §3.1.3.6 and §3.3.2.11, FAPI 1.0 Advanced §5.1.1.
const ID_TOKEN_CLAIMS = ['at_hash', 'c_hash', 's_hash'];
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * Tokens of an issuer that are no access tokens, but come with the same `iss`, `aud`, key and `typ`: ID tokens and
 * logout tokens, by the claims that give them away (Keycloak's `typ` and Cognito's `token_use` among them). An ID token
 * without any of them cannot be told from an access token; `tokenTypes: ['at+jwt']` shuts that gap.
 */
export function checkIsAccessToken(claims: Claims): void {
  for (const claim of ID_TOKEN_CLAIMS) if (claim in claims) throw new AuthError('TYPE_NOT_ALLOWED', { claim });
  const { token_use: use, typ, events } = claims;
  if (use !== undefined && use !== 'access')
    throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'token_use', expected: 'access' });
  if (typ === 'ID' || typ === 'Refresh' || typ === 'Offline' || typ === 'Logout') {
    throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'typ' });
  }
  if (typeof events === 'object' && events !== null && LOGOUT_EVENT in events) {
    throw new AuthError('TYPE_NOT_ALLOWED', { claim: 'events' });
  }
}

/** RFC 7519 §4.1.4, and required by RFC 9068 §2.2: a token without an end would be good for ever. */
export function checkExpiration(claims: Claims, issuer: ResolvedIssuer, nowSeconds: number): void {
  const exp = requiredNumericDate(claims, 'exp');
  // Written so that a clock that is no number refuses.
  if (!(nowSeconds < exp + issuer.clockToleranceSeconds)) throw new AuthError('TOKEN_EXPIRED', { claim: 'exp' });
}

/** RFC 7519 §4.1.5; and §4.1.6: a token of tomorrow was not issued by a clock that we can trust. */
export function checkNotBefore(claims: Claims, issuer: ResolvedIssuer, nowSeconds: number): void {
  for (const claim of ['nbf', 'iat']) {
    const time = numericDate(claims, claim);
    if (time !== undefined && !(time <= nowSeconds + issuer.clockToleranceSeconds)) {
      throw new AuthError('TOKEN_NOT_YET_VALID', { claim });
    }
  }
}

export function checkAge(claims: Claims, issuer: ResolvedIssuer, nowSeconds: number): void {
  const { maxTokenAgeSeconds, clockToleranceSeconds } = issuer;
  if (maxTokenAgeSeconds === undefined) return;
  const iat = requiredNumericDate(claims, 'iat');
  if (!(nowSeconds - iat <= maxTokenAgeSeconds + clockToleranceSeconds)) {
    throw new AuthError('TOKEN_TOO_OLD', { claim: 'iat', maxTokenAgeSeconds });
  }
}

/** RFC 7519 §4.1.3, RFC 8725 §3.9: whoever is not named must refuse. */
export function checkAudience(claims: Claims, issuer: ResolvedIssuer): void {
  const { audience: expected, audienceClaim: claim } = issuer;
  if (issuer.reportOnly?.checks.has('audience')) {
    // What it names is reported. That it is no name at all would break whoever reads it.
    if (claims[claim] !== undefined) audiences(claims, claim);
    return;
  }
  const named = audiences(claims, claim);
  for (const audience of expected) if (named.includes(audience)) return;
  throw new AuthError('AUDIENCE_MISMATCH', { claim, expected });
}

export function checkRequiredClaims(claims: Claims, issuer: ResolvedIssuer): void {
  for (const claim of issuer.requiredClaims) {
    if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
  }
}

/**
 * RFC 7800 §3.1: a token with `cnf` is worth nothing without proof of possession of a key. No proof is understood here,
 * so whatever the confirmation is, it is unproven; ignoring it would make a stolen token as good as its owner's.
 */
export function checkSenderConstraint(claims: Claims, issuer: ResolvedIssuer): void {
  if (issuer.reportOnly?.checks.has('senderConstraint')) return;
  if ('cnf' in claims) throw new AuthError('BINDING_UNPROVEN', { claim: 'cnf' });
}

/** The reason of the refusal if `validate` does not return `true`. */
export const BY_VALIDATE = 'rejected by the `validate` option';

/** The check of the preset, then `validate` of the application. They come last, so they can rely on all other checks. */
export async function checkByApplication(
  token: VerifiedAccessToken,
  { providerCheck, validate }: ResolvedIssuer,
): Promise<void> {
  providerCheck?.(token);
  if (validate === undefined) return;
  const verdict: unknown = await validate(token);
  // `token.claims.groups?.includes('staff')` is undefined for a token without groups.
  if (verdict !== true) throw new AuthError('CLAIM_INVALID', { reason: BY_VALIDATE });
}

const REPORTABLE: Readonly<
  Record<ReportableCheck, (token: Pick<DecodedToken, 'header' | 'claims'>, strict: ResolvedIssuer) => void>
> = {
  tokenTypes: ({ header }, strict) => {
    checkTokenType(header, strict);
  },
  audience: ({ claims }, strict) => {
    checkAudience(claims, strict);
  },
  requiredClaims: ({ claims }, strict) => {
    checkRequiredClaims(claims, strict);
  },
  senderConstraint: ({ claims }, strict) => {
    checkSenderConstraint(claims, strict);
  },
};

/** What the checks that only report have against a token which passed all others. */
export function reportedRefusals(
  token: Pick<DecodedToken, 'header' | 'claims'>,
  { checks, strict }: ReportOnly,
): readonly AuthError[] {
  const refusals: AuthError[] = [];
  for (const check of checks) {
    try {
      REPORTABLE[check](token, strict);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      refusals.push(error);
    }
  }
  return refusals;
}
