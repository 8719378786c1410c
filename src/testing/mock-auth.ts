import type { Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AuthModule, AUTH_PROVIDERS } from '../nest/auth.module.js';
import { GLOBAL_GUARD } from '../nest/auth.module-definition.js';
import { RESOLVED_OPTIONS, type RequireOptions } from '../nest/auth-options.js';
import { JwtStrategy } from '../nest/jwt.strategy.js';
import type { ClaimPaths } from '../options/options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { CALLER_PROPERTIES, type MockCaller, MockStrategy, MockVerifier } from './mock-caller.js';
import { checkProperties, DEFAULT_AUDIENCE, DEFAULT_ISSUER } from './test-token.js';

/** The options of an application that apply although no token is verified. */
export interface MockAuthOptions {
  /** Where the claims contain scopes, roles and permissions. Default as in `AuthModule`. */
  readonly claimPaths?: ClaimPaths;
  /** The requirements of every route, as the `require` option of `AuthModule`. Default: none. */
  readonly require?: RequireOptions;
}

const OPTIONS: readonly (keyof MockAuthOptions)[] = ['claimPaths', 'require'];

/**
 * Replaces `AuthModule` in the test of one controller: every request comes from the same caller, with or without a token. The guard
 * and the decorators are the real ones, so that a caller without a required scope gets 403.
 *
 * ```ts
 * Test.createTestingModule({
 *   controllers: [OrdersController],
 *   providers: [Orders, ...mockAuth({ sub: 'alice', scopes: ['read:orders'] })],
 * });
 * ```
 *
 * Everything that `AuthModule` exports can be injected in that module. For modules that it imports use
 * `AuthTestingModule.forCaller`. `AccessTokenVerifier` accepts any text as a token of this caller.
 *
 * No token is verified. To test what an application does with tokens, use `TestIssuer`.
 *
 * @param caller a function is called once for each request, once for each socket, and for each `AccessTokenVerifier.verify()`.
 * @param options can also be properties of a caller that is not a function.
 * @throws ConfigurationError for an unknown or invalid property.
 * @throws Error with `NODE_ENV=production`, and, when the module is compiled, if it also imports `AuthModule`.
 */
export function mockAuth(
  caller: (MockCaller & MockAuthOptions) | (() => MockCaller) = {},
  options: MockAuthOptions = {},
): Provider[] {
  // eslint-disable-next-line no-restricted-properties -- there is no other way to detect production
  if (process.env.NODE_ENV === 'production')
    throw new Error('mockAuth admits every request and is for tests: it does not work with NODE_ENV=production');
  const isFunction = typeof caller === 'function';
  const argument: MockCaller & MockAuthOptions = isFunction ? options : { ...options, ...caller };
  checkProperties('The argument of mockAuth()', argument, isFunction ? OPTIONS : [...CALLER_PROPERTIES, ...OPTIONS]);
  const { claimPaths, require, ...identity } = argument;
  const resolved = resolveOptions({ issuer: DEFAULT_ISSUER, audience: DEFAULT_AUDIENCE, claimPaths, require });
  const [issuer] = resolved.issuers as readonly [ResolvedIssuer];
  const verifier = new MockVerifier(isFunction ? caller : identity, issuer);
  return [
    ...AUTH_PROVIDERS,
    { provide: RESOLVED_OPTIONS, useValue: resolved },
    { provide: AccessTokenVerifier, useValue: verifier },
    {
      provide: JwtStrategy,
      useFactory: (modules: ModulesContainer) => {
        rejectAuthModule(modules);
        return new MockStrategy(verifier, resolved);
      },
      inject: [ModulesContainer],
    },
    GLOBAL_GUARD,
  ];
}

function rejectAuthModule(modules: ModulesContainer): void {
  for (const { metatype } of modules.values()) {
    if (metatype === AuthModule || metatype.prototype instanceof AuthModule)
      throw new Error(
        'mockAuth replaces AuthModule, but the tested module imports AuthModule as well, whose guard refuses requests without ' +
          'a token. Remove one of them, or use a TestIssuer (withTestIssuer).',
      );
  }
}
