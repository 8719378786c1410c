import {
  type INestApplicationContext,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { isCombined, isPolicyClass, type PolicyReference } from '../../model/policy.js';
import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import type { ResolvedResource } from '../../options/resolve-resources.js';
import { wrapLines } from '../../model/text-layout.js';
import { AuthGuard } from '../auth.guard.js';
import { AuthenticatedGateway } from '../sockets/authenticated-gateway.js';
import { GuardCoverage } from './guard-coverage.js';
import type { FoundHandler } from './found-handler.js';
import {
  areFieldsReachable,
  graphqlOptions,
  isReplacedByOption,
  rootFieldsWithoutHandler,
} from './graphql-handlers.js';
import { HandlerDiscovery } from './handler-discovery.js';
import { graphqlVersion } from '../nest-internals.js';
import { watchAnsweredRequests } from '../transports/graphql.js';
import { warningsOfMisplaced } from './misplaced-requirements.js';
import { findPolicy } from './requirement-checker.js';
import { RouteMetadata, type RouteRules } from './route-metadata.js';
import {
  describeRequirement,
  fixOfUnguarded,
  GUARD_OF_CLASS,
  isOpen,
  lostGuardOf,
  type ReportedRoute,
  type RouteReport,
  toTable,
  warningOf,
} from './route-report.js';

/** A route of the application: its handler, what the decorators state, and whether the guard protects it. */
export interface Route {
  readonly handler: FoundHandler;
  readonly rules: RouteRules;
  readonly access: ReportedRoute['access'];
}

/** Inspects every handler when the application starts. Contradictions prevent the start; the rest is reported. */
@Injectable()
export class RouteReporter implements OnModuleInit, OnApplicationBootstrap {
  private readonly logger = new Logger('AuthModule');
  private readonly discovery: HandlerDiscovery;
  private readonly coverage: GuardCoverage;
  private readonly endpoints = new Map<ResolvedResource, RouteRules | undefined>();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
    @Inject(RouteMetadata) private readonly routes: RouteMetadata,
    @Inject(AuthGuard) private readonly guard: AuthGuard,
  ) {
    this.discovery = new HandlerDiscovery(modules, config);
    this.coverage = new GuardCoverage(modules, config, adapterHost, guard);
  }

  /** @throws ConfigurationError for every handler whose decorators contradict each other, or whose policy is not a provider. */
  async onModuleInit(): Promise<void> {
    const handlers = this.handlers({ arePathsFinal: true });
    await this.coverage.prepare(handlers);
    const problems = handlers.flatMap((handler) => this.problemsOf(handler));
    if (await this.sharesGraphqlContext()) problems.push(SHARED_CONTEXT);
    if (graphqlOptions(this.modules).some(({ context }) => context !== undefined)) watchAnsweredRequests();
    problems.push(...this.discovery.replacedClasses(handlers).map(replacedProblem));
    problems.push(...this.discovery.requestScopedGateways(AuthenticatedGateway).map(requestScopedProblem));
    const unique = new Map(problems.map((problem) => [problem.path + problem.message, problem]));
    if (unique.size > 0) throw new ConfigurationError([...unique.values()]);
  }

  /** Before version 14 Nest did not copy a `context` object, so one operation would have the request of another. */
  private async sharesGraphqlContext(): Promise<boolean> {
    const isShared = graphqlOptions(this.modules).some(
      ({ context }) => context instanceof Object && typeof context !== 'function',
    );
    const major = isShared ? await graphqlVersion() : 0;
    return major > 0 && major < 14;
  }

  onApplicationBootstrap(): void {
    const { routes, warnings } = this.report();
    if (routes.length > 0) this.logRoutes(routes);
    for (const warning of warnings) this.logger.warn(warning);
    for (const name of this.coverage.otherGuards())
      this.logger.warn(
        `${name} is a global guard, but AuthMiddleware and SocketAuthenticator use ${this.guard.constructor.name}. Pass it to AuthModule: { guard: ${name} }`,
      );
  }

  private logRoutes(routes: readonly ReportedRoute[]): void {
    const counts = ACCESSES.map((access) => [routes.filter((route) => route.access === access).length, access] as const)
      .filter(([count]) => count > 0)
      .map(([count, access]) => `${String(count)} ${access}`);
    this.logger.log(`${String(routes.length)} ${routes.length === 1 ? 'route' : 'routes'}: ${counts.join(', ')}`);
    this.logger.debug(`Routes:\n${wrapLines(toTable(routes), process.stdout.columns)}`);
  }

  /** @param app shows how the microservices of a hybrid application were connected. */
  report(app?: INestApplicationContext, microservices = this.coverage.microservices(app)): RouteReport {
    const routes: ReportedRoute[] = [];
    const warnings = [...warningsOfMisplaced(this.modules)];
    const all = this.routesOf(app, microservices);
    for (const { path } of this.routes.resources.unused(all.map(({ rules }) => rules.resource)))
      warnings.push(
        `No route is below ${path} of \`resources\`. Write the path with the global prefix, or guard what is mounted there with AuthMiddleware.for.`,
      );
    const handlers = all.map(({ handler }) => handler);
    const areReachable = areFieldsReachable(this.modules, handlers);
    for (const { handler, rules, access } of all) {
      const reported = {
        transport: handler.transport,
        kind: handler.kind,
        pattern: handler.pattern,
        handler: `${handler.controller.name}.${handler.name}`,
        access,
        ...(rules.accessFrom !== undefined && { accessFrom: rules.accessFrom }),
        ...(areReachable && handler.kind === 'field' && { withoutQuery: true as const }),
        requires: rules.requirements.map(describeRequirement),
      };
      routes.push(reported);
      const warning =
        access === 'unguarded' && this.coverage.isLost(handler) ? lostGuardOf(reported) : warningOf(reported);
      if (warning !== undefined) warnings.push(warning);
    }
    for (const { kind, pattern } of rootFieldsWithoutHandler(this.modules, handlers)) {
      routes.push({ transport: 'graphql', kind, pattern, handler: NO_HANDLER, access: 'unguarded', requires: [] });
      warnings.push(
        `No guard is called for ${kind} ${pattern}, which no resolver class serves: write a resolver class for it.`,
      );
    }
    return { routes, warnings: [...new Set(warnings)] };
  }

  /** The single source of the route report and of Swagger. The guard reads the same `RouteMetadata`. */
  routesOf(app?: INestApplicationContext, microservices = this.coverage.microservices(app)): readonly Route[] {
    return this.handlers().map((handler) => {
      const rules = this.routes.ofHandler(handler);
      return { handler, rules, access: this.coverage.accessOf(handler, rules, microservices) };
    });
  }

  /** Returns the routes of a resource. */
  routesIn(resource: ResolvedResource): readonly Route[] {
    return this.routesOf().filter(({ rules }) => rules.resource === resource);
  }

  /** Returns the rules of the endpoint for POST of a resource. Undefined if there are several, which may need other scopes. */
  endpointOf(resource: ResolvedResource): RouteRules | undefined {
    if (this.endpoints.has(resource)) return this.endpoints.get(resource);
    const posts = this.routesIn(resource).filter(
      ({ handler, rules }) => ['POST', 'ALL'].includes(handler.kind) && rules.extensions.length > 0,
    );
    const [only, ...others] = new Set(posts.map(({ rules }) => rules));
    const endpoint = others.length === 0 ? only : undefined;
    if (this.routes.arePathsFinal) this.endpoints.set(resource, endpoint);
    return endpoint;
  }

  private handlers(registered = { arePathsFinal: false }): readonly FoundHandler[] {
    const handlers = this.discovery.all({ http: this.coverage.servesHttp });
    // Swagger reads the routes before the start, when they have no prefix yet. The guard uses those of the start.
    if (!this.routes.arePathsFinal) this.routes.register(handlers, registered);
    return handlers;
  }

  private problemsOf(handler: FoundHandler): readonly ConfigurationProblem[] {
    try {
      const rules = this.routes.ofHandler(handler);
      this.routes.checkFunction(handler);
      if (isReplacedByOption(this.modules, handler)) return [replacedByOption(handler)];
      return [...this.unguardedRequirements(handler, rules), ...this.missingPoliciesOf(rules, handler.controller)];
    } catch (error) {
      if (error instanceof ConfigurationError) return error.problems;
      throw error;
    }
  }

  /** A requirement that is never checked looks like one that is. */
  private unguardedRequirements(handler: FoundHandler, rules: RouteRules): readonly ConfigurationProblem[] {
    const { controller, name, kind } = handler;
    // A field is protected by its query, and messages have requirements of their class as well: only the own ones would be lost.
    const places = { field: ['handler', 'class'], connection: ['handler'] }[kind];
    const lost = rules.requirements.filter(({ from }) => places?.includes(from) ?? true);
    if (lost.length === 0) return [];
    const access = this.coverage.accessOf(handler, rules, this.coverage.microservices(undefined));
    if (access !== 'unguarded' && !this.coverage.isUnproven(handler)) return [];
    const fix = access === 'unguarded' ? fixOfUnguarded(handler) : GUARD_OF_CLASS;
    const message = `has requirements, but no AuthGuard that checks them: ${fix}`;
    return [{ path: `${controller.name}.${name}`, message }];
  }

  private missingPoliciesOf({ requirements }: RouteRules, controller: Type): readonly ConfigurationProblem[] {
    return requirements.flatMap(({ requirement, from }) =>
      requirement.kind === 'policy'
        ? this.missingPolicies(requirement.policy, from === 'module' ? undefined : controller)
        : [],
    );
  }

  private missingPolicies(policy: PolicyReference<never>, controller?: Type): readonly ConfigurationProblem[] {
    if (isCombined(policy)) return policy.policies.flatMap((part) => this.missingPolicies(part, controller));
    if (!isPolicyClass(policy)) return [];
    try {
      findPolicy(this.modules, policy as Type, controller);
      return [];
    } catch (error) {
      return (error as ConfigurationError).problems;
    }
  }
}

/** The handler in the report for a root field of `resolvers` or `rootValue`. */
const NO_HANDLER = 'none';

const ACCESSES: readonly ReportedRoute['access'][] = ['guarded', 'optional', 'open', 'unguarded', 'unknown'];

function replacedByOption({ controller, name }: FoundHandler): ConfigurationProblem {
  const message =
    'is replaced by a function of the option `resolvers` of GraphQLModule, for which Nest calls no guard; remove one of them';
  return { path: `${controller.name}.${name}`, message };
}

function replacedProblem({ name }: Type): ConfigurationProblem {
  const message =
    'has instances of another class, whose decorators the guard would read; let the class decorator return a subclass, and the constructor no other object';
  return { path: name, message };
}

function requestScopedProblem({ name }: Type): ConfigurationProblem {
  return {
    path: name,
    message:
      'is request-scoped because of a dependency, but an AuthenticatedGateway must be a singleton, so that it can guard its namespace; inject ModuleRef and resolve the dependency when it is needed',
  };
}

const SHARED_CONTEXT: ConfigurationProblem = {
  path: 'GraphQLModule.context',
  message:
    'is one object for all requests before @nestjs/graphql 14; write a function: context: ({ req }) => ({ req, … })',
};

/**
 * Returns every route of an initialized application (`app.init()`, `app.listen()`): handlers of HTTP, GraphQL, gateways and
 * microservices. Middleware (Swagger UI, static files) is not included: guard it with `AuthMiddleware`.
 *
 * The application logs the same report when it starts: the counts, a table at debug level, and the warnings. In a hybrid
 * application, only this function knows whether the microservices were connected with `inheritAppConfig: true`,
 * because it receives the application instance.
 */
export function routeReport(app: INestApplicationContext): RouteReport {
  return app.get(RouteReporter, { strict: false }).report(app);
}

/**
 * Returns the routes that can be called without a token, such as `GET /health`, in alphabetical order. Routes with
 * `@OptionalAuth()` are not included, and neither are GraphQL fields, because their query is guarded; they are if
 * a client reaches them without a query of a handler (`withoutQuery`). For a test: `expect(openRoutes(app)).toEqual(['GET /health'])`.
 */
export function openRoutes(app: INestApplicationContext): readonly string[] {
  const open = routeReport(app).routes.filter((route) => isOpen(route));
  return open.map(({ kind, pattern }) => `${kind} ${pattern}`).sort();
}
