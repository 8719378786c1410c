import type { VerifiedAccessToken } from './access-token.js';

type Verdict = boolean | Promise<boolean>;

/**
 * Decides whether the caller may make this call. `Context` is the call as the framework represents it.
 * Only `true` grants access. Any other value, such as the `undefined` of a missing return, denies it, also inside `not`.
 */
export interface Policy<Context> {
  allows(token: VerifiedAccessToken, context: Context): Verdict;
}

/** An injectable class. The instance comes from the providers of the application. */
export type PolicyClass<Context> = abstract new (...parameters: never[]) => Policy<Context>;

/** A policy without dependencies. */
export type PolicyFunction<Context> = (token: VerifiedAccessToken, context: Context) => Verdict;

export type PolicyReference<Context> = PolicyClass<Context> | PolicyFunction<Context> | CombinedPolicy<Context>;

export class CombinedPolicy<Context> {
  constructor(
    readonly combination: 'all' | 'any' | 'not',
    readonly policies: readonly PolicyReference<Context>[],
  ) {
    // A circular import makes a class undefined here. Its policy would never be evaluated.
    if (policies.length === 0 || !policies.every(isPolicyReference))
      throw new TypeError(`An argument of allOf, anyOf or not is missing, or ${NOT_A_POLICY}`);
    Object.freeze(policies);
    Object.freeze(this);
  }
}

export const NOT_A_POLICY =
  'is not a policy. Use an injectable class with the method allows(token, context), a function, or a combination of these with allOf, anyOf or not.';

export function isPolicyReference(value: unknown): value is PolicyReference<unknown> {
  return typeof value === 'function' || value instanceof CombinedPolicy;
}

/** Not `instanceof`: the decorators of another copy of this package have combinations of their own. */
export function isCombined<Context>(policy: PolicyReference<Context>): policy is CombinedPolicy<Context> {
  return typeof policy !== 'function';
}

export function isPolicyClass<Context>(
  policy: PolicyClass<Context> | PolicyFunction<Context>,
): policy is PolicyClass<Context> {
  const { prototype } = policy as { prototype?: { allows?: unknown } };
  return typeof prototype?.allows === 'function' || /^class\b/.test(Function.prototype.toString.call(policy));
}

/** The name of a policy in reports and logs, for example `anyOf(OrderOwner, not(Suspended))`. */
export function nameOfPolicy(policy: PolicyReference<never>): string {
  if (!isCombined(policy)) return policy.name === '' ? 'a function' : policy.name;
  const names = policy.policies.map((part) => nameOfPolicy(part)).join(', ');
  return policy.combination === 'not' ? `not(${names})` : `${policy.combination}Of(${names})`;
}
