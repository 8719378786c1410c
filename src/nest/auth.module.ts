import { type DynamicModule, Logger, Module, type Provider } from '@nestjs/common';
import { type ReportedRefusal, ReportedRefusals } from '../access/reported-refusals.js';
import type { VerifiedAccessToken } from '../model/access-token.js';
import { type AuthError, ConfigurationError } from '../model/errors.js';
import { escapeUnprintable, quoted } from '../model/printable-text.js';
import { ownMembers } from '../model/unknown-value.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import { EXTRA_DEFAULTS, resolveOptions, type ResolvedOptions } from '../options/resolve-options.js';
import { KeySourceRegistry } from '../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../token/access-token-verifier.js';
import { clientOf } from '../token/claims.js';
import { TrustedIssuers } from '../token/trusted-issuers.js';
import { AuthEvents } from './auth-events.js';
import { AuthGuard } from './auth.guard.js';
import { AuthMiddleware } from './auth.middleware.js';
import {
  type ASYNC_OPTIONS_TYPE,
  AUTH_EXTRAS,
  AUTH_OPTIONS,
  type AuthModuleExtras,
  ConfigurableModuleClass,
  isReplacement,
} from './auth.module-definition.js';
import { type AuthOptions, RESOLVED_OPTIONS } from './auth-options.js';
import { GuardInstallation } from './guard-installation.js';
import { JwtStrategy } from './jwt.strategy.js';
import { KeyHealth, KeyLifecycle } from './key-health.js';
import { ResourceMetadata } from './resources/resource-metadata.js';
import { CalledHandlers } from './routes/called-handlers.js';
import { RequirementChecker } from './routes/requirement-checker.js';
import { RouteMetadata } from './routes/route-metadata.js';
import { RouteReporter } from './routes/route-reporter.js';
import { SocketAuthenticator } from './sockets/socket-authenticator.js';
import { Telemetry } from './telemetry.js';
import { ConnectionExpiry } from './transports/connection-expiry.js';

const EXPORTED_CLASSES = [
  // The dependencies of the guard and the middleware: Nest creates the guard of `@UseGuards(AuthGuard)` in the module that uses it.
  RouteMetadata,
  RequirementChecker,
  ConnectionExpiry,
  ResourceMetadata,
  RouteReporter,
  AuthEvents,
  KeyHealth,
  JwtStrategy,
  AuthGuard,
  SocketAuthenticator,
  AuthMiddleware,
];

/** The providers that other modules can inject. `mockAuth` exports the same. */
export const EXPORTED = [...EXPORTED_CLASSES, RESOLVED_OPTIONS, AccessTokenVerifier, ReportedRefusals];

/** Everything that `AuthModule` provides, created from `RESOLVED_OPTIONS`. `mockAuth` replaces the verifier and the strategy in it. */
export const AUTH_PROVIDERS: readonly Provider[] = [
  {
    provide: KeySourceRegistry,
    useFactory: (options: ResolvedOptions) => {
      const onProblem = (problem: string) => {
        new Logger('AuthModule').warn(escapeUnprintable(problem));
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
  { provide: ReportedRefusals, useFactory: () => new ReportedRefusals(logReported) },
  ...EXPORTED_CLASSES,
  GuardInstallation,
  KeyLifecycle,
  Telemetry,
  CalledHandlers,
];

const WITHOUT_OPTIONS =
  'is imported without options. Write AuthModule.forRoot({ issuer, audience }) or AuthModule.forRootAsync({ … }), once, in the root module: the module is global.';

/**
 * Makes the application an OAuth 2.0 resource server (RFC 6749 §1.1): every route requires a valid access token unless a
 * decorator says otherwise. Exports `JwtStrategy`, `AuthGuard`, `AccessTokenVerifier`, `SocketAuthenticator`, `AuthMiddleware`,
 * `KeyHealth`, `ReportedRefusals` and `AuthEvents`.
 *
 * Imported without `forRoot` or `forRootAsync`, the application does not start.
 */
@Module({
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      useFactory: (options: AuthOptions, extras: Required<AuthModuleExtras> | undefined) => {
        // Without them, no method of the class has created the module.
        if (extras === undefined) throw new ConfigurationError([{ path: 'AuthModule', message: WITHOUT_OPTIONS }]);
        return startWith(resolveOptions(options, extras, isReplacement), undefinedOptions(options));
      },
      inject: [
        { token: AUTH_OPTIONS, optional: true },
        { token: AUTH_EXTRAS, optional: true },
      ],
    },
    ...AUTH_PROVIDERS,
  ],
  exports: EXPORTED,
})
export class AuthModule extends ConfigurableModuleClass {
  /** @param options are validated when the application starts. All problems are in one `ConfigurationError`. */
  static override forRoot(options: AuthOptions & AuthModuleExtras): DynamicModule {
    const given = Object(options) as typeof options;
    const { guard, strategy, isGlobal } = ownMembers(given);
    const definition = super.forRoot({ guard, strategy, isGlobal } as typeof options);
    // Not the copy of Nest, which has neither the check of a preset (a symbol) nor what a class inherits.
    const provider = { provide: AUTH_OPTIONS, useValue: given };
    return { ...definition, providers: [...(definition.providers ?? []), provider] };
  }

  /**
   * For options that depend on other providers such as `ConfigService`: `useFactory` with `inject`, or `useClass` or `useExisting` with
   * a class that has `createAuthOptions()`.
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    const problems = Object.keys(options)
      .filter((name) => !ASYNC_NAMES.includes(name))
      .map((path) => ({ path, message: 'has no effect beside the factory. Return it from the factory.' }));
    if (problems.length > 0) throw new ConfigurationError(problems);
    return super.forRootAsync(options);
  }
}

const ASYNC_NAMES: readonly string[] = [
  ...Object.keys(EXTRA_DEFAULTS),
  ...['useFactory', 'useClass', 'useExisting', 'inject', 'imports', 'provideInjectionTokensFrom'],
];

const WEAKENED_IF_UNDEFINED: readonly string[] = ['guard', 'strategy', 'validate', 'user', 'require'];

/** Returns the options that are present but undefined, as a circular import leaves a class or a function. */
function undefinedOptions(options: AuthOptions): readonly string[] {
  const issuers: readonly object[] = Array.isArray(options.issuers) ? options.issuers : [];
  const given = [options, ...issuers].flatMap((each) => Object.entries(each));
  return given
    .filter(([name, value]) => value === undefined && WEAKENED_IF_UNDEFINED.includes(name))
    .map(([name]) => name);
}

/**
 * Logs every option that weakens the verification, and copies of this package.
 * @param undefinedNames options that are present but undefined.
 */
function startWith(options: ResolvedOptions, undefinedNames: readonly string[]): ResolvedOptions {
  const logger = new Logger('AuthModule');
  for (const name of undefinedNames)
    logger.warn(
      `The option ${name} is undefined, for example because of a circular import, so it has no effect: set it, or remove it`,
    );
  const copies = warningOfCopies();
  if (copies !== undefined) logger.warn(copies);
  if (options.insecureAllowHttp)
    logger.warn('insecureAllowHttp is on: keys that are fetched over http can be replaced on the network path');
  // eslint-disable-next-line no-restricted-properties -- there is no other way to detect production
  const isProduction = process.env.NODE_ENV === 'production';
  if (options.explainRefusals)
    logger.warn(
      isProduction
        ? 'explainRefusals is on but not used, because NODE_ENV is production: it would reveal the expected values to callers'
        : 'explainRefusals is on: responses tell callers what the options expect and what their token has',
    );
  const { main, byPath } = options.resources;
  const unnamed = [main, ...byPath.values()].find((each) => each && each.authorizationServers === undefined);
  if (typeof options.issuers === 'function' && unnamed !== undefined)
    logger.warn(
      `The metadata of ${unnamed.identifier} names no authorization server, because \`issuers\` is a function: set \`authorizationServers\`, which MCP clients need`,
    );
  const issuers = withWarnings(options.issuers, (warning) => {
    logger.warn(warning);
  });
  return { ...options, issuers, explainRefusals: options.explainRefusals && !isProduction };
}

/** Warns of configured issuers now. For issuers that a function returns, warns when the first one has the option. */
function withWarnings(issuers: ResolvedOptions['issuers'], warn: (warning: string) => void): typeof issuers {
  if (typeof issuers !== 'function') {
    for (const issuer of issuers) for (const warning of warningsOf(issuer).values()) warn(warning);
    return issuers;
  }
  const warned = new Set<string>();
  return async (name) => {
    const issuer = await issuers(name);
    if (issuer === undefined) return issuer;
    for (const [option, warning] of warningsOf(issuer)) {
      if (warned.has(option)) continue;
      warned.add(option);
      warn(`${warning} (only the first of such issuers is logged)`);
    }
    return issuer;
  };
}

/** Returns a line for each option that switches off a check of the issuer. */
function warningsOf(options: ResolvedIssuer): ReadonlyMap<string, string> {
  const { issuer, names, audience, idTokens, padding, reportOnly } = options;
  const reported = [...reportOnly].join(', ');
  const rows: readonly (readonly [isWeakened: boolean, option: string, warning: string])[] = [
    [
      names.length === 0,
      'issuer',
      `is null: tokens without \`iss\` are accepted if a key of ${issuer} has signed them`,
    ],
    [audience === null, 'audience', `is null for ${issuer}: tokens of this issuer for other APIs are accepted`],
    [idTokens === 'accept', 'idTokens', `is 'accept' for ${issuer}: ID tokens are accepted as access tokens`],
    [padding === 'accept', 'padding', `is 'accept' for ${issuer}: tokens that RFC 7515 does not allow are accepted`],
    [reportOnly.size > 0, 'reportOnly', `is on for ${issuer}: no token is rejected for ${reported}`],
  ];
  const weakened = rows.filter(([isWeakened]) => isWeakened);
  return new Map(weakened.map(([, option, warning]) => [option, `${option} ${warning}`]));
}

/** The version of this package. A test compares it with package.json, which a bundler may leave out. */
const VERSION = '0.1.0';

const COPIES = Symbol.for('nestjs-resource-server:copies');

/** The versions of the copies of this package that the process loaded. */
const copies = ((globalThis as { [COPIES]?: string[] })[COPIES] ??= []);
copies.push(VERSION);

/**
 * Returns a warning if the process loaded the package several times, as in a monorepo whose projects install different versions. Each
 * copy has its own `AuthGuard` and `JwtStrategy`, which Nest cannot inject for one another.
 */
function warningOfCopies(): string | undefined {
  if (copies.length < 2) return undefined;
  const versions = [...new Set(copies)];
  const which = versions.length > 1 ? `in the versions ${versions.join(', ')}` : `in version ${VERSION}`;
  return `nestjs-resource-server is loaded ${String(copies.length)} times, ${which}. Install one copy of it and of Nest for all projects (see the guide to monorepos).`;
}

const MAX_CLIENT_LENGTH = 128;

function logReported({ code, clientId, handler, count }: ReportedRefusal): void {
  const client =
    clientId === undefined ? 'a caller without a client id' : `client ${quoted(clientId.slice(0, MAX_CLIENT_LENGTH))}`;
  const place = handler === undefined ? '' : ` at ${handler}`;
  new Logger(ReportedRefusals.name).warn(
    `Admitted because of reportOnly: ${code} for ${client}${place} (${String(count)} so far)`,
  );
}
