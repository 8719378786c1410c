import type { ExecutionContext } from '@nestjs/common';
import type { Policy, PolicyReference as AnyPolicyReference } from '../model/policy.js';
import type { RequireOptions as AnyRequireOptions, ResourceServerOptions } from '../options/options.js';
import type { TokenReader as AnyTokenReader } from '../options/token-places.js';
import type { RegisteredUser } from '../options/options.js';

/**
 * The options of `AuthModule`. Required: `issuer` and `audience`, or `issuers`; everything else has a default. They are checked
 * at start, and all problems are reported in one `ConfigurationError`. An unknown option is a problem.
 */
export type AuthOptions<User = RegisteredUser> = ResourceServerOptions<User, ExecutionContext>;

/**
 * A policy class has the method `allows(token, context)`, which decides whether the caller may make this call. It is an injectable
 * provider of the application, may be async, and may load what the call is about:
 * `context.switchToHttp().getRequest()`.
 *
 * Only `true` grants access. `false` refuses with 403 POLICY_DENIED, and an `AuthError` refuses with its code. Other errors are
 * rethrown, because an unavailable database is not the caller's fault. Guests are refused before (401).
 */
export type AccessPolicy = Policy<ExecutionContext>;

/** A policy class, a function, or a combination of several by `allOf`, `anyOf` and `not`. */
export type PolicyReference = AnyPolicyReference<ExecutionContext>;

export type RequireOptions = AnyRequireOptions<ExecutionContext>;

export type TokenReader = AnyTokenReader<ExecutionContext>;

/** The injection token of the options after validation, with defaults. */
export const RESOLVED_OPTIONS = Symbol('nestjs-resource-server:resolved-options');
