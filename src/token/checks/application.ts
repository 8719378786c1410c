import { AuthError } from '../../model/errors.js';
import { isPromise, whenKnown } from '../../model/maybe-promise.js';
import { REJECTED_BY_VALIDATE } from '../hints.js';
import type { Check } from './check.js';

/** The check of the preset, then the `validate` option. They run last, so that they can rely on all other checks. */
export const applicationCheck = {
  name: 'validate',
  run(facts, issuer) {
    const { providerCheck, validate } = issuer;
    providerCheck?.(facts.verifiedToken(issuer));
    if (validate === undefined) return undefined;
    const verdict: unknown = validate(facts.verifiedToken(issuer));
    return whenKnown(isPromise(verdict) ? Promise.resolve(verdict) : verdict, checkVerdict);
  },
} as const satisfies Check;

function checkVerdict(verdict: unknown): void {
  // `token.claims.groups?.includes('staff')` is undefined for a token without groups.
  if (verdict !== true) throw new AuthError('CLAIM_INVALID', { reason: REJECTED_BY_VALIDATE });
}
