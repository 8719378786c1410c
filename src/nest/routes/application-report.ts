import type { CanActivate, DynamicModule, INestApplicationContext, NestApplicationOptions, Type } from '@nestjs/common';
import {
  APP_GUARD,
  ApplicationConfig,
  HttpAdapterHost,
  InitializeOnPreviewAllowlist,
  ModulesContainer,
  NestFactory,
  RouterModule,
} from '@nestjs/core';
import { OptionReader } from '../../options/option-reader.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { readRequire } from '../../options/resolve-require.js';
import { NO_RESOURCES, readResources } from '../../options/resolve-resources.js';
import { KeySourceRegistry } from '../../remote/key-source-registry.js';
import { AccessTokenVerifier } from '../../token/access-token-verifier.js';
import { AUTH_OPTIONS } from '../auth.module-definition.js';
import { AuthGuard } from '../auth.guard.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { providersOf } from '../nest-internals.js';
import { CalledHandlers } from './called-handlers.js';
import { wrappersOf } from './found-handler.js';
import { RouteMetadata } from './route-metadata.js';
import type { RouteReport } from './route-report.js';
import { routeReport, RouteReporter } from './route-reporter.js';

/** Creates the application of a root module. In preview mode, Nest creates no provider of it and calls no lifecycle hook. */
export async function createApplication(
  module: Type | DynamicModule,
  isPreview: boolean,
): Promise<INestApplicationContext> {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- Nest declares the type as a class
  const options = { logger: false, abortOnError: false, preview: isPreview } as NestApplicationOptions;
  if (!isPreview) return NestFactory.create(module, options);
  // The constructor of RouterModule sets the paths of modules, and nothing else.
  InitializeOnPreviewAllowlist.add(RouterModule);
  return NestFactory.create(module, NO_SERVER as never, options);
}

// Nest's default adapter needs Express, which the application may not have installed.
const NO_SERVER = { patch: nothing, initHttpServer: nothing, getHttpServer: nothing, close: nothing };

function nothing(): undefined {
  return undefined;
}

/**
 * Returns the report of the application; undefined if AuthModule is missing.
 * A root module does not show how microservices are connected, and its preview does not show what factories return: the access
 * of such routes is `unknown`.
 * @param origin what created the application.
 */
export async function createReport(
  app: INestApplicationContext,
  origin: 'function' | 'module' | 'preview',
): Promise<RouteReport | undefined> {
  const modules = app.get(ModulesContainer);
  if (providersOf(modules, RouteReporter).length === 0) return undefined;
  if (origin === 'function') return routeReport(app);
  const isPreview = origin === 'preview';
  const reporter = isPreview ? await createPreviewReporter(app) : app.get(RouteReporter);
  const { routes, warnings } = reporter.report(undefined, () => 'unknown');
  if (!isPreview) return { routes, warnings };
  const isGuardUnknown =
    routes.some(({ access }) => access === 'unknown') && globalGuardsOf(modules).includes(undefined);
  const areOptionsUnknown = providersOf(modules, AUTH_OPTIONS).some(([, { isFactory }]) => isFactory);
  const unknown = [
    ...(isGuardUnknown ? ['the guard that APP_GUARD provides'] : []),
    ...(areOptionsUnknown ? ['the option `require` of AuthModule'] : []),
  ];
  return { routes, warnings: [...warnings, ...unknown.map((name) => `--no-init calls no factory. Unknown: ${name}.`)] };
}

/** Returns the services of each AuthModule with which the application verifies tokens. */
export function authServicesOf(app: INestApplicationContext) {
  return providersOf(app.get(ModulesContainer), RESOLVED_OPTIONS).map(([{ providers }, options]) => {
    const instanceOf = (token: Type): unknown => providers.get(token)?.instance;
    const { issuers } = options.instance as ResolvedOptions;
    const { resources } = instanceOf(RouteMetadata) as RouteMetadata;
    return {
      issuers,
      /** The audiences of the routes; undefined for those whose audience is that of the issuer. */
      audiences: [undefined, ...resources.all.map(({ audience }) => audience)],
      verifier: instanceOf(AccessTokenVerifier) as AccessTokenVerifier,
      keySources: instanceOf(KeySourceRegistry) as KeySourceRegistry,
    };
  });
}

/**
 * Creates the reporter from metadata, because Nest calls no constructor in preview mode.
 * @throws ConfigurationError if decorators contradict each other.
 */
async function createPreviewReporter(app: INestApplicationContext): Promise<RouteReporter> {
  const modules = app.get(ModulesContainer);
  const config = app.get(ApplicationConfig);
  config.getGlobalGuards = () => globalGuardsOf(modules) as CanActivate[];
  const routes = new RouteMetadata({ ...optionsOf(modules), realm: undefined }, new CalledHandlers());
  const adapterHost = app.get(HttpAdapterHost);
  const reporter = new RouteReporter(modules, config, adapterHost, routes, AuthGuard.prototype);
  await reporter.onModuleInit();
  return reporter;
}

function optionsOf(modules: ModulesContainer): Pick<ResolvedOptions, 'require' | 'resources'> {
  const [, provider] = providersOf(modules, AUTH_OPTIONS).find(([, { isFactory }]) => !isFactory) ?? [];
  // Without the options, the identifiers of resources are unknown, and the report does not have them.
  if (provider === undefined) return { require: [], resources: { ...NO_RESOURCES, publicUrl: 'https://unknown' } };
  const reader = new OptionReader(provider.instance);
  const options = { require: readRequire(reader), resources: readResources(reader, reader.flag('insecureAllowHttp')) };
  reader.finish();
  return options;
}

/** The classes and instances of global guards; undefined for a guard that a factory creates. */
function globalGuardsOf(modules: ModulesContainer): readonly unknown[] {
  const providers = wrappersOf(modules, 'providers');
  // Nest adds a suffix to the token of each global guard.
  const guards = providers.filter(({ token }) => typeof token === 'string' && token.startsWith(`${APP_GUARD} (UUID: `));
  return guards.map(({ isAlias, isFactory, inject, metatype, instance }) => {
    if (!isFactory) return metatype ?? instance;
    const target: unknown = isAlias ? inject?.[0] : undefined;
    return typeof target === 'function' ? target : undefined;
  });
}
