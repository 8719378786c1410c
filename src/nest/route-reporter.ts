import {
  type INestApplicationContext,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { CombinedPolicy, isPolicyClass, type PolicyReference } from '../access-policy.js';
import { ConfigurationError, type ConfigurationProblem } from '../errors.js';
import { AuthGuard } from './auth.guard.js';
import { AuthenticatedGateway, GatewayGuard } from './authenticated-gateway.js';
import { ConnectionGuard } from './connection.guard.js';
import { type FoundHandler, Handlers, nobody } from './handlers.js';
import {
  GUARDS_METADATA,
  PARAMTYPES_METADATA,
  PROPERTY_DEPS_METADATA,
  SELF_DECLARED_DEPS_METADATA,
} from './nest-metadata.js';
import { describeRequirement, toTable, warningOf } from './route-report-text.js';
import { type Route, RouteAccesses } from './route-access.js';
import type { ReportedRoute, RouteReport } from './route-report.js';

/** A handler, what its decorators say, and whether the guard is asked about it. */
export interface Door {
  readonly handler: FoundHandler;
  readonly route: Route;
  readonly access: ReportedRoute['access'];
}

/** Looks at every handler when the application starts: contradictions stop it, the rest is reported. */
@Injectable()
export class RouteReporter implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger('AuthModule');
  private readonly handlers: Handlers;
  private areSocketsGuarded = false;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(RouteAccesses) private readonly routes: RouteAccesses,
    @Inject(AuthGuard) private readonly guard: AuthGuard,
  ) {
    this.handlers = new Handlers(modules, config);
  }

  /** @throws ConfigurationError with every handler whose decorators cannot be what somebody meant. */
  async onModuleInit(): Promise<void> {
    const found = this.found();
    if (found.some(({ transport }) => transport === 'ws'))
      this.areSocketsGuarded = (await majorOf('@nestjs/core')) >= 12;
    const problems = found.flatMap((handler) => this.problemsOf(handler));
    const seen = new Set<string>();
    const unique = problems.filter(({ path, message }) => !seen.has(path + message) && seen.add(path + message));
    if (await this.sharesGraphqlContext()) unique.push(SHARED_CONTEXT);
    unique.push(...this.handlers.gatewaysOfRequests(AuthenticatedGateway).map(ofRequests));
    if (unique.length > 0) throw new ConfigurationError(unique);
  }

  /** A context that is an object, before Nest began to copy it: one operation would have the request of another. */
  private async sharesGraphqlContext(): Promise<boolean> {
    const isShared = this.handlers
      .graphqlOptions()
      .some(({ context }) => context instanceof Object && typeof context !== 'function');
    const major = isShared ? await majorOf('@nestjs/graphql') : 0;
    return major > 0 && major < 14;
  }

  onApplicationBootstrap(): void {
    const { routes, warnings } = this.report();
    if (routes.length === 0) return;
    const counts = ACCESSES.map((access) => [routes.filter((route) => route.access === access).length, access] as const)
      .filter(([count]) => count > 0)
      .map(([count, access]) => `${String(count)} ${access}`);
    this.logger.log(`${String(routes.length)} ${routes.length === 1 ? 'route' : 'routes'}: ${counts.join(', ')}`);
    this.logger.debug(`Routes:\n${toTable(routes)}`);
    for (const warning of warnings) this.logger.warn(warning);
    for (const name of this.otherGuards())
      this.logger.warn(
        `${name} is a global guard, but AuthMiddleware and the opening of sockets ask ${this.guard.constructor.name}: give it to AuthModule as { guard: ${name} }`,
      );
  }

  /** Subclasses of the guard that the application installed by itself. */
  private otherGuards(): readonly string[] {
    const classes = globalGuardsOf(this.config).map((guard) =>
      guard instanceof AuthGuard ? guard.constructor : guard,
    );
    return classes.flatMap((guard) =>
      typeof guard === 'function' && guard !== this.guard.constructor && guard.prototype instanceof AuthGuard
        ? [guard.name]
        : [],
    );
  }

  /** @param app to see how the microservices of a hybrid application were connected. */
  report(app?: INestApplicationContext): RouteReport {
    const routes: ReportedRoute[] = [];
    const warnings: string[] = [];
    for (const { handler, route, access } of this.doors(app)) {
      const reported = {
        transport: handler.transport,
        kind: handler.kind,
        pattern: handler.pattern,
        handler: `${handler.controller.name}.${handler.method === nobody ? 'handleConnection' : handler.method.name}`,
        access,
        ...(route.accessFrom !== undefined && { accessFrom: route.accessFrom }),
        requires: route.requirements.map(describeRequirement),
      };
      routes.push(reported);
      const warning = warningOf(reported);
      if (warning !== undefined) warnings.push(warning);
    }
    return { routes, warnings: [...new Set(warnings)] };
  }

  /** What the report is made of. */
  doors(app?: INestApplicationContext): readonly Door[] {
    const reach = this.microserviceReach(app);
    return this.found().map((handler) => {
      const route = this.routes.of(handler.controller, handler.method);
      return { handler, route, access: this.accessOf(handler, route, reach) };
    });
  }

  private found(): readonly FoundHandler[] {
    return this.handlers.all({ http: this.servesHttp });
  }

  /** Nest leaves it undefined, or makes it null. */
  private get servesHttp(): boolean {
    return (this.adapterHost.httpAdapter as unknown) instanceof Object;
  }

  private accessOf(
    handler: FoundHandler,
    { access }: Route,
    microservices: MicroserviceReach,
  ): ReportedRoute['access'] {
    if (access === 'public') return isRenewal(handler) ? 'guarded' : 'open';
    const reached = this.isReached(handler, microservices);
    if (reached === 'unknown') return 'unknown';
    if (!reached) return 'unguarded';
    return access === 'optional' ? 'optional' : 'guarded';
  }

  private isReached(handler: FoundHandler, microservices: MicroserviceReach): boolean | 'unknown' {
    if (handler.kind === 'connection') return isConnectionGuarded(handler.controller);
    if (handler.kind === 'field' && !this.areFieldsGuarded) return false;
    if (this.isGuardedByDecorator(handler)) return true;
    if (!this.hasGlobalGuard(this.config)) return false;
    if (handler.transport === 'ws') return this.areSocketsGuarded;
    return handler.transport === 'rpc' ? microservices(handler.microservice) : true;
  }

  private get areFieldsGuarded(): boolean {
    return this.handlers
      .graphqlOptions()
      .every(({ fieldResolverEnhancers }) => fieldResolverEnhancers?.includes('guards'));
  }

  private isGuardedByDecorator({ controller, method }: FoundHandler): boolean {
    return [controller, method]
      .flatMap((holder) => (Reflect.getMetadata(GUARDS_METADATA, holder) ?? []) as readonly unknown[])
      .some((guard) => this.isOurs(guard));
  }

  private hasGlobalGuard(config: ApplicationConfig): boolean {
    return globalGuardsOf(config).some((guard) => this.isOurs(guard));
  }

  /** A guard, or its class; also what a test has put in its place. */
  private isOurs(guard: unknown): boolean {
    if (guard === this.guard || guard instanceof AuthGuard) return true;
    if (guard === GatewayGuard || guard === AuthGuard) return true;
    return typeof guard === 'function' && guard.prototype instanceof AuthGuard;
  }

  /** Whether the guard is asked about messages of a kind of microservice. */
  private microserviceReach(app: INestApplicationContext | undefined): MicroserviceReach {
    const { getMicroservices } = (app ?? {}) as { getMicroservices?: () => readonly object[] };
    // An application that is nothing but a microservice has its guards there.
    if (!this.servesHttp) return () => true;
    if (app === undefined || getMicroservices === undefined)
      return () => (this.handlers.hasMicroservices ? 'unknown' : true);
    const connected = getMicroservices.call(app) as readonly ConnectedMicroservice[];
    return (kind) =>
      connected
        .filter(({ serverInstance }) => {
          // A strategy that does not say what it is gets every handler.
          const own = serverInstance?.transportId;
          return kind === undefined || own === undefined || own === kind;
        })
        .every(({ applicationConfig }) => applicationConfig === undefined || this.hasGlobalGuard(applicationConfig));
  }

  private problemsOf({ controller, method }: FoundHandler): readonly ConfigurationProblem[] {
    try {
      const { requirements } = this.routes.of(controller, method);
      return requirements.flatMap(({ requirement }) =>
        requirement.kind === 'policy' ? this.missingPolicies(requirement.policy) : [],
      );
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  }

  private missingPolicies(policy: PolicyReference<never>): readonly ConfigurationProblem[] {
    if (policy instanceof CombinedPolicy) return policy.policies.flatMap((part) => this.missingPolicies(part));
    if (!isPolicyClass(policy)) return [];
    try {
      this.moduleRef.introspect(policy as Type);
      return [];
    } catch {
      return [{ path: policy.name, message: 'is a policy, but no provider; list it in the `providers` of a module' }];
    }
  }
}

/** Instances, and the classes of those that are made for each request. */
function globalGuardsOf(config: ApplicationConfig): readonly unknown[] {
  return [...config.getGlobalGuards(), ...config.getGlobalRequestGuards().map(({ metatype }) => metatype)];
}

type MicroserviceReach = (kind: unknown) => boolean | 'unknown';

/** What of Nest's own is looked at. Were it not there, the handlers would be taken for guarded by what connected them. */
interface ConnectedMicroservice {
  readonly applicationConfig?: ApplicationConfig;
  readonly serverInstance?: { readonly transportId?: unknown };
}

const ACCESSES: readonly ReportedRoute['access'][] = ['guarded', 'optional', 'open', 'unguarded', 'unknown'];

function ofRequests({ name }: Type): ConfigurationProblem {
  return {
    path: name,
    message:
      'is made anew for each request, since something that it has injected is; as an AuthenticatedGateway it must be one for all, or its namespace cannot be guarded (inject ModuleRef, and resolve what you need)',
  };
}

const SHARED_CONTEXT: ConfigurationProblem = {
  path: 'GraphQLModule.context',
  message:
    'is one object for all requests before @nestjs/graphql 14; give a function: context: ({ req }) => ({ req, … })',
};

const VERSIONS = {
  '@nestjs/core': () => import('@nestjs/core/package.json', { with: { type: 'json' } }),
  '@nestjs/graphql': () => import('@nestjs/graphql/package.json', { with: { type: 'json' } }),
};

/** 0 where it cannot be found out: a warning too many is better than one too few. */
async function majorOf(name: keyof typeof VERSIONS): Promise<number> {
  try {
    const { default: manifest } = (await VERSIONS[name]()) as { default: { version: string } };
    return Number.parseInt(manifest.version, 10);
  } catch {
    return 0;
  }
}

// Comments, and texts on one line.
const NO_CODE = /\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'|"[^"\n]*"|`[^`\n]*`/g;

/** It opens nothing: what it is given is verified. */
function isRenewal({ method }: FoundHandler): boolean {
  return method === (AuthenticatedGateway.prototype as unknown as Record<string, unknown>).authenticate;
}

/**
 * `AuthenticatedGateway` sees to it whatever a subclass does. A gateway that has the guard of connections injected is believed
 * where its `handleConnection` is seen to ask it; one that has it asked in some other place is not known to.
 */
function isConnectionGuarded(gateway: Type): boolean | 'unknown' {
  const { prototype } = gateway as { prototype: { handleConnection?: unknown } };
  if (prototype instanceof AuthenticatedGateway) return true;
  if (typeof prototype.handleConnection !== 'function') return false;
  const parameters = (Reflect.getMetadata(PARAMTYPES_METADATA, gateway) ?? []) as readonly unknown[];
  const declared = (Reflect.getMetadata(SELF_DECLARED_DEPS_METADATA, gateway) ?? []) as readonly { param?: unknown }[];
  const properties = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, gateway) ?? []) as readonly { type?: unknown }[];
  const injected = [...parameters, ...declared.map(({ param }) => param), ...properties.map(({ type }) => type)];
  if (!injected.includes(ConnectionGuard)) return false;
  const source = Function.prototype.toString.call(prototype.handleConnection).replaceAll(NO_CODE, '');
  return source.includes('.admit(') ? true : 'unknown';
}

/**
 * Every door of an application that was initialized (`app.init()`, `app.listen()`): handlers of HTTP, GraphQL, gateways and
 * microservices. What is mounted as middleware (Swagger UI, static files) is not in it: guard it with `AuthMiddleware`.
 *
 * When the application starts, the same report goes to the log: the counts, at debug level a table, and the warnings. Of a
 * hybrid application only this function, which is given the application, can see whether its microservices were connected
 * with `inheritAppConfig: true`.
 */
export function routeReport(app: INestApplicationContext): RouteReport {
  return app.get(RouteReporter, { strict: false }).report(app);
}

/**
 * The doors that anybody may enter without a token, as `GET /health`, in alphabetical order. Not counted are guests of
 * `@OptionalAuth()`, and fields of GraphQL that require nothing: who reads them came in by their query. For a test:
 * `expect(openRoutes(app)).toEqual(['GET /health'])`.
 */
export function openRoutes(app: INestApplicationContext): readonly string[] {
  const open = routeReport(app).routes.filter(
    ({ access, kind, requires }) =>
      access !== 'guarded' && access !== 'optional' && (kind !== 'field' || requires.length > 0),
  );
  return open.map(({ kind, pattern }) => `${kind} ${pattern}`).sort();
}
