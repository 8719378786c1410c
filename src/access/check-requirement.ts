import type { VerifiedAccessToken } from '../model/access-token.js';
import { AuthError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import {
  isCombined,
  isPolicyClass,
  nameOfPolicy,
  type Policy,
  type PolicyClass,
  type PolicyReference,
} from '../model/policy.js';
import { AUTHORITIES, type AuthorityKind, type AuthorizationDetail, type Requirement } from '../model/requirement.js';
import { clockToleranceSecondsOf, unreadClaim } from '../token/verified-access-token.js';

export interface RequirementSurroundings<Context> {
  readonly context: Context;
  readonly nowSeconds: number;
  /** Every scope that the route requires. The challenge names all of them, so that the client requests them in one request (RFC 6750 §3). */
  readonly requiredScopes: readonly string[];
  /** Returns the instance of a policy class. */
  readonly resolvePolicy: (policy: PolicyClass<Context>) => Policy<Context> | Promise<Policy<Context>>;
}

/** @throws AuthError with the code of the requirement, and what a policy or predicate of the application throws. */
export function checkRequirement<Context>(
  requirement: Requirement<Context>,
  token: VerifiedAccessToken,
  surroundings: RequirementSurroundings<Context>,
): void | Promise<void> {
  switch (requirement.kind) {
    case 'acr':
      checkAuthentication(requirement, token, surroundings.nowSeconds);
      return;
    case 'authorizationDetails':
      return checkAuthorizationDetails(requirement, token, surroundings.context);
    case 'policy':
      return checkPolicy(requirement, token, surroundings);
    default:
      checkAuthorities(requirement.kind, requirement.names, token, surroundings.requiredScopes);
  }
}

function checkAuthorities(
  kind: AuthorityKind,
  names: readonly string[],
  token: VerifiedAccessToken,
  requiredScopes: readonly string[],
): void {
  const { granted, needs, code } = AUTHORITIES[kind];
  const isGranted = (name: string) => token[granted].includes(name);
  if (needs === 'all' ? names.every(isGranted) : names.some(isGranted)) return;
  const detail = code === 'SCOPE_INSUFFICIENT' ? { scope: [...new Set([...requiredScopes, ...names])].join(' ') } : {};
  throw new AuthError(code, { ...detail, requires: needs, expected: names, ...unreadClaim(token, granted) });
}

/** RFC 9470 §3, §5: checks how and how long ago the user was authenticated. */
function checkAuthentication(
  { values, maxAgeSeconds }: Extract<Requirement, { kind: 'acr' }>,
  token: VerifiedAccessToken,
  nowSeconds: number,
): void {
  const detail = { ...(values.length > 0 && { acrValues: values.join(' ') }), maxAgeSeconds };
  const { acr, auth_time: authenticatedAt } = token.claims;
  if (values.length > 0 && !(typeof acr === 'string' && values.includes(acr)))
    throw new AuthError('AUTHENTICATION_INSUFFICIENT', { claim: 'acr', ...detail });
  if (maxAgeSeconds === undefined) return;
  const toleranceSeconds = clockToleranceSecondsOf(token);
  const age = typeof authenticatedAt === 'number' ? nowSeconds - authenticatedAt : NaN;
  // The condition is negated so that NaN rejects. A time in the future is invalid, for example one in milliseconds.
  if (!(age >= -toleranceSeconds && age <= maxAgeSeconds + toleranceSeconds))
    throw new AuthError('AUTHENTICATION_INSUFFICIENT', { claim: 'auth_time', ...detail });
}

/** RFC 9396 §9.1: one object of this type must match. Several objects are not combined. */
async function checkAuthorizationDetails<Context>(
  { type, predicate }: Extract<Requirement<Context>, { kind: 'authorizationDetails' }>,
  { claims }: VerifiedAccessToken,
  context: Context,
): Promise<void> {
  const details: unknown = claims.authorization_details;
  for (const detail of Array.isArray(details) ? (details as unknown[]) : []) {
    if (!isJsonObject(detail) || detail.type !== type) continue;
    const verdict: unknown =
      predicate === undefined || (await predicate(detail as unknown as AuthorizationDetail, context));
    if (verdict === true) return;
  }
  throw new AuthError('AUTHORIZATION_DETAILS_INSUFFICIENT', { claim: 'authorization_details', expected: type });
}

async function checkPolicy<Context>(
  { policy }: Extract<Requirement<Context>, { kind: 'policy' }>,
  token: VerifiedAccessToken,
  surroundings: RequirementSurroundings<Context>,
): Promise<void> {
  if ((await verdictOf(policy, token, surroundings)) === true) return;
  throw new AuthError('POLICY_DENIED', { policy: nameOfPolicy(policy) });
}

/**
 * Evaluates a policy. The result is undefined if it returned neither `true` nor `false`; that denies, and `not` does not turn it
 * into a grant. The parts of a combination are evaluated in order until the result is certain.
 */
export async function verdictOf<Context>(
  policy: PolicyReference<Context>,
  token: VerifiedAccessToken,
  surroundings: Pick<RequirementSurroundings<Context>, 'context' | 'resolvePolicy'>,
): Promise<boolean | undefined> {
  if (!isCombined(policy)) {
    const { context, resolvePolicy } = surroundings;
    const verdict: unknown = isPolicyClass(policy)
      ? await (await resolvePolicy(policy)).allows(token, context)
      : await policy(token, context);
    return typeof verdict === 'boolean' ? verdict : undefined;
  }
  const { combination, policies } = policy;
  const decisive = combination === 'any';
  let combined: boolean | undefined = !decisive;
  for (const part of policies) {
    const verdict = await verdictOf(part, token, surroundings);
    if (combination === 'not') return verdict === undefined ? undefined : !verdict;
    if (verdict === decisive) return decisive;
    if (verdict === undefined) combined = undefined;
  }
  return combined;
}
