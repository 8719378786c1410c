import { type DynamicModule, Logger, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { AuthError } from '../model/errors.js';
import { ReportedRefusals } from '../access/reported-refusals.js';
import { OPTION_NAMES, resolveOptions, type ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { AuthGuard } from './auth.guard.js';
import { AuthMiddleware } from './auth.middleware.js';
import type { AuthOptions } from './auth-options.js';
import { SocketAuthenticator } from './sockets/socket-authenticator.js';
import { ConnectionExpiry } from './transports/connection-expiry.js';
import type { NestRequirement } from './routes/requirement.decorators.js';
import { RequirementChecker } from './routes/requirement-checker.js';
import { RouteMetadata } from './routes/route-metadata.js';
import { AuthEvents } from './auth-events.js';
import { RouteNames } from './routes/route-names.js';
import { RouteReporter } from './routes/route-reporter.js';
import { Telemetry } from './telemetry.js';
import { clientOf } from '../token/claims.js';
import { reportedRefusals } from './reported-refusals.js';
import {
  ASYNC_OPTIONS_TYPE,
  AUTH_EXTRAS,
  AUTH_OPTIONS,
  ConfigurableModuleClass,
  type AuthModuleExtras,
  isGuardClass,
} from './auth.module-definition.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeyHealth } from './key-health.js';
import { KeyHealthIndicator } from './key-health.indicator.js';
import { KeyLifecycle } from './key-lifecycle.js';

export const RESOLVED_OPTIONS = Symbol('nestjs-resource-server:resolved-options');

/** What other modules may have injected; `mockAuth` stands for all of it. */
export const EXPORTED = [
  JwtStrategy,
  AuthGuard,
  SocketAuthenticator,
  AuthMiddleware,
  AccessTokenVerifier,
  KeyHealth,
  KeyHealthIndicator,
  ReportedRefusals,
  AuthEvents,
  // What `@UseGuards(AuthGuard)` of another module needs to have injected.
  RouteMetadata,
  RequirementChecker,
  ConnectionExpiry,
];

/**
 * Makes the application an OAuth 2.0 resource server (RFC 6749 §1.1): every route is closed until a valid access token
 * opens it. Exports `JwtStrategy`, `AuthGuard`, `AccessTokenVerifier`, `SocketAuthenticator`, `AuthMiddleware`, `KeyHealth`,
 * `KeyHealthIndicator`, `ReportedRefusals` and `AuthEvents`.
 *
 * Imported without `forRoot`, the application does not start.
 */
@Module({
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: AuthOptions, extras: AuthModuleExtras) =>
        startWith(resolveOptions(options, { ...extras, guard: isGuardClass(extras.guard) ? 'global' : extras.guard })),
      inject: [AUTH_OPTIONS, AUTH_EXTRAS],
    },
    {
      provide: KeySourceRegistry,
      useFactory: (options: ResolvedOptions) => {
        const onProblem = (problem: string) => {
          new Logger('AuthModule').warn(problem);
        };
        return new KeySourceRegistry({ ...options, onProblem });
      },
      inject: [RESOLVED_OPTIONS],
    },
    {
      provide: AccessTokenVerifier,
      useFactory: (
        { issuers, clock, tokenCache }: ResolvedOptions,
        sources: KeySourceRegistry,
        reported: ReportedRefusals,
        telemetry: Telemetry,
      ) => {
        const onReport = (refusal: AuthError, { claims }: VerifiedAccessToken) => {
          reported.add(refusal, clientOf(claims));
        };
        return new AccessTokenVerifier(new TrustedIssuers(issuers, sources), clock, tokenCache, onReport, telemetry);
      },
      inject: [RESOLVED_OPTIONS, KeySourceRegistry, ReportedRefusals, Telemetry],
    },
    { provide: ReportedRefusals, useFactory: reportedRefusals },
    {
      provide: RouteMetadata,
      useFactory: ({ require }: ResolvedOptions) => new RouteMetadata(require as readonly NestRequirement[]),
      inject: [RESOLVED_OPTIONS],
    },
    {
      provide: RequirementChecker,
      useFactory: (moduleRef: ModuleRef, { clock }: ResolvedOptions, reported: ReportedRefusals) =>
        new RequirementChecker(moduleRef, clock, reported),
      inject: [ModuleRef, RESOLVED_OPTIONS, ReportedRefusals],
    },
    {
      provide: ConnectionExpiry,
      useFactory: ({ clock, connections }: ResolvedOptions) =>
        new ConnectionExpiry(clock, connections.renewalGraceSeconds),
      inject: [RESOLVED_OPTIONS],
    },
    {
      provide: KeyLifecycle,
      // After the verifier, which makes the key sources.
      useFactory: (sources: KeySourceRegistry, { warmUp }: ResolvedOptions) => new KeyLifecycle(sources, warmUp),
      inject: [KeySourceRegistry, RESOLVED_OPTIONS, AccessTokenVerifier],
    },
    RouteNames,
    AuthEvents,
    {
      provide: Telemetry,
      useFactory: ({ openTelemetry, issuers }: ResolvedOptions, events: AuthEvents, keys: KeyHealth) => {
        const listed = typeof issuers === 'function' ? [] : issuers.map(({ issuer }) => issuer);
        return new Telemetry(openTelemetry, events, keys, new Set(listed));
      },
      inject: [RESOLVED_OPTIONS, AuthEvents, KeyHealth],
    },
    KeyHealth,
    KeyHealthIndicator,
    {
      provide: JwtStrategy,
      useFactory: (verifier: AccessTokenVerifier, options: ResolvedOptions) => new JwtStrategy(verifier, options),
      inject: [AccessTokenVerifier, RESOLVED_OPTIONS],
    },
    AuthGuard,
    SocketAuthenticator,
    AuthMiddleware,
    RouteReporter,
  ],
  exports: EXPORTED,
})
export class AuthModule extends ConfigurableModuleClass {
  /**
   * @param options are checked when the application starts: all that is wrong with them in one `ConfigurationError`.
   */
  static override forRoot(options: AuthOptions & AuthModuleExtras): DynamicModule {
    const plain = plainOptions(options);
    const definition = super.forRoot(plain);
    const { guard: _guard, isGlobal: _isGlobal, ...ownOptions } = plain;
    // Nest copies only string keys. The check of a preset is under a symbol, so replace the copy.
    const providers = [...(definition.providers ?? []), { provide: AUTH_OPTIONS, useValue: ownOptions }];
    return { ...definition, providers };
  }

  /**
   * For options that other providers know (`ConfigService`, say): `useFactory` with `inject`, or `useClass` or
   * `useExisting` with a class that has `createAuthOptions()`.
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}

/**
 * Nest copies what an object has of its own. An object of a class may have a check as a method or a getter, which must not
 * get lost; so what is known by name is read by name. Without options it is said at start what is missing.
 */
function plainOptions(options: AuthOptions & AuthModuleExtras): AuthOptions & AuthModuleExtras {
  const given = Object.assign({}, options);
  for (const name of OPTION_NAMES) {
    const value: unknown = Reflect.get(Object(options) as object, name);
    if (value !== undefined) Object.assign(given, { [name]: value });
  }
  return given;
}

function startWith(options: ResolvedOptions): ResolvedOptions {
  const logger = new Logger('AuthModule');
  if (options.insecureAllowHttp) {
    logger.warn('insecureAllowHttp is on: keys that come over http can be replaced on the way');
  }
  const { explainRefusals } = options;
  // eslint-disable-next-line no-restricted-properties -- whether this is production is said nowhere else
  const isProduction = process.env.NODE_ENV === 'production';
  if (explainRefusals) {
    logger.warn(
      isProduction
        ? 'explainRefusals is on, but not used: with NODE_ENV=production callers are not told what the options expect'
        : 'explainRefusals is on: refusals tell callers what the options expect and what their token has',
    );
  }
  // Issuers of a resolver are not known yet.
  for (const { issuer, reportOnly } of typeof options.issuers === 'function' ? [] : options.issuers) {
    if (reportOnly === undefined) continue;
    logger.warn(`reportOnly is on for ${issuer}: nobody is refused for ${[...reportOnly.checks].join(', ')}`);
  }
  return isProduction ? { ...options, explainRefusals: false } : options;
}
