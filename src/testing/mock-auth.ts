import type { Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { AuthModule, AUTH_PROVIDERS } from '../nest/auth.module.js';
import { GLOBAL_GUARD } from '../nest/auth.module-definition.js';
import { RESOLVED_OPTIONS, type RequireOptions } from '../nest/auth-options.js';
import type { ClaimPaths } from '../options/options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { resolveOptions } from '../options/resolve-options.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { checkMembers } from './known-members.js';
import { CALLER_MEMBERS, type MockCaller, MockVerifier } from './mock-caller.js';
import { DEFAULT_AUDIENCE, DEFAULT_ISSUER } from './test-issuer-options.js';

/** The options of an application that apply although no token is verified. */
export interface MockAuthOptions {
  /** Where the claims contain scopes, roles and permissions, if the application configures it. */
  readonly claimPaths?: ClaimPaths;
  /** What every caller must be permitted. */
  readonly require?: RequireOptions;
}

const OPTIONS: Readonly<Record<keyof MockAuthOptions, true>> = { claimPaths: true, require: true };

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
 * @param caller a function is called once for each request and for each socket; `claimPaths` and `require` are then the second argument.
 * @throws Error for an unknown member, and with `NODE_ENV=production`. When the module is compiled: if it also imports
 * `AuthModule`, whose guard would refuse every request.
 */
export function mockAuth(
  caller: (MockCaller & MockAuthOptions) | (() => MockCaller) = {},
  options: MockAuthOptions = {},
): Provider[] {
  // eslint-disable-next-line no-restricted-properties -- there is no other way to detect production
  if (process.env.NODE_ENV === 'production')
    throw new Error('mockAuth admits every request and is for tests: it does not work with NODE_ENV=production');
  checkMembers('The options of mockAuth()', options, OPTIONS);
  const own = typeof caller === 'function' ? {} : caller;
  checkMembers('The caller of mockAuth()', own, { ...CALLER_MEMBERS, ...OPTIONS });
  const { claimPaths, require, ...only } = { ...options, ...own };
  const resolved = resolveOptions({ issuer: DEFAULT_ISSUER, audience: DEFAULT_AUDIENCE, claimPaths, require });
  const [issuer] = resolved.issuers as readonly [ResolvedIssuer];
  const verifier = new MockVerifier(typeof caller === 'function' ? caller : only, issuer);
  return [
    ...AUTH_PROVIDERS,
    { provide: AccessTokenVerifier, useValue: verifier },
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (modules: ModulesContainer) => {
        rejectAuthModule(modules);
        return { ...resolved, tokenFrom: [verifier.present], user: verifier.userOf };
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
        'mockAuth replaces AuthModule, but this module imports AuthModule as well, whose guard would refuse the requests of ' +
          'the test: remove one of them, or use a TestIssuer in the application (withTestIssuer)',
      );
  }
}
