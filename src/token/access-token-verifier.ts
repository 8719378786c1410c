import type { KeyObject } from 'node:crypto';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError, type AuthErrorCode } from '../model/errors.js';
import { isPromise, type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import { ownMembers } from '../model/unknown-value.js';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import { Authorities } from './authorities.js';
import { type Authenticator, type Demand, NO_DEMAND, type Presented, Rejected } from './authenticator.js';
import { ACCESS_TOKEN_CHECKS } from './checks/access-token-checks.js';
import { namedAlgorithm } from './checks/header.js';
import { runChecks, TokenFacts } from './checks/check.js';
import { explainToken, type Explanation } from './explain.js';
import { decodeCompact } from './jwt/compact.js';
import { checkSignature, findVerifyingKey, namedKey } from './jwt/signature.js';
import { TokenCache } from './token-cache.js';
import type { TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';

/** Receives how long verifications take. */
export interface VerificationObserver {
  readonly isObserving: boolean;
  /**
   * @param durationMs includes the wait for keys, if there was one.
   * @param issuer the trusted issuer that the token names, whatever else is wrong with it.
   */
  verified(durationMs: number, issuer: string | undefined, code: AuthErrorCode | undefined): void;
}

/** For which API a token must have been issued. Default: as the options of the issuer say. */
export interface VerificationContext {
  readonly audience?: string | readonly string[];
  readonly exclusiveAudience?: boolean;
}

function demandOf(context: VerificationContext): Demand {
  const { audience, exclusiveAudience } = ownMembers(context);
  if (audience === undefined && exclusiveAudience === undefined) return NO_DEMAND;
  return { audience: audience === undefined ? undefined : [audience].flat(), exclusiveAudience };
}

/**
 * Verifies access tokens in the same way as `AuthGuard`, for jobs, gateways and scripts. Injectable where `AuthModule` is
 * imported.
 *
 * Checked: the form (RFC 7515), the algorithm and the type (RFC 8725), the issuer, its keys and the signature, `aud`, `exp`,
 * `nbf`, `iat`, the age, required claims (RFC 7519, RFC 9068) and the `validate` option. **Not** checked: whether the token
 * was revoked after it was issued, who sends it (a sender-constrained token, with `cnf`, is rejected), and what it
 * permits.
 */
export class AccessTokenVerifier implements Authenticator {
  private readonly cache: TokenCache | undefined;

  constructor(
    private readonly issuers: TrustedIssuers,
    private readonly clock: () => number,
    tokenCache?: ResolvedTokenCache,
    /** Called for each token that is accepted only because of `reportOnly`. */
    private readonly onReport: (refusal: AuthError, token: VerifiedAccessToken) => void = () => undefined,
    private readonly observer?: VerificationObserver,
  ) {
    this.cache = tokenCache && new TokenCache(tokenCache);
  }

  /**
   * Verifies an access token.
   * @param token the compact form, without `Bearer`.
   * @param context `audience` replaces that of the issuer, for example by that of one of the `resources`.
   * @returns the token with its claims, if every check passes.
   * @throws AuthError with one of the codes of {@link ERRORS}; status 503 means that the token may be valid.
   * @throws what `validate` or the `issuers` function throws.
   */
  async verify(token: string, context: VerificationContext = {}): Promise<VerifiedAccessToken> {
    const result = await this.authenticate({ token, scheme: 'Bearer', proofs: [] }, demandOf(context));
    if (result instanceof Rejected) throw result.error;
    return result;
  }

  /**
   * Explains to a developer why a token is rejected: makes every check and returns a row for each. The first row that did not
   * pass is the reason why `verify` rejects. Do not show the rows to callers, because they contain the expected values.
   * @param token the compact form, without `Bearer`.
   * @param options `callsValidate: false` omits your `validate` option; default true. `fetchesKeys: true` fetches keys
   * for the signature of a token that another check rejects already. Do not set it for tokens of unauthenticated callers,
   * because they would use up the fetches that valid tokens need; default false. The rest as for `verify`.
   */
  explain(
    token: string,
    options: { readonly callsValidate?: boolean; readonly fetchesKeys?: boolean } & VerificationContext = {},
  ): Promise<readonly Explanation[]> {
    const { callsValidate = true, fetchesKeys = false } = ownMembers(options);
    const how = { callsValidate, fetchesKeys, demand: demandOf(options) };
    return explainToken(token, this.issuers, this.clock(), how);
  }

  authenticate(presented: Presented, demand: Demand): MaybePromise<VerifiedAccessToken | Rejected> {
    const { observer } = this;
    const startedAt = observer?.isObserving === true ? performance.now() : undefined;
    const now = this.clock();
    const accepted = this.acceptAgain(presented.token, demand, now);
    const result = accepted ?? this.checkAll(presented, demand, now);
    if (startedAt === undefined) return result;
    return whenKnown(result, (known) => {
      const code = known instanceof Rejected && known.error instanceof AuthError ? known.error.code : undefined;
      if (code !== undefined || !(known instanceof Rejected))
        observer?.verified(performance.now() - startedAt, known.issuer, code);
      return known;
    });
  }

  /**
   * Returns the public key that verifies the token, after the checks that come before the signature. This is the secret provider
   * of `JwtStrategy`.
   * @throws AuthError if one of these checks fails, and KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID, KEYS_UNAVAILABLE.
   */
  async signingKey(token: string): Promise<KeyObject> {
    const facts = new TokenFacts(token, decodeCompact(token), this.clock() / 1000);
    runChecks(ACCESS_TOKEN_CHECKS.beforeIssuer, facts, undefined);
    const issuer = await this.issuers.of(facts.claims);
    runChecks(ACCESS_TOKEN_CHECKS.beforeKeys, facts, issuer);
    const algorithm = namedAlgorithm(facts.header);
    const keySet = await checkSignature(facts, algorithm, issuer.keySource);
    return findVerifyingKey(facts, algorithm, keySet.candidates(namedKey(facts.header)));
  }

  /**
   * Accepts a token that was accepted a moment ago, if nothing but the time has changed since: the same demand, the same options of
   * the issuer and the same key set. Then only the checks of the time can have another result.
   */
  private acceptAgain(token: string, demand: Demand, now: number): VerifiedAccessToken | undefined {
    const recent = this.cache?.findRecent(token, now);
    if (recent?.demand !== demand) return undefined;
    const { verified, issuer, keySet, header } = recent;
    if (this.issuers.of(recent.claims) !== issuer) return undefined;
    try {
      const current = issuer.keySource.keySetFor(namedKey(header));
      // All checks wait for the same fetch, and report why it fails.
      if (isPromise(current)) current.catch(() => undefined);
      if (current !== keySet) return undefined;
      const facts = new TokenFacts(token, recent, now / 1000);
      for (const check of ACCESS_TOKEN_CHECKS.timeDependent) check.run(facts, issuer);
      return verified;
    } catch {
      // All checks run again, and find the reason.
      return undefined;
    }
  }

  private checkAll(presented: Presented, demand: Demand, now: number): MaybePromise<VerifiedAccessToken | Rejected> {
    const { beforeIssuer, beforeKeys, afterSignature } = ACCESS_TOKEN_CHECKS;
    let trusted: string | undefined;
    return recovering<VerifiedAccessToken | Rejected>(
      () => {
        const { token } = presented;
        const cached = this.cache?.find(token, now);
        const decoded = cached ?? decodeCompact(token);
        const facts = new TokenFacts(token, decoded, now / 1000, presented, demand, cached);
        runChecks(beforeIssuer, facts, undefined);
        return whenKnown(this.issuers.of(facts.claims), (issuer) => {
          trusted = issuer.issuer;
          runChecks(beforeKeys, facts, issuer);
          const algorithm = namedAlgorithm(facts.header);
          return whenKnown(checkSignature(facts, algorithm, issuer.keySource, cached?.keySet), (keySet) => {
            issuer.onVerified?.();
            return whenKnown(runChecks(afterSignature, facts, issuer), () => {
              this.remember(facts, issuer, keySet, now);
              if (issuer.reportOnly.size > 0) this.report(facts, issuer);
              return facts.verifiedToken(issuer);
            });
          });
        });
      },
      (error) => new Rejected(error, trusted),
    );
  }

  private remember(facts: TokenFacts, issuer: TrustedIssuer, keySet: KeySet, now: number): void {
    if (this.cache === undefined) return;
    let entry = facts.cached;
    if (entry?.keySet !== keySet) {
      const { token, header, claims } = facts;
      entry = { header, claims, keySet, authorities: new Authorities(issuer), verifiedAt: now };
      if (!this.cache.remember(token, entry)) return;
    }
    // The application's own functions are called for each request.
    const { demand } = facts;
    const { providerCheck, validate, reportOnly } = issuer;
    const callsApplication = this.issuers.isDynamic || (providerCheck ?? validate) !== undefined;
    if (!callsApplication && reportOnly.size === 0)
      this.cache.rememberRecent({ ...entry, verified: facts.verifiedToken(issuer), issuer, demand });
  }

  private report(facts: TokenFacts, issuer: TrustedIssuer): void {
    for (const check of ACCESS_TOKEN_CHECKS.reportable) {
      if (check.reportOnly === undefined || !issuer.reportOnly.has(check.reportOnly)) continue;
      try {
        void check.run(facts, issuer);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        this.onReport(error, facts.verifiedToken(issuer));
      }
    }
  }
}
