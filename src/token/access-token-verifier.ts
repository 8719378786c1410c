import type { KeyObject } from 'node:crypto';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError, type AuthErrorCode } from '../model/errors.js';
import { isPromise, type MaybePromise, recovering, whenKnown } from '../model/maybe-promise.js';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import { type Authenticator, NO_DEMAND, Rejected } from './authenticator.js';
import { ACCESS_TOKEN_CHECKS } from './checks/access-token-checks.js';
import { namedAlgorithm } from './checks/header.js';
import { runChecks } from './checks/check.js';
import { namedIssuer } from './claims.js';
import { explainToken, type Explanation } from './explain.js';
import { decodeCompact } from './jwt/compact.js';
import { checkSignature, findKeySet, findVerifyingKey, namedKey } from './jwt/signature.js';
import type { Demand, Presented } from './presented.js';
import { type CachedToken, TokenCache } from './token-cache.js';
import { TokenFacts } from './token-facts.js';
import type { TrustedIssuer, TrustedIssuers } from './trusted-issuers.js';

/** Receives how long verifications take. */
export interface VerificationObserver {
  readonly isObserving: boolean;
  /**
   * @param durationMs includes the wait for keys, if there was one.
   * @param issuer the trusted issuer that the token names, whatever else is wrong with it.
   * @param code of the refusal.
   */
  verified(durationMs: number, issuer: string | undefined, code: AuthErrorCode | undefined): void;
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
   * @returns the token with its claims, if every check passes.
   * @throws AuthError with one of the codes of {@link ERRORS}; status 503 means that the token may be valid.
   * @throws what `validate` or the `issuers` function throws.
   */
  async verify(token: string): Promise<VerifiedAccessToken> {
    const result = await this.authenticate({ token, scheme: 'Bearer', proofs: [] }, NO_DEMAND);
    if (result instanceof Rejected) throw result.error;
    return result;
  }

  /**
   * Explains to a developer why a token is rejected: makes every check and returns a row for each. The first row that did not
   * pass is the reason why `verify` rejects. Do not show the rows to callers, because they contain the expected values.
   * @param token the compact form, without `Bearer`.
   * @param options `callsValidate: false` omits your `validate` option; default true. `fetchesKeys: true` fetches keys
   * for the signature of a token that another check rejects already. Do not set it for tokens of unauthenticated callers,
   * because they would use up the fetches that valid tokens need; default false.
   */
  explain(token: string, { callsValidate = true, fetchesKeys = false } = {}): Promise<readonly Explanation[]> {
    return explainToken(token, this.issuers, this.clock(), { callsValidate, fetchesKeys });
  }

  authenticate(presented: Presented, demand: Demand): MaybePromise<VerifiedAccessToken | Rejected> {
    const { observer } = this;
    if (observer?.isObserving !== true) return this.checked(presented, demand);
    const startedAt = performance.now();
    return whenKnown(this.checked(presented, demand), (result) => {
      const code = result instanceof Rejected && result.error instanceof AuthError ? result.error.code : undefined;
      if (code !== undefined || !(result instanceof Rejected))
        observer.verified(performance.now() - startedAt, result.issuer, code);
      return result;
    });
  }

  /**
   * Returns the public key that the token must be verified with, after the checks that come before the signature. This is the
   * secret provider of `JwtStrategy`.
   * @throws AuthError if one of these checks fails, and KEY_UNKNOWN, KEY_UNSUITABLE, SIGNATURE_INVALID, KEYS_UNAVAILABLE.
   */
  async signingKey(token: string): Promise<KeyObject> {
    const facts = new TokenFacts(token, decodeCompact(token), this.clock() / 1000, undefined, NO_DEMAND);
    await runChecks(ACCESS_TOKEN_CHECKS.beforeIssuer, facts, undefined);
    const issuer = await this.issuers.get(namedIssuer(facts.claims));
    await runChecks(ACCESS_TOKEN_CHECKS.beforeKeys, facts, issuer);
    const algorithm = namedAlgorithm(facts.header);
    const keySet = await findKeySet(facts.header, issuer.keySource);
    const candidates = keySet.candidates(namedKey(facts.header));
    const suitable = candidates.filter(({ inputs }) => inputs.has(algorithm));
    // Without a `kid`, only the signature tells which of several keys is meant.
    const [key] = suitable.length === 1 ? suitable : [findVerifyingKey(facts, algorithm, candidates)];
    const input = key?.inputs.get(algorithm);
    if (input === undefined) throw new AuthError('KEY_UNSUITABLE', { expected: algorithm });
    return input.key;
  }

  private checked(presented: Presented, demand: Demand): MaybePromise<VerifiedAccessToken | Rejected> {
    const now = this.clock();
    const accepted = demand === NO_DEMAND ? this.acceptAgain(presented, now) : undefined;
    return accepted ?? this.checkAll(presented, demand, now);
  }

  /**
   * Accepts a token that was accepted a moment ago, if nothing but the time has changed since: the same options of the issuer and
   * the same key set. Then only the checks of the time can have another result.
   * @returns undefined if all checks are necessary.
   */
  private acceptAgain({ token }: Presented, now: number): VerifiedAccessToken | undefined {
    const recent = this.cache?.findRecent(token, now);
    if (recent === undefined) return undefined;
    const { verified, issuer, keySet, header } = recent;
    const { keySource } = issuer;
    if (this.issuers.get(verified.issuer) !== issuer || keySource.current() !== keySet) return undefined;
    try {
      const current = findKeySet(header, keySource);
      // The set was not refreshed for long. All checks wait for the same refresh, and report why it fails.
      if (isPromise(current)) current.catch(() => undefined);
      if (current !== keySet) return undefined;
      const facts = new TokenFacts(token, recent, now / 1000, undefined, NO_DEMAND);
      for (const check of ACCESS_TOKEN_CHECKS.timeDependent) check.run(facts, issuer);
      return verified;
    } catch {
      // All checks run again, and find the reason.
      return undefined;
    }
  }

  private checkAll(presented: Presented, demand: Demand, now: number): MaybePromise<VerifiedAccessToken | Rejected> {
    let trusted: string | undefined;
    const { beforeIssuer, beforeKeys, afterSignature } = ACCESS_TOKEN_CHECKS;
    return recovering<VerifiedAccessToken | Rejected>(
      () => {
        const { token } = presented;
        const cached = this.cache?.find(token, now);
        const facts = new TokenFacts(token, cached ?? decodeCompact(token), now / 1000, presented, demand, cached);
        return whenKnown(runChecks(beforeIssuer, facts, undefined), () =>
          whenKnown(this.issuers.get(namedIssuer(facts.claims)), (issuer) => {
            trusted = issuer.issuer;
            return whenKnown(runChecks(beforeKeys, facts, issuer), () =>
              whenKnown(this.checkSignature(facts, issuer, cached), (keySet) =>
                whenKnown(runChecks(afterSignature, facts, issuer), () => {
                  this.remember(facts, issuer, keySet, cached, now);
                  return this.accept(facts, issuer);
                }),
              ),
            );
          }),
        );
      },
      (error) => new Rejected(error, trusted),
    );
  }

  private checkSignature(facts: TokenFacts, issuer: TrustedIssuer, cached: CachedToken | undefined) {
    const algorithm = namedAlgorithm(facts.header);
    return whenKnown(checkSignature(facts, algorithm, issuer.keySource, cached?.keySet), (keySet) => {
      issuer.onVerified?.();
      return keySet;
    });
  }

  private remember(
    facts: TokenFacts,
    issuer: TrustedIssuer,
    keySet: KeySet,
    cached: CachedToken | undefined,
    now: number,
  ): void {
    if (this.cache === undefined) return;
    let entry = cached;
    if (entry?.keySet !== keySet) {
      const { token, header, claims } = facts;
      entry = { header, claims, keySet, authorities: facts.authorities(issuer), verifiedAt: now };
      if (!this.cache.remember(token, entry)) return;
    }
    // The application's own functions are called for each request.
    const { providerCheck, validate, reportOnly } = issuer;
    const callsApplication = this.issuers.names.length === 0 || (providerCheck ?? validate) !== undefined;
    if (!callsApplication && reportOnly.size === 0)
      this.cache.rememberRecent({ ...entry, verified: facts.verifiedToken(issuer), issuer });
  }

  private accept(facts: TokenFacts, issuer: TrustedIssuer): VerifiedAccessToken {
    const token = facts.verifiedToken(issuer);
    if (issuer.reportOnly.size > 0) this.report(facts, issuer, token);
    return token;
  }

  private report(facts: TokenFacts, issuer: TrustedIssuer, token: VerifiedAccessToken): void {
    for (const check of ACCESS_TOKEN_CHECKS.reportable) {
      if (check.reportOnly === undefined || !issuer.reportOnly.has(check.reportOnly)) continue;
      try {
        void check.run(facts, issuer);
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
        this.onReport(error, token);
      }
    }
  }
}
