import { AuthError } from '../../model/errors.js';
import { optionalClaim, requiredClaim, STRING_OR_STRINGS } from '../claims.js';
import { missingAudienceHint, similarAddressHint } from '../hints.js';
import type { Check } from './check.js';

/** RFC 7519 §4.1.3, RFC 8725 §3.9: a recipient that the token does not name must reject it. */
export const audienceCheck = {
  name: 'audience',
  reportOnly: 'audience',
  run({ claims, demand }, { audience, audienceClaim: claim }) {
    const value = requiredClaim(claims, claim, STRING_OR_STRINGS);
    const named = typeof value === 'string' ? [value] : value;
    const expected = demand.audience ?? audience;
    for (const one of expected) if (named.includes(one)) return;
    throw new AuthError('AUDIENCE_MISMATCH', { claim, expected });
  },
  runReported({ claims }, { audienceClaim }) {
    // Application code that reads the claim relies on its type.
    optionalClaim(claims, audienceClaim, STRING_OR_STRINGS);
  },
  explain({ claims, demand }, { audience, audienceClaim }) {
    const [got, expected] = [claims[audienceClaim], demand.audience ?? audience];
    return { got, expected, hint: similarAddressHint(got, expected) ?? missingAudienceHint(claims, audienceClaim) };
  },
} as const satisfies Check;
