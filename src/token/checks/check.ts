import type { AccessTokenClaims, JoseHeader, VerifiedAccessToken } from '../../model/access-token.js';
import { isPromise, type MaybePromise } from '../../model/maybe-promise.js';
import type { ReportableCheck } from '../../options/options.js';
import { type Demand, NO_DEMAND, type Presented } from '../authenticator.js';
import type { DecodedToken } from '../jwt/compact.js';
import type { CachedToken } from '../token-cache.js';
import type { TrustedIssuer } from '../trusted-issuers.js';
import { FrozenAccessToken } from '../verified-access-token.js';

/** The input of the checks of one token. It is created for each call. A fact is verified only after the checks before have passed. */
export class TokenFacts implements DecodedToken {
  readonly header: DecodedToken['header'];
  readonly claims: DecodedToken['claims'];
  private verified: VerifiedAccessToken | undefined;

  constructor(
    readonly token: string,
    { header, claims }: Pick<DecodedToken, 'header' | 'claims'>,
    readonly nowSeconds: number,
    readonly presented?: Presented,
    readonly demand: Demand = NO_DEMAND,
    readonly cached?: CachedToken,
  ) {
    this.header = header;
    this.claims = claims;
  }

  /** The verified token. Requires that the checks of the claims have passed, which prove their types. */
  verifiedToken(issuer: TrustedIssuer): VerifiedAccessToken {
    return (this.verified ??= new FrozenAccessToken(
      this.token,
      this.header as JoseHeader,
      this.claims as unknown as AccessTokenClaims,
      issuer,
      this.cached?.authorities,
    ));
  }
}

/** The values that a check compared, for developers. */
export interface CheckExplanation {
  readonly got?: unknown;
  readonly expected?: unknown;
  /** How to fix the cause, if the check fails. */
  readonly hint?: string;
  /** A possible fault of a token that passes the check. */
  readonly warning?: string;
}

/**
 * One check of a token. Verification, `explain`, `reportOnly` and the doctor command read the same rows, so that a new check
 * is one object and one line in a profile such as `ACCESS_TOKEN_CHECKS`.
 */
export interface Check<Issuer = TrustedIssuer, Result extends MaybePromise<void> = MaybePromise<void>> {
  readonly name: string;
  /** The value of the option `reportOnly` that turns the check into a report: tokens that fail it are accepted and counted. */
  readonly reportOnly?: ReportableCheck;
  /** @throws AuthError if the token does not pass. */
  run(facts: TokenFacts, issuer: Issuer): Result;
  /** The part of the check that rejects tokens although the check is only reported. */
  runReported?(facts: TokenFacts, issuer: Issuer): void;
  explain?(facts: TokenFacts, issuer: Issuer): CheckExplanation;
}

/** A check that is made before the issuer is known. */
export type HeaderCheck = Check<unknown, void>;

/** Runs the checks in order, synchronously as long as each result is known. */
export function runChecks<Issuer extends TrustedIssuer | undefined, Result extends MaybePromise<void>>(
  checks: readonly Check<Issuer, Result>[],
  facts: TokenFacts,
  issuer: Issuer,
  start = 0,
): Result {
  for (let index = start; index < checks.length; index += 1) {
    // eslint-disable-next-line @typescript-eslint/no-non-null-assertion -- the index is in bounds; an iterator costs each request
    const result = runCheck(checks[index]!, facts, issuer);
    if (isPromise(result)) return result.then(() => runChecks(checks, facts, issuer, index + 1)) as Result;
  }
  return undefined as Result;
}

/** Runs one check, or the part of it that is enforced if the issuer's options have it reported only. */
export function runCheck<Issuer extends TrustedIssuer | undefined, Result extends MaybePromise<void>>(
  check: Check<Issuer, Result>,
  facts: TokenFacts,
  issuer: Issuer,
): Result {
  if (check.reportOnly === undefined || issuer?.reportOnly.has(check.reportOnly) !== true)
    return check.run(facts, issuer);
  return check.runReported?.(facts, issuer) as Result;
}
