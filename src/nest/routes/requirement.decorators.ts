import type { ExecutionContext } from '@nestjs/common';
import { replaceOuter } from '../../access/effective-requirements.js';
import { isPolicyReference, NOT_A_POLICY } from '../../model/policy.js';
import { ConfigurationError } from '../../model/errors.js';
import {
  type AuthorizationDetail,
  type AuthorityKind,
  problemOfMaxAge,
  problemOfNames,
  type Requirement,
  type RequirementKind,
} from '../../model/requirement.js';
import type { PolicyReference } from '../auth-options.js';

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

type Names = [...names: string[]] | [...names: string[], options: RequirementOptions];

/**
 * The token must grant all of these scopes (RFC 6749 §3.3). Otherwise 403 `insufficient_scope` (SCOPE_INSUFFICIENT), with
 * the scopes of the route in the challenge. The claims that contain scopes: `claimPaths.scopes`.
 */
export function RequireScopes(...scopes: Names): RequirementDecorator {
  return authorities('scopes', 'RequireScopes', scopes);
}

/** The token must grant one of these scopes. See {@link RequireScopes}. */
export function RequireAnyScope(...scopes: Names): RequirementDecorator {
  return authorities('anyScope', 'RequireAnyScope', scopes);
}

/** The caller must have all of these roles. Otherwise 403 ROLE_INSUFFICIENT. Their claims: `claimPaths.roles`. */
export function RequireRoles(...roles: Names): RequirementDecorator {
  return authorities('roles', 'RequireRoles', roles);
}

/** The caller must have one of these roles. See {@link RequireRoles}. */
export function RequireAnyRole(...roles: Names): RequirementDecorator {
  return authorities('anyRole', 'RequireAnyRole', roles);
}

/**
 * The caller must have all of these permissions. Otherwise 403 PERMISSION_INSUFFICIENT. Their claims:
 * `claimPaths.permissions`.
 */
export function RequirePermissions(...permissions: Names): RequirementDecorator {
  return authorities('permissions', 'RequirePermissions', permissions);
}

/** The caller must have one of these permissions. See {@link RequirePermissions}. */
export function RequireAnyPermission(...permissions: Names): RequirementDecorator {
  return authorities('anyPermission', 'RequireAnyPermission', permissions);
}

/**
 * This policy must grant access. Otherwise 403 POLICY_DENIED. Policies are evaluated last, after every other requirement of the
 * route.
 */
export function RequirePolicy(policy: PolicyReference, options: RequirementOptions = {}): RequirementDecorator {
  const problem = isPolicyReference(policy) ? problemOfOptions(options) : NOT_A_POLICY;
  return requirement('RequirePolicy', problem, { kind: 'policy', policy, ...commonOf(options) });
}

/**
 * The user must have been authenticated in one of these ways (the claim `acr`), and not longer ago than `maxAgeSeconds`
 * (the claim `auth_time`). Without a value only the time is checked. Otherwise 401 `insufficient_user_authentication` with
 * `acr_values` and `max_age`, which the client passes to the authorization server (RFC 9470 §3).
 */
export function RequireAcr(
  ...values: [...values: string[]] | [...values: string[], options: RequirementOptions & { maxAgeSeconds?: number }]
): RequirementDecorator {
  const { names, options } = namesAndOptions<RequirementOptions & { maxAgeSeconds?: number }>(values);
  const { maxAgeSeconds } = options;
  const isEmpty = names.length === 0 && maxAgeSeconds === undefined;
  const problem = isEmpty ? 'is empty. Write a value, or maxAgeSeconds.' : problemOfNames('acr', names);
  return requirement(
    'RequireAcr',
    problemOfOptions(options, ['maxAgeSeconds']) ?? problem ?? problemOfMaxAge(maxAgeSeconds),
    {
      kind: 'acr',
      values: names as string[],
      maxAgeSeconds,
      ...commonOf(options),
    },
  );
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
  const problem = isType
    ? isPredicate
      ? undefined
      : 'has a predicate that is not a function. Write a function.'
    : 'has no type. Write a non-empty string.';
  return requirement('RequireAuthorizationDetails', problem ?? problemOfOptions(options), {
    kind: 'authorizationDetails',
    type,
    predicate,
    ...commonOf(options),
  });
}

function authorities(kind: AuthorityKind, decorator: string, given: Names): RequirementDecorator {
  const { names, options } = namesAndOptions<RequirementOptions>(given);
  const problem = problemOfOptions(options) ?? problemOfNames(kind, names);
  return requirement(decorator, problem, { kind, names: names as string[], ...commonOf(options) });
}

function namesAndOptions<Options extends object>(
  given: readonly unknown[],
): {
  names: readonly unknown[];
  options: Partial<Options>;
} {
  const last = given.at(-1);
  const hasOptions = typeof last === 'object' && last !== null && !Array.isArray(last);
  return hasOptions ? { names: given.slice(0, -1), options: last } : { names: given, options: {} };
}

function commonOf({ merge = false, reportOnly = false }: RequirementOptions) {
  return { merge, reportOnly };
}

/** A misspelled option would be silently ignored, and `reportOnly: 'false'` would admit every caller. */
function problemOfOptions(options: object, others: readonly string[] = []): string | undefined {
  const unknown = Object.keys(options).find((name) => !['merge', 'reportOnly', ...others].includes(name));
  if (unknown !== undefined) return `has no option ${JSON.stringify(unknown)}`;
  const { merge, reportOnly } = options as RequirementOptions;
  const areBooleans = [merge, reportOnly].every((value) => value === undefined || typeof value === 'boolean');
  return areBooleans ? undefined : 'has an option that is not a boolean. Write true or false as merge and reportOnly.';
}

function requirement(decorator: string, problem: string | undefined, declared: NestRequirement): RequirementDecorator {
  // Thrown while the class is defined, so that the application does not start.
  if (problem !== undefined) throw new ConfigurationError([{ path: `@${decorator}`, message: problem }]);
  Object.freeze(declared);
  return ((target: object, _key?: string | symbol, descriptor?: TypedPropertyDescriptor<unknown>) => {
    const holder = descriptor?.value ?? target;
    const key = keyOf(declared.kind);
    const others = (Reflect.getOwnMetadata(key, holder) ?? []) as readonly NestRequirement[];
    // Decorators are applied from the bottom up. Keep the order of the source.
    Reflect.defineMetadata(key, Object.freeze([declared, ...others]), holder);
  }) as RequirementDecorator;
}

// One key for each kind: a subclass replaces only the requirements of the same kind of its base class.
function keyOf(kind: RequirementKind): string {
  return `nestjs-resource-server:require:${kind}`;
}

/** Returns the requirements declared on a handler or a class. A class inherits those of its base classes unless its own replace them. */
export function requirementsOn(holder: object, kinds: readonly RequirementKind[]): readonly NestRequirement[] {
  return kinds.flatMap((kind) => declaredOn(holder, keyOf(kind)));
}

function declaredOn(holder: object, key: string): readonly NestRequirement[] {
  const own = (Reflect.getOwnMetadata(key, holder) ?? []) as readonly NestRequirement[];
  const base = Reflect.getPrototypeOf(holder);
  return base === null || replaceOuter(own) ? own : [...declaredOn(base, key), ...own];
}
