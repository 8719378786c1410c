import type { ExecutionContext } from '@nestjs/common';
import { replaceOuter } from '../../access/effective-requirements.js';
import { CombinedPolicy, isPolicyReference, NOT_A_POLICY } from '../../model/policy.js';
import { ConfigurationError } from '../../model/errors.js';
import { ownMembers } from '../../model/unknown-value.js';
import {
  type AuthorizationDetail,
  type AuthorityKind,
  problemOfMaxAge,
  problemOfNames,
  type Requirement,
  REQUIREMENT_KINDS,
  type RequirementKind,
  REQUIREMENTS,
} from '../../model/requirement.js';
import type { PolicyReference } from '../auth-options.js';
import { listDecorator, listsOfClass, listsOfMethod } from './method-metadata.js';

export type NestRequirement = Requirement<ExecutionContext>;

/** How a requirement combines with others, and whether it is enforced. */
export interface RequirementOptions {
  /**
   * Adds to the requirements of the same decorator on the class instead of replacing them; on a class, to those of the base
   * class. Default false.
   */
  readonly merge?: boolean;
  /**
   * Admits a call that does not meet the requirement, and counts and logs it by client (`ReportedRefusals`). It does not replace
   * a requirement that is enforced. Default false.
   */
  readonly reportOnly?: boolean;
}

/** For a handler or a class. */
export type RequirementDecorator = ClassDecorator & MethodDecorator;

type Given<Options> = [...names: string[]] | [...names: string[], options: Options];
type Names = Given<RequirementOptions>;

/**
 * The token must grant all of these scopes (RFC 6749 §3.3). Otherwise 403 `insufficient_scope` (SCOPE_INSUFFICIENT), with
 * the scopes of the route in the challenge. The claims that contain scopes: `claimPaths.scopes`.
 */
export function RequireScopes(...scopes: Names): RequirementDecorator {
  return requireAuthorities('scopes', scopes);
}

/** The token must grant one of these scopes. The challenge names all, because the issuer may not grant each. See {@link RequireScopes}. */
export function RequireAnyScope(...scopes: Names): RequirementDecorator {
  return requireAuthorities('anyScope', scopes);
}

/** The caller must have all of these roles. Otherwise 403 ROLE_INSUFFICIENT. Their claims: `claimPaths.roles`. */
export function RequireRoles(...roles: Names): RequirementDecorator {
  return requireAuthorities('roles', roles);
}

/** The caller must have one of these roles. See {@link RequireRoles}. */
export function RequireAnyRole(...roles: Names): RequirementDecorator {
  return requireAuthorities('anyRole', roles);
}

/**
 * The caller must have all of these permissions. Otherwise 403 PERMISSION_INSUFFICIENT. Their claims:
 * `claimPaths.permissions`.
 */
export function RequirePermissions(...permissions: Names): RequirementDecorator {
  return requireAuthorities('permissions', permissions);
}

/** The caller must have one of these permissions. See {@link RequirePermissions}. */
export function RequireAnyPermission(...permissions: Names): RequirementDecorator {
  return requireAuthorities('anyPermission', permissions);
}

/**
 * This policy must grant access. Otherwise 403 POLICY_DENIED. Policies are evaluated last, after every other requirement of the
 * route.
 */
export function RequirePolicy(policy: PolicyReference, options: RequirementOptions = {}): RequirementDecorator {
  return requirement({ kind: 'policy', policy }, options, isPolicyReference(policy) ? undefined : NOT_A_POLICY);
}

/**
 * The user must have been authenticated in one of these ways (the claim `acr`), and not longer ago than `maxAgeSeconds`
 * (the claim `auth_time`). Without a value only the time is checked. Otherwise 401 `insufficient_user_authentication` with
 * `acr_values` and `max_age`, which the client passes to the authorization server (RFC 9470 §3).
 */
export function RequireAcr(...given: Given<RequirementOptions & { maxAgeSeconds?: number }>): RequirementDecorator {
  const { names: values, options } = namesAndOptions<RequirementOptions & { maxAgeSeconds?: number }>(given);
  const { maxAgeSeconds, ...others } = ownMembers(options);
  const isEmpty = values.length === 0 && maxAgeSeconds === undefined;
  const problem = isEmpty ? 'is empty. Write a value, or maxAgeSeconds.' : problemOfNames('acr', values);
  return requirement({ kind: 'acr', values, maxAgeSeconds }, others, problem ?? problemOfMaxAge(maxAgeSeconds));
}

/**
 * The token must carry an object of this type in `authorization_details` (RFC 9396 §2) that the predicate returns `true`
 * for. Without a predicate, the type is sufficient. Otherwise 403 AUTHORIZATION_DETAILS_INSUFFICIENT. Only `type` is checked
 * before the predicate is called.
 */
export function RequireAuthorizationDetails(
  type: string,
  predicate?: (detail: AuthorizationDetail, context: ExecutionContext) => boolean | Promise<boolean>,
  options: RequirementOptions = {},
): RequirementDecorator {
  const isType = typeof (type as unknown) === 'string' && type.trim() !== '';
  const isPredicate = predicate === undefined || typeof (predicate as unknown) === 'function';
  const problem = isPredicate ? undefined : 'has a predicate that is not a function. Write a function.';
  return requirement(
    { kind: 'authorizationDetails', type, predicate },
    options,
    isType ? problem : 'has no type. Write a non-empty string.',
  );
}

function requireAuthorities(kind: AuthorityKind, given: Names): RequirementDecorator {
  const { names, options } = namesAndOptions<RequirementOptions>(given);
  return requirement({ kind, names }, options, problemOfNames(kind, names));
}

function namesAndOptions<Options extends object>(given: readonly unknown[]) {
  const last = given.at(-1);
  const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
  const names = (hasOptions ? given.slice(0, -1) : given) as readonly string[];
  return { names, options: (hasOptions ? last : {}) as Partial<Options> };
}

/** A misspelled option would be silently ignored, and `reportOnly: 'false'` would admit every caller. */
function problemOfOptions(options: RequirementOptions): string | undefined {
  const unknown = Object.keys(options).find((name) => !['merge', 'reportOnly'].includes(name));
  if (unknown !== undefined) return `has no option ${JSON.stringify(unknown)}`;
  const areBooleans = Object.values(options).every((value) => value === undefined || typeof value === 'boolean');
  return areBooleans ? undefined : 'has an option that is not a boolean. Write true or false as merge and reportOnly.';
}

type WithoutOptions<Any> = Any extends unknown ? Omit<Any, keyof RequirementOptions> : never;

/** @param problem what is wrong with the other arguments of the decorator. */
function requirement(
  own: WithoutOptions<NestRequirement>,
  options: RequirementOptions,
  problem: string | undefined,
): RequirementDecorator {
  const message = problemOfOptions(options) ?? problem;
  // Thrown while the class is defined, so that the application does not start.
  if (message !== undefined) throw new ConfigurationError([{ path: `@${REQUIREMENTS[own.kind].decorator}`, message }]);
  const { merge = false, reportOnly = false } = ownMembers(options);
  const declared = Object.freeze({ ...own, merge, reportOnly }) as NestRequirement;
  return listDecorator(REQUIREMENTS_KEY, declared);
}

const REQUIREMENTS_KEY = 'nestjs-resource-server:require';

/** Returns the requirements of a class. It inherits those of its base classes unless its own replace them. */
export function requirementsOfClass(type: object): readonly NestRequirement[] {
  return combined(listsOfClass(REQUIREMENTS_KEY, type));
}

/** Returns the requirements of a method. A method that overrides another inherits its requirements unless its own replace them. */
export function requirementsOfMethod({ prototype }: { readonly prototype: object }, name: string) {
  return combined(listsOfMethod(REQUIREMENTS_KEY, prototype, name));
}

/** Returns whether the class itself, or one of its methods itself, declares a requirement. */
export function hasOwnRequirements(type: { readonly prototype: object }, name?: string): boolean {
  const lists =
    name === undefined ? listsOfClass(REQUIREMENTS_KEY, type) : listsOfMethod(REQUIREMENTS_KEY, type.prototype, name);
  return (lists[0] ?? []).length > 0;
}

/** Requirements replace only those of the same kind. */
function combined(lists: readonly (readonly unknown[])[]): readonly NestRequirement[] {
  return REQUIREMENT_KINDS.flatMap((kind) => ofKind(kind, lists as readonly (readonly NestRequirement[])[]));
}

function ofKind(
  kind: RequirementKind,
  [list, ...inherited]: readonly (readonly NestRequirement[])[],
): readonly NestRequirement[] {
  if (list === undefined) return [];
  const own = list.filter((requirement) => requirement.kind === kind);
  return replaceOuter(own) ? own : [...ofKind(kind, inherited), ...own];
}

type Combination = CombinedPolicy<ExecutionContext>;

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
