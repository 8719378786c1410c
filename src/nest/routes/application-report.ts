import type { DynamicModule, INestApplicationContext, NestApplicationOptions, Type } from '@nestjs/common';
import {
  APP_GUARD,
  ApplicationConfig,
  HttpAdapterHost,
  InitializeOnPreviewAllowlist,
  type ModuleRef,
  ModulesContainer,
  NestFactory,
  RouterModule,
} from '@nestjs/core';
import { OptionReader } from '../../options/option-reader.js';
import { readRequire } from '../../options/resolve-require.js';
import { AUTH_OPTIONS } from '../auth.module-definition.js';
import { AuthGuard } from '../auth.guard.js';
import type { NestRequirement } from './requirement.decorators.js';
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
 *
 * A root module does not show how microservices are connected, and its preview does not show what factories return. So
 * the report is computed for the best and for the worst case. The access of a route that differs is `unknown`.
 * @param origin what created the application.
 */
export async function createReport(
  app: INestApplicationContext,
  origin: 'function' | 'module' | 'preview',
): Promise<RouteReport | undefined> {
  const modules = app.get(ModulesContainer);
  if (providersOf(modules, RouteReporter).length === 0) return undefined;
  if (origin === 'function') return routeReport(app);
  const reportFor = async (isGuarded: boolean) => {
    const reporter = origin === 'module' ? app.get(RouteReporter) : await createPreviewReporter(app, isGuarded);
    const noGuards = { getGlobalGuards: () => [], getGlobalRequestGuards: () => [] };
    const getMicroservices = () => (isGuarded ? [] : [{ applicationConfig: noGuards }]);
    return reporter.report({ getMicroservices } as unknown as INestApplicationContext);
  };
  const best = await reportFor(true);
  const worst = await reportFor(false);
  const routes = best.routes.map((route, index) =>
    route.access === worst.routes[index]?.access ? route : { ...route, access: 'unknown' as const },
  );
  const unknown = routes.filter(({ access }, index) => access !== best.routes[index]?.access);
  const isPreview = origin === 'preview';
  const hasUnknownGuard = isPreview && globalGuardsOf(modules).includes(undefined);
  const hasUnknownOptions = isPreview && providersOf(modules, AUTH_OPTIONS).some(({ isFactory }) => isFactory);
  const reasons: readonly (readonly [boolean, string])[] = [
    [unknown.some(({ transport }) => transport === 'rpc'), MICROSERVICES],
    [unknown.length > 0 && hasUnknownGuard, `${NO_FACTORY} the guard that APP_GUARD provides.`],
    [hasUnknownOptions, `${NO_FACTORY} the option \`require\` of AuthModule.`],
  ];
  return { routes, warnings: [...best.warnings, ...reasons.filter(([holds]) => holds).map(([, reason]) => reason)] };
}

const NO_FACTORY = '--no-init calls no factory. Unknown:';
const MICROSERVICES =
  'A root module does not show how microservices are connected. Their handlers are guarded only if connectMicroservice() is given { inheritAppConfig: true }. Export a function that creates the application and connects them.';

/**
 * Creates the reporter from metadata, because Nest calls no constructor in preview mode.
 * @throws ConfigurationError if decorators contradict each other.
 */
async function createPreviewReporter(app: INestApplicationContext, isGuarded: boolean): Promise<RouteReporter> {
  const modules = app.get(ModulesContainer);
  const guards = globalGuardsOf(modules).map((guard) => guard ?? (isGuarded ? AuthGuard : undefined));
  const config = Object.create(app.get(ApplicationConfig), {
    getGlobalGuards: { value: () => guards },
  }) as ApplicationConfig;
  const moduleRef = {
    introspect(token: unknown) {
      if (providersOf(modules, token).length === 0) throw new Error('The provider is missing');
    },
  } as unknown as ModuleRef;
  const routes = new RouteMetadata(requirementsOf(modules));
  const adapterHost = app.get(HttpAdapterHost);
  const reporter = new RouteReporter(modules, config, adapterHost, moduleRef, routes, AuthGuard.prototype);
  await reporter.onModuleInit();
  return reporter;
}

function requirementsOf(modules: ModulesContainer): readonly NestRequirement[] {
  const provider = providersOf(modules, AUTH_OPTIONS).find(({ isFactory }) => !isFactory);
  if (provider === undefined) return [];
  const reader = new OptionReader(provider.instance);
  const requirements = readRequire(reader);
  reader.finish();
  return requirements as readonly NestRequirement[];
}

/** The classes and instances of global guards; undefined for a guard that a factory creates. */
function globalGuardsOf(modules: ModulesContainer): readonly unknown[] {
  return providersOf(modules, APP_GUARD).map(({ isAlias, isFactory, inject, metatype, instance }) => {
    if (!isFactory) return metatype ?? instance;
    const target: unknown = isAlias ? inject?.[0] : undefined;
    return typeof target === 'function' ? target : undefined;
  });
}

function providersOf(modules: ModulesContainer, token: unknown) {
  const providers = [...modules.values()].flatMap((module) => [...module.providers.values()]);
  // Nest adds a suffix to the token of each global guard.
  const isGlobalGuard = (other: unknown) => typeof other === 'string' && other.startsWith(`${APP_GUARD} (UUID: `);
  return providers.filter((each) => each.token === token || (token === APP_GUARD && isGlobalGuard(each.token)));
}
