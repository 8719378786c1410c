import { CombinedPolicy } from '../../model/policy.js';
import type { PolicyReference } from '../auth-options.js';

type Combination = CombinedPolicy<Parameters<Extract<PolicyReference, (...parameters: never[]) => unknown>>[1]>;

/** Admits when all of them do. Asked in this order, until one does not. */
export function allOf(...policies: PolicyReference[]): Combination {
  return new CombinedPolicy('all', policies);
}

/** Admits when one of them does. Asked in this order, until one does. */
export function anyOf(...policies: PolicyReference[]): Combination {
  return new CombinedPolicy('any', policies);
}

/** Admits when the policy says `false`. A policy that says neither `true` nor `false` refuses here, too. */
export function not(policy: PolicyReference): Combination {
  return new CombinedPolicy('not', [policy]);
}
