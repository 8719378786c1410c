import { AuthError } from '../../model/errors.js';
import type { Check } from './check.js';

/** Rejects tokens that lack a claim of the option `requiredClaims`. A claim that is `null` counts as missing. */
export const requiredClaimsCheck = {
  name: 'required-claims',
  when: 'after-signature',
  reportOnly: 'requiredClaims',
  run({ claims }, { requiredClaims }) {
    for (const claim of requiredClaims) {
      if (!Object.hasOwn(claims, claim) || claims[claim] === null) throw new AuthError('CLAIM_MISSING', { claim });
    }
  },
  explain: ({ claims }, { requiredClaims }) => ({ got: Object.keys(claims), expected: requiredClaims }),
} as const satisfies Check;
