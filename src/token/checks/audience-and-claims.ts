import { AuthError } from '../../model/errors.js';
import { optionalClaim, requiredClaim, STRING, STRING_OR_STRINGS } from '../claims.js';
import { missingAudienceHint, similarAddressHint } from '../hints.js';
import type { Check } from './check.js';

const STRING_CLAIMS = ['sub', 'jti', 'client_id', 'azp'];

/**
 * RFC 9068 §2.2: identifiers of the subject, the client and the token are strings; application code relies on it. `scope` is
 * one string (RFC 8693 §4.2); some issuers send a list.
 */
export const claimTypesCheck = {
  name: 'claim-types',
  run({ claims }) {
    for (const claim of STRING_CLAIMS) optionalClaim(claims, claim, STRING);
    optionalClaim(claims, 'scope', STRING_OR_STRINGS);
  },
} as const satisfies Check;

/** Rejects tokens that lack a claim of the option `requiredClaims`. A claim that is `null` counts as missing. */
export const requiredClaimsCheck = {
  name: 'required-claims',
  reportOnly: 'requiredClaims',
  run({ claims }, { requiredClaims }) {
    for (const claim of requiredClaims) {
      if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
    }
  },
  explain: ({ claims }, { requiredClaims }) => ({ got: Object.keys(claims), expected: requiredClaims }),
} as const satisfies Check;

const ANOTHER_AUDIENCE = 'another audience beside that of this API (exclusiveAudience)';

/** RFC 7519 §4.1.3, RFC 8725 §3.9: a recipient that the token does not name must reject it. */
export const audienceCheck = {
  name: 'audience',
  reportOnly: 'audience',
  run({ claims, demand }, { audience, exclusiveAudience, audienceClaim: claim }) {
    const expected = demand.audience ?? audience;
    const isExclusive = demand.exclusiveAudience ?? exclusiveAudience;
    if (expected === null) {
      optionalClaim(claims, claim, STRING_OR_STRINGS);
      return;
    }
    const value = requiredClaim(claims, claim, STRING_OR_STRINGS);
    const named = typeof value === 'string' ? [value] : value;
    const isNamed = expected.some((one) => named.includes(one));
    if (isNamed && !(isExclusive && named.some((one) => !expected.includes(one)))) return;
    throw new AuthError('AUDIENCE_MISMATCH', { claim, expected, ...(isNamed && { reason: ANOTHER_AUDIENCE }) });
  },
  runReported({ claims }, { audienceClaim }) {
    // Application code that reads the claim relies on its type.
    optionalClaim(claims, audienceClaim, STRING_OR_STRINGS);
  },
  explain({ claims, demand }, { audience, audienceClaim }) {
    const [got, expected] = [claims[audienceClaim], demand.audience ?? audience];
    if (expected === null) return { got };
    if ([got].flat().some((name) => expected.includes(name as string)))
      return { got, expected, hint: `It names ${ANOTHER_AUDIENCE}. Request a token for this API only.` };
    return { got, expected, hint: similarAddressHint(got, expected) ?? missingAudienceHint(claims, audienceClaim) };
  },
} as const satisfies Check;
