import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../model/access-token.js';
import { AuthError, type AuthErrorCode } from '../model/errors.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import { AcceptedToken } from './accepted-token.js';
import {
  checkAge,
  checkAlgorithmAllowed,
  checkAudience,
  checkByApplication,
  checkExpiration,
  checkIsAccessToken,
  checkNoCriticalExtension,
  checkNotBefore,
  checkRequiredClaims,
  checkSenderConstraint,
  checkTokenType,
  namedAlgorithm,
  reportedRefusals,
} from './checks.js';
import { checkScopeClaim, checkStringClaims, namedIssuer } from './claims.js';
import { decodeCompact, type DecodedToken } from './jwt/compact.js';
import { explainToken, type Explanation } from './explain.js';
import { Authorities } from './authorities.js';
import { checkSignature } from './jwt/signature.js';
import type { TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';
import { TokenCache } from './token-cache.js';

/** Who wants to know how long verifications take. */
export interface VerificationObserver {
  readonly isObserving: boolean;
  /**
   * @param durationMs with the wait for keys, if there was one.
   * @param issuer of a trusted issuer, also where something else is wrong.
   * @param code of the refusal.
   */
  verified(durationMs: number, issuer: string | undefined, code: AuthErrorCode | undefined): void;
}

/**
 * Verifies access tokens as `AuthGuard` does: for jobs, gateways and scripts. Injectable wherever `AuthModule` is
 * imported.
 *
 * Checked: the form (RFC 7515), the algorithm and the type (RFC 8725), the issuer, its keys and the signature, `aud`,
 * `exp`, `nbf`, `iat`, the age, required claims (RFC 7519, RFC 9068) and your own `validate`. **Not** checked: whether
 * the token was revoked since it was issued, who sends it (a token bound to a key by `cnf` is refused), and what it
 * allows its bearer to do.
 */
export class AccessTokenVerifier {
  private readonly signatures: TokenCache | undefined;

  constructor(
    private readonly issuers: TrustedIssuers,
    private readonly clock: () => number,
    tokenCache?: ResolvedTokenCache,
    /** Told what would have been refused but for `reportOnly`. */
    private readonly onReport: (refusal: AuthError, token: VerifiedAccessToken) => void = () => undefined,
    private readonly observer?: VerificationObserver,
  ) {
    this.signatures = tokenCache && new TokenCache(tokenCache);
  }

  /**
   * @param token the compact form, without `Bearer`.
   * @returns the token with its claims, once every check has passed.
   * @throws AuthError with one of the codes of {@link ERRORS}; with status 503 it is not the token's fault.
   * @throws what `validate` or the issuers' resolver throws.
   */
  verify(token: string): Promise<VerifiedAccessToken> {
    return this.observer?.isObserving === true ? this.timed(token, this.observer) : this.checked(token);
  }

  /**
   * Why a token is refused, for developers: every check is made, and none is thrown for. The first that did not pass is why
   * `verify` refuses. Do not show it to callers: it says what the options expect.
   * @param token the compact form, without `Bearer`.
   * @param options `callsValidate: false` leaves your own `validate` out, which may have been asked already; default true.
   * `fetchesKeys: true` has the signature checked of a token, too, that is refused without it and whose keys are not here: not for
   * tokens of strangers, for whom keys would be fetched that genuine tokens need; default false.
   */
  explain(token: string, { callsValidate = true, fetchesKeys = false } = {}): Promise<readonly Explanation[]> {
    return explainToken(token, this.issuers, this.clock(), { callsValidate, fetchesKeys });
  }

  private async timed(token: string, observer: VerificationObserver): Promise<VerifiedAccessToken> {
    const startedAt = performance.now();
    try {
      const accepted = await this.checked(token);
      observer.verified(performance.now() - startedAt, accepted.issuer, undefined);
      return accepted;
    } catch (error) {
      if (error instanceof AuthError) observer.verified(performance.now() - startedAt, error.issuer, error.code);
      throw error;
    }
  }

  private async checked(token: string): Promise<VerifiedAccessToken> {
    const now = this.clock();
    const seen = this.signatures?.find(token, now);
    const { header, claims } = seen ?? decodeCompact(token);
    checkNoCriticalExtension(header);
    const algorithm = namedAlgorithm(header);

    const found = this.issuers.get(namedIssuer(claims));
    const issuer = found instanceof Promise ? await found : found;
    const nowSeconds = now / 1000;
    try {
      // Cheap, and before any network: most of what is refused is refused here.
      checkAlgorithmAllowed(algorithm, issuer);
      checkTokenType(header, issuer);
      checkExpiration(claims, issuer, nowSeconds);

      const checked = checkSignature({ token, header }, algorithm, issuer.keySource, seen?.keySet);
      const keySet = checked instanceof Promise ? await checked : checked;
      issuer.onVerified?.();

      checkIsAccessToken(claims);
      checkStringClaims(claims);
      checkScopeClaim(claims);
      checkAudience(claims, issuer);
      checkNotBefore(claims, issuer, nowSeconds);
      checkAge(claims, issuer, nowSeconds);
      checkRequiredClaims(claims, issuer);
      checkSenderConstraint(claims, issuer);
      const grants =
        seen?.grants.claimPaths === issuer.claimPaths ? seen.grants : new Authorities(claims, issuer.claimPaths);
      if (keySet !== seen?.keySet)
        this.signatures?.remember(token, { header, claims, keySet, grants, verifiedAt: now });
      const accepted = accept(token, header, claims, issuer, grants);
      if (issuer.providerCheck !== undefined || issuer.validate !== undefined)
        await checkByApplication(accepted, issuer);
      if (issuer.reportOnly !== undefined)
        for (const refusal of reportedRefusals(accepted, issuer.reportOnly)) this.onReport(refusal, accepted);
      return accepted;
    } catch (error) {
      // The application's own may be frozen.
      if (error instanceof AuthError) Reflect.set(error, 'issuer', issuer.issuer);
      throw error;
    }
  }
}

function accept(
  token: string,
  header: DecodedToken['header'],
  claims: DecodedToken['claims'],
  issuer: TrustedIssuer,
  grants: Authorities,
): AcceptedToken {
  return new AcceptedToken(
    token,
    header as JoseHeader,
    // Not a guess: the checks above proved the types that AccessTokenClaims states.
    claims as unknown as AccessTokenClaims,
    issuer,
    grants,
  );
}
