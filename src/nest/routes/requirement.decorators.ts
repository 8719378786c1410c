import type { ExecutionContext } from '@nestjs/common';
import { takePlace } from '../../access/effective-requirements.js';
import { isPolicyReference, NOT_A_POLICY } from '../../model/policy.js';
import { ConfigurationError } from '../../model/errors.js';
import {
  type AuthorizationDetail,
  type GrantKind,
  problemOfMaxAge,
  problemOfNames,
  type Requirement,
  type RequirementKind,
} from '../../model/requirement.js';
import type { PolicyReference } from '../auth-options.js';

export type NestRequirement = Requirement<ExecutionContext>;

/** How a requirement stands to others, and whether it is enforced. */
export interface RequirementOptions {
  /**
   * On a handler: adds to what its class requires of the same kind (of the same decorator, that is), in place of taking
   * its place; on a class: to what its base class requires. Default false.
   */
  readonly merge?: boolean;
  /**
   * A call that does not meet it passes; it is counted and logged by client (`ReportedRefusals`). It takes the place of no
   * requirement that is enforced. Default false.
   */
  readonly reportOnly?: boolean;
}

/** Stands on a handler or on a class. */
export type RequirementDecorator = ClassDecorator & MethodDecorator;

type Names = [...names: string[]] | [...names: string[], options: RequirementOptions];

/**
 * The token must grant all of these scopes (RFC 6749 §3.3). Otherwise 403 `insufficient_scope` (SCOPE_INSUFFICIENT), with
 * the scopes of the route in the challenge. Where they stand in the token: `claimPaths.scopes`.
 */
export function RequireScopes(...scopes: Names): RequirementDecorator {
  return grants('scopes', 'RequireScopes', scopes);
}

/** The token must grant one of these scopes. See {@link RequireScopes}. */
export function RequireAnyScope(...scopes: Names): RequirementDecorator {
  return grants('anyScope', 'RequireAnyScope', scopes);
}

/** The caller must have all of these roles. Otherwise 403 ROLE_INSUFFICIENT. Where they stand: `claimPaths.roles`. */
export function RequireRoles(...roles: Names): RequirementDecorator {
  return grants('roles', 'RequireRoles', roles);
}

/** The caller must have one of these roles. See {@link RequireRoles}. */
export function RequireAnyRole(...roles: Names): RequirementDecorator {
  return grants('anyRole', 'RequireAnyRole', roles);
}

/**
 * The caller must have all of these permissions. Otherwise 403 PERMISSION_INSUFFICIENT. Where they stand:
 * `claimPaths.permissions`.
 */
export function RequirePermissions(...permissions: Names): RequirementDecorator {
  return grants('permissions', 'RequirePermissions', permissions);
}

/** The caller must have one of these permissions. See {@link RequirePermissions}. */
export function RequireAnyPermission(...permissions: Names): RequirementDecorator {
  return grants('anyPermission', 'RequireAnyPermission', permissions);
}

/**
 * This policy must admit the caller. Otherwise 403 POLICY_DENIED. Policies are asked last, after every other requirement
 * of the route.
 */
export function RequirePolicy(policy: PolicyReference, options: RequirementOptions = {}): RequirementDecorator {
  const problem = isPolicyReference(policy) ? problemOfOptions(options) : NOT_A_POLICY;
  return requirement('RequirePolicy', problem, { kind: 'policy', policy, ...commonOf(options) });
}

/**
 * The user must have been authenticated in one of these ways (the claim `acr`), and not longer ago than `maxAgeSeconds`
 * (the claim `auth_time`); without a value only that is asked. Otherwise 401 `insufficient_user_authentication` with
 * `acr_values` and `max_age`, which tells the client what to ask the authorization server for (RFC 9470 §3).
 */
export function RequireAcr(
  ...values: [...values: string[]] | [...values: string[], options: RequirementOptions & { maxAgeSeconds?: number }]
): RequirementDecorator {
  const { names, options } = namesAndOptions<RequirementOptions & { maxAgeSeconds?: number }>(values);
  const { maxAgeSeconds } = options;
  const isEmpty = names.length === 0 && maxAgeSeconds === undefined;
  const problem = isEmpty ? 'must name a value, or maxAgeSeconds' : problemOfNames('acr', names);
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
 * for; without a predicate its type suffices. Otherwise 403 AUTHORIZATION_DETAILS_INSUFFICIENT. Nothing but `type` is
 * checked of the object before the predicate gets it.
 */
export function RequireAuthorizationDetails(
  type: string,
  predicate?: (detail: AuthorizationDetail, context: ExecutionContext) => boolean | Promise<boolean>,
  options: RequirementOptions = {},
): RequirementDecorator {
  const isType = typeof (type as unknown) === 'string' && type.trim() !== '';
  const isPredicate = predicate === undefined || typeof (predicate as unknown) === 'function';
  const problem = isType ? (isPredicate ? undefined : 'must have a function as predicate') : 'must name a type';
  return requirement('RequireAuthorizationDetails', problem ?? problemOfOptions(options), {
    kind: 'authorizationDetails',
    type,
    predicate,
    ...commonOf(options),
  });
}

function grants(kind: GrantKind, decorator: string, given: Names): RequirementDecorator {
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

/** A name that nobody reads is a check that somebody believes in, and `reportOnly: 'false'` would let everybody pass. */
function problemOfOptions(options: object, others: readonly string[] = []): string | undefined {
  const unknown = Object.keys(options).find((name) => !['merge', 'reportOnly', ...others].includes(name));
  if (unknown !== undefined) return `has no option ${JSON.stringify(unknown)}`;
  const { merge, reportOnly } = options as RequirementOptions;
  const areBooleans = [merge, reportOnly].every((value) => value === undefined || typeof value === 'boolean');
  return areBooleans ? undefined : 'must have booleans as merge and reportOnly';
}

function requirement(decorator: string, problem: string | undefined, made: NestRequirement): RequirementDecorator {
  // Thrown while the class is being made: the application does not start.
  if (problem !== undefined) throw new ConfigurationError([{ path: `@${decorator}`, message: problem }]);
  Object.freeze(made);
  return ((target: object, _key?: string | symbol, descriptor?: TypedPropertyDescriptor<unknown>) => {
    const holder = descriptor?.value ?? target;
    const key = keyOf(made.kind);
    const others = (Reflect.getOwnMetadata(key, holder) ?? []) as readonly NestRequirement[];
    // Decorators are applied from the bottom up; kept in the order in which they are read.
    Reflect.defineMetadata(key, Object.freeze([made, ...others]), holder);
  }) as RequirementDecorator;
}

// One for each kind: what a subclass requires takes the place of its base class's requirements of the same kind only.
function keyOf(kind: RequirementKind): string {
  return `nestjs-resource-server:require:${kind}`;
}

/** What was written on a handler or a class; a class has what its base classes have, unless its own takes the place of it. */
export function requirementsOn(holder: object, kinds: readonly RequirementKind[]): readonly NestRequirement[] {
  return kinds.flatMap((kind) => writtenOn(holder, keyOf(kind)));
}

function writtenOn(holder: object, key: string): readonly NestRequirement[] {
  const own = (Reflect.getOwnMetadata(key, holder) ?? []) as readonly NestRequirement[];
  const base = Reflect.getPrototypeOf(holder);
  return base === null || takePlace(own) ? own : [...writtenOn(base, key), ...own];
}
