import { applicationCheck } from './application.js';
import type { Check } from './check.js';
import { algorithmCheck, allowedAlgorithmCheck, criticalHeaderCheck, paddingCheck } from './header.js';
import { expirationCheck, notBeforeCheck, tokenAgeCheck } from './lifetime.js';
import { audienceCheck, claimTypesCheck, requiredClaimsCheck } from './audience-and-claims.js';
import { senderConstraintCheck } from './sender-constraint.js';
import { tokenPurposeCheck, tokenTypeCheck } from './token-type.js';

const beforeIssuer = [criticalHeaderCheck, algorithmCheck] as const;
const beforeKeys = [paddingCheck, allowedAlgorithmCheck, tokenTypeCheck, expirationCheck] as const;
const afterSignature = [
  tokenPurposeCheck,
  claimTypesCheck,
  audienceCheck,
  notBeforeCheck,
  tokenAgeCheck,
  requiredClaimsCheck,
  senderConstraintCheck,
  applicationCheck,
] as const;

// An optional member that a check lacks, such as `reportOnly`, must not come from a polluted prototype.
for (const check of [...beforeIssuer, ...beforeKeys, ...afterSignature])
  Object.freeze(Object.setPrototypeOf(check, null));

/** The checks of an access token, in order. */
export const ACCESS_TOKEN_CHECKS = Object.freeze({
  /** Need no issuer. */
  beforeIssuer,
  /** Need no keys, so that they reject before any network access. */
  beforeKeys,
  /** May rely on the signature. */
  afterSignature,
  /** Checks whose result changes with the time although the token and the options are the same. */
  timeDependent: [expirationCheck, notBeforeCheck, tokenAgeCheck] as const,
  /** Checks that the option `reportOnly` can name. */
  reportable: ([...beforeKeys, ...afterSignature] as readonly Check[]).filter(
    (check) => check.reportOnly !== undefined,
  ),
});

/** The name of a check of access tokens. */
export type AccessTokenCheckName = (typeof beforeIssuer | typeof beforeKeys | typeof afterSignature)[number]['name'];
