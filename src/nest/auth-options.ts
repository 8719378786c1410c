import type { ExecutionContext } from '@nestjs/common';
import type { Policy, PolicyReference as AnyPolicyReference } from '../model/policy.js';
import type { RequireOptions as AnyRequireOptions, ResourceServerOptions } from '../options/options.js';
import type { TokenReader as AnyTokenReader } from '../options/token-places.js';
import type { RegisteredUser } from '../model/registered-user.js';

/**
 * The options of `AuthModule`. `issuer` and `audience`, or `issuers`; everything else has a default. Checked at start,
 * all problems in one `ConfigurationError`; an unknown option is a problem.
 */
export type AuthOptions<User = RegisteredUser> = ResourceServerOptions<User, ExecutionContext>;

/**
 * What a policy class has: `allows(token, context)`, which says whether this caller may do what he asks for. It is taken
 * from the application's providers, may be async, and load what the call is about: `context.switchToHttp().getRequest()`.
 *
 * Only `true` admits. To refuse: `false` (403 POLICY_DENIED), or an `AuthError` of your choice; any other error is thrown
 * on, since a database that is down is not the caller's fault. A guest is refused before (401).
 */
export type AccessPolicy = Policy<ExecutionContext>;

/** A policy class, a function, or several of them combined by `allOf`, `anyOf` and `not`. */
export type PolicyReference = AnyPolicyReference<ExecutionContext>;

export type RequireOptions = AnyRequireOptions<ExecutionContext>;

export type TokenReader = AnyTokenReader<ExecutionContext>;
