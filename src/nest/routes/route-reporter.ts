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
import { CombinedPolicy, isPolicyClass, type PolicyReference } from '../../model/policy.js';
import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import { AuthGuard } from '../auth.guard.js';
import { AuthenticatedGateway } from '../sockets/authenticated-gateway.js';
import { GuardCoverage } from './guard-coverage.js';
import { type FoundHandler, HandlerDiscovery, missingHandler } from './handler-discovery.js';
import { majorOf } from './nest-versions.js';
import { describeRequirement, toTable, warningOf } from './route-report-text.js';
import { type Route, RouteMetadata } from './route-metadata.js';
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
  private readonly handlers: HandlerDiscovery;
  private readonly reach: GuardCoverage;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(AuthGuard) private readonly guard: AuthGuard,
  ) {
    this.handlers = new HandlerDiscovery(modules, config);
    this.reach = new GuardCoverage(this.handlers, config, adapterHost, guard);
  }

  /** @throws ConfigurationError with every handler whose decorators cannot be what somebody meant. */
  async onModuleInit(): Promise<void> {
    const found = this.found();
    await this.reach.prepare(found);
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
    for (const name of this.reach.otherGuards())
      this.logger.warn(
        `${name} is a global guard, but AuthMiddleware and the opening of sockets ask ${this.guard.constructor.name}: give it to AuthModule as { guard: ${name} }`,
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
        handler: `${handler.controller.name}.${handler.method === missingHandler ? 'handleConnection' : handler.method.name}`,
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
    const microservices = this.reach.microservices(app);
    return this.found().map((handler) => {
      const route = this.routes.of(handler.controller, handler.method);
      return { handler, route, access: this.reach.accessOf(handler, route, microservices) };
    });
  }

  private found(): readonly FoundHandler[] {
    return this.handlers.all({ http: this.reach.servesHttp });
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
