import { CombinedPolicy } from '../../model/policy.js';
import type { PolicyReference } from '../auth-options.js';

type Combination = CombinedPolicy<Parameters<Extract<PolicyReference, (...parameters: never[]) => unknown>>[1]>;

/**
 * Grants access only if every policy does. Evaluates them in order and stops at the first that denies.
 * @throws TypeError for a policy that is undefined, for example because of a circular import.
 */
export function allOf(...policies: PolicyReference[]): Combination {
  return new CombinedPolicy('all', policies);
}

/**
 * Grants access if one of the policies does. Evaluates them in order and stops at the first that grants.
 * @throws TypeError as {@link allOf}
 */
export function anyOf(...policies: PolicyReference[]): Combination {
  return new CombinedPolicy('any', policies);
}

/** Grants access if the policy returns `false`. A policy that returns neither `true` nor `false` denies here as well. */
export function not(policy: PolicyReference): Combination {
  return new CombinedPolicy('not', [policy]);
}
