import type { VerifiedAccessToken } from './access-token.js';

type Verdict = boolean | Promise<boolean>;

/**
 * Decides whether a caller may do what he asks for. `Context` is what the framework knows of the call.
 * Only `true` admits: a policy that forgets to return refuses, also under `not`.
 */
export interface Policy<Context> {
  allows(token: VerifiedAccessToken, context: Context): Verdict;
}

/** An injectable class: it is taken from the application's providers. */
export type PolicyClass<Context> = abstract new (...parameters: never[]) => Policy<Context>;

/** A policy that needs nothing injected. */
export type PolicyFunction<Context> = (token: VerifiedAccessToken, context: Context) => Verdict;

export type PolicyReference<Context> = PolicyClass<Context> | PolicyFunction<Context> | CombinedPolicy<Context>;

/** Several policies as one; made by `allOf`, `anyOf` and `not`. */
export class CombinedPolicy<Context> {
  constructor(
    readonly combination: 'all' | 'any' | 'not',
    readonly policies: readonly PolicyReference<Context>[],
  ) {
    // An undefined class (a circular import) would be a policy that nobody asks.
    if (policies.length === 0 || !policies.every(isPolicyReference)) throw new TypeError(NOT_A_POLICY);
    Object.freeze(policies);
    Object.freeze(this);
  }
}

export const NOT_A_POLICY =
  'a policy must be an injectable class with the method allows(token, context), a function, or some of them in allOf, anyOf or not';

export function isPolicyReference(value: unknown): value is PolicyReference<unknown> {
  return typeof value === 'function' || value instanceof CombinedPolicy;
}

export function isPolicyClass<Context>(
  policy: PolicyClass<Context> | PolicyFunction<Context>,
): policy is PolicyClass<Context> {
  const { prototype } = policy as { prototype?: { allows?: unknown } };
  return typeof prototype?.allows === 'function' || /^class\b/.test(Function.prototype.toString.call(policy));
}

/** The name of a policy, for reports and logs: `OrderOwner`, `anyOf(OrderOwner, not(Suspended))`. */
export function nameOfPolicy(policy: PolicyReference<never>): string {
  if (!(policy instanceof CombinedPolicy)) return policy.name === '' ? 'a function' : policy.name;
  const names = policy.policies.map((part) => nameOfPolicy(part)).join(', ');
  return policy.combination === 'not' ? `not(${names})` : `${policy.combination}Of(${names})`;
}
