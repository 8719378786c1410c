import { applicationCheck } from './application.js';
import { audienceCheck } from './audience.js';
import type { Check, HeaderCheck } from './check.js';
import { algorithmCheck, allowedAlgorithmCheck, criticalHeaderCheck } from './header.js';
import { expirationCheck, notBeforeCheck, tokenAgeCheck } from './lifetime.js';
import { claimTypesCheck, requiredClaimsCheck } from './required-claims.js';
import { senderConstraintCheck } from './sender-constraint.js';
import { tokenPurposeCheck } from './token-purpose.js';
import { tokenTypeCheck } from './token-type.js';

/**
 * The checks of an access token, in order. The signature is verified between the checks `before-keys` and those
 * `after-signature`.
 */
const ROWS = [
  criticalHeaderCheck,
  algorithmCheck,
  allowedAlgorithmCheck,
  tokenTypeCheck,
  expirationCheck,
  tokenPurposeCheck,
  claimTypesCheck,
  audienceCheck,
  notBeforeCheck,
  tokenAgeCheck,
  requiredClaimsCheck,
  senderConstraintCheck,
  applicationCheck,
] as const;

/** The name of a check of access tokens. */
export type AccessTokenCheckName = (typeof ROWS)[number]['name'];

type NamedCheck<Row> = Row & { readonly name: AccessTokenCheckName };

const rowsAt = <Row>(when: Check['when']) => (ROWS as readonly Check[]).filter((row) => row.when === when) as Row[];

export const ACCESS_TOKEN_CHECKS = Object.freeze({
  beforeIssuer: rowsAt<NamedCheck<HeaderCheck>>('before-issuer'),
  beforeKeys: rowsAt<NamedCheck<Check>>('before-keys'),
  afterSignature: rowsAt<NamedCheck<Check>>('after-signature'),
  /** Checks whose result changes with the time although the token and the options are the same. */
  timeDependent: [expirationCheck, notBeforeCheck, tokenAgeCheck] as const,
  /** Checks that the option `reportOnly` can name. */
  reportable: (ROWS as readonly Check[]).filter(({ reportOnly }) => reportOnly !== undefined),
});
