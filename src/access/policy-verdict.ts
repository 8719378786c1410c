import { CombinedPolicy, isPolicyClass, type Policy, type PolicyClass, type PolicyReference } from '../model/policy.js';
import type { VerifiedAccessToken } from '../model/access-token.js';

/** Returns the instance of a policy class. */
export type PolicyResolver<Context> = (
  policy: PolicyClass<Context>,
  context: Context,
) => Policy<Context> | Promise<Policy<Context>>;

/**
 * Evaluates a policy. The result is undefined if it returned neither `true` nor `false`; that denies, and `not` does not turn it
 * into a grant. The parts of a combination are evaluated in order until the result is certain.
 */
export async function verdictOf<Context>(
  policy: PolicyReference<Context>,
  token: VerifiedAccessToken,
  context: Context,
  resolve: PolicyResolver<Context>,
): Promise<boolean | undefined> {
  if (!(policy instanceof CombinedPolicy)) {
    const verdict: unknown = isPolicyClass(policy)
      ? await (await resolve(policy, context)).allows(token, context)
      : await policy(token, context);
    return typeof verdict === 'boolean' ? verdict : undefined;
  }
  const { combination, policies } = policy;
  const decisive = combination === 'any';
  let combined: boolean | undefined = !decisive;
  for (const part of policies) {
    const verdict = await verdictOf(part, token, context, resolve);
    if (combination === 'not') return verdict === undefined ? undefined : !verdict;
    if (verdict === decisive) return decisive;
    if (verdict === undefined) combined = undefined;
  }
  return combined;
}
