import type { Provider } from '@nestjs/common';
import { APP_GUARD, ModuleRef, ModulesContainer } from '@nestjs/core';
import { ReportedRefusals } from '../access/reported-refusals.js';
import { AuthGuard } from '../nest/auth.guard.js';
import { AuthMiddleware } from '../nest/auth.middleware.js';
import { AuthModule } from '../nest/auth.module.js';
import type { RequireOptions } from '../nest/auth-options.js';
import { SocketAuthenticator } from '../nest/sockets/socket-authenticator.js';
import { ConnectionExpiry } from '../nest/transports/connection-expiry.js';
import { JwtStrategy } from '../nest/jwt.strategy.js';
import { KeyHealth } from '../nest/key-health.js';
import { KeyHealthIndicator } from '../nest/key-health.indicator.js';
import { AuthEvents } from '../nest/auth-events.js';
import { reportedRefusals } from '../nest/reported-refusals.js';
import type { NestRequirement } from '../nest/routes/requirement.decorators.js';
import { RequirementChecker } from '../nest/routes/requirement-checker.js';
import { RouteMetadata } from '../nest/routes/route-metadata.js';
import { RouteNames } from '../nest/routes/route-names.js';
import type { ClaimPaths } from '../options/options.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { resolveOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { checkMembers } from './known-members.js';
import { CALLER_MEMBERS, type MockCaller, MockedTokens } from './mock-caller.js';
import { MockStrategy } from './mock-strategy.js';
import { MockVerifier } from './mock-verifier.js';
import { DEFAULT_AUDIENCE, DEFAULT_ISSUER } from './test-issuer-options.js';

/** What of an application's options counts where nothing is verified. */
export interface MockAuthOptions {
  /** Where the claims say what the caller may do, if the application has paths of its own. */
  readonly claimPaths?: ClaimPaths;
  /** What every caller must be allowed to. */
  readonly require?: RequireOptions;
}

const OPTIONS: Readonly<Record<keyof MockAuthOptions, true>> = { claimPaths: true, require: true };

/**
 * For the test of one controller, in the place of `AuthModule`: every request comes from the same caller, whether it has a
 * token or not. The guard and the decorators are the real ones: who lacks a scope gets 403.
 *
 * ```ts
 * Test.createTestingModule({
 *   controllers: [OrdersController],
 *   providers: [Orders, ...mockAuth({ sub: 'alice', scopes: ['read:orders'] })],
 * });
 * ```
 *
 * What `AuthModule` exports can be injected in that module; for modules that it imports there is
 * `AuthTestingModule.forCaller`. `AccessTokenVerifier` takes any text for a token of this caller.
 *
 * Nothing is verified: what an application does with tokens is tested with `TestIssuer`.
 *
 * @param caller a function is asked once for each request, and for each socket. Then `claimPaths` and `require` come after it.
 * @throws Error for a member that there is not, and with `NODE_ENV=production`; when it is compiled, beside `AuthModule`, whose guard would refuse every request.
 */
export function mockAuth(
  caller: (MockCaller & MockAuthOptions) | (() => MockCaller) = {},
  options: MockAuthOptions = {},
): Provider[] {
  // eslint-disable-next-line no-restricted-properties -- whether this is production is said nowhere else
  if (process.env.NODE_ENV === 'production')
    throw new Error('mockAuth lets everybody in, and is for tests: it is not used with NODE_ENV=production');
  checkMembers('The options of mockAuth()', options, OPTIONS);
  const own = typeof caller === 'function' ? {} : caller;
  checkMembers('The caller of mockAuth()', own, { ...CALLER_MEMBERS, ...OPTIONS });
  const { claimPaths, require, ...who } = { ...options, ...own };
  const resolved = resolveOptions({ issuer: DEFAULT_ISSUER, audience: DEFAULT_AUDIENCE, claimPaths, require });
  const [issuer] = resolved.issuers as readonly [ResolvedIssuer];
  const tokens = new MockedTokens(typeof caller === 'function' ? caller : who, issuer);
  // Of no issuer: nobody is asked.
  const sources = new KeySourceRegistry({ ...resolved, onProblem: () => undefined });
  return [
    {
      provide: JwtStrategy,
      useFactory: (modules: ModulesContainer) => {
        refuseBesideAuthModule(modules);
        return new MockStrategy(tokens);
      },
      inject: [ModulesContainer],
    },
    { provide: AccessTokenVerifier, useFactory: () => new MockVerifier(tokens, sources) },
    { provide: KeyHealth, useFactory: () => new KeyHealth(sources) },
    KeyHealthIndicator,
    { provide: ReportedRefusals, useFactory: reportedRefusals },
    { provide: RouteMetadata, useFactory: () => new RouteMetadata(resolved.require as readonly NestRequirement[]) },
    {
      provide: RequirementChecker,
      useFactory: (moduleRef: ModuleRef, reported: ReportedRefusals) =>
        new RequirementChecker(moduleRef, resolved.clock, reported),
      inject: [ModuleRef, ReportedRefusals],
    },
    { provide: ConnectionExpiry, useFactory: () => new ConnectionExpiry(resolved.clock, 0) },
    RouteNames,
    AuthEvents,
    AuthGuard,
    SocketAuthenticator,
    AuthMiddleware,
    { provide: APP_GUARD, useExisting: AuthGuard },
  ];
}

function refuseBesideAuthModule(modules: ModulesContainer): void {
  for (const { metatype } of modules.values()) {
    if (metatype === AuthModule || metatype.prototype instanceof AuthModule)
      throw new Error(
        'mockAuth stands in the place of AuthModule, which this module imports, too, and whose guard would refuse the requests of ' +
          'the test: take one of both away, or plug a TestIssuer into the application (withTestIssuer)',
      );
  }
}
