import { afterEach, expect, it } from '@jest/globals';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { type ApolloDriverConfig, ApolloFederationDriver } from '@nestjs/apollo';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  RequestMethod,
  Scope,
  type Type,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { Directive, Field, ObjectType, Query, ResolveReference, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import fc from 'fast-check';
import { isObservable, lastValueFrom } from 'rxjs';
import { io } from 'socket.io-client';
import {
  AuthenticatedGateway,
  AuthGuard,
  ConfigurationError,
  openRoutes,
  OptionalAuth,
  Public,
  RequireScopes,
  routeReport,
} from '../../src/index.js';
import { call, closeApps, hasNest, PLATFORMS, startApp } from '../support/app.js';
import { decoratedClass, Measured } from '../support/decorated-class.js';
import { authModule } from '../support/report-app.js';
import { graphqlModule } from '../support/transports/graphql.js';
import { SilentStrategy } from '../support/transports/microservices.js';

afterEach(closeApps);

/** For a long run: OPEN_ROUTES_RUNS=2000 npm test -- open-routes */
const RUNS = Number(process.env.OPEN_ROUTES_RUNS ?? 50);
const RUN_TIMEOUT_MS = 60_000 + RUNS * 1000;

const ACCESSES = { closed: [], public: [Public()], optional: [OptionalAuth()], scoped: [RequireScopes('read')] };
/** How the function that Nest calls differs from the decorated method. */
const SHAPES = ['decorated', 'measured', 'bound', 'wrapped', 'aliased', 'overridden'] as const;
const isScoped = fc.boolean();
// Most applications with several kinds of decorators do not start.
const access = fc.constantFrom(
  ...(['closed', 'closed', 'closed', 'closed', 'public', 'public', 'optional', 'scoped'] as const),
);

const methods = fc.array(fc.record({ access, isGuarded: fc.boolean(), shape: fc.constantFrom(...SHAPES) }), {
  minLength: 1,
  maxLength: 3,
});
const holder = fc.record({ access, isGuarded: fc.boolean(), isScoped, isInherited: fc.boolean(), methods });
type Holder = typeof holder extends fc.Arbitrary<infer Value> ? Value : never;

interface Method {
  readonly name: string;
  readonly shape: (typeof SHAPES)[number];
}

/** A subclass whose constructor, or whose prototype, replaces the methods. */
function replacing(
  base: Type<object>,
  methods: readonly Method[],
  endpointOf: (name: string) => MethodDecorator,
): Type {
  class Replaced extends base {
    constructor() {
      super();
      const self = this as unknown as Record<string, () => unknown>;
      for (const { name, shape } of methods) {
        const method = self[name]?.bind(this) ?? (() => undefined);
        if (shape === 'bound') self[name] = method;
        if (shape === 'wrapped') self[name] = () => method();
        if (shape === 'aliased') self[name] = self[methods[0]?.name ?? name] ?? method;
      }
    }
  }
  for (const { name } of methods.filter(({ shape }) => shape === 'overridden')) {
    const descriptor = { value: () => name, configurable: true, writable: true };
    Object.defineProperty(Replaced.prototype, name, descriptor);
    endpointOf(name)(Replaced.prototype, name, descriptor);
  }
  return Replaced;
}

/** @param prefix of the names of the methods, which are the names of their endpoints as well. */
function classOf(
  given: Holder,
  prefix: string,
  endpointOf: (name: string) => MethodDecorator,
  ofClass: ClassDecorator,
) {
  const named = given.methods.map((method, index) => ({ ...method, name: `${prefix}${String(index)}` }));
  const decorators = Object.fromEntries(
    named.map(({ name, access: own, isGuarded, shape }) => [
      name,
      [
        endpointOf(name),
        ...(isGuarded ? [UseGuards(AuthGuard)] : []),
        ...(shape === 'measured' ? [Measured()] : []),
        ...ACCESSES[own],
      ],
    ]),
  );
  const outer = [...ACCESSES[given.access], ...(given.isGuarded ? [UseGuards(AuthGuard)] : [])];
  const base = decoratedClass('Base', decorators, ...(given.isInherited ? outer : []));
  const type = replacing(base as Type<object>, named, endpointOf);
  for (const decorator of given.isInherited ? [ofClass] : [...outer, ofClass]) decorator(type);
  return { type, names: named.map(({ name }) => name) };
}

/**
 * Compares the report with what an anonymous caller gets. An application that does not start is open to nobody.
 * @param isReachable whether a route that answers nobody must be closed in the report.
 */
async function expectTruth(
  start: () => Promise<{ app: INestApplication; close: () => Promise<void> }>,
  routes: readonly string[],
  answers: (route: string, app: INestApplication) => Promise<boolean>,
  isReachable: (route: string) => boolean = () => true,
): Promise<void> {
  let running: Awaited<ReturnType<typeof start>>;
  try {
    running = await start();
  } catch (error) {
    if (error instanceof ConfigurationError) return;
    throw error;
  }
  const { app, close } = running;
  const reported = routeReport(app).routes;
  const open = openRoutes(app);
  for (const name of new Set(routes)) {
    const isAnswered = await answers(name, app);
    // Only the first handler of a path is called.
    const found = reported.filter(({ kind, pattern }) => `${kind} ${pattern}` === name).map(({ access }) => access);
    if (isAnswered)
      expect([name, found, open.includes(name) || found.includes('optional')]).toEqual([name, found, true]);
    else if (isReachable(name))
      expect([name, found, found.some((each) => CLOSED.includes(each))]).toEqual([name, found, true]);
  }
  await close();
}

/** The function of another method may have the only guard. Nest puts it there for each request, so the report cannot know. */
const mayBeGuardedByAlias = ({ isScoped: isPerRequest, methods: given }: Holder) =>
  isPerRequest && given.some(({ shape }) => shape === 'aliased');

const CLOSED: readonly string[] = ['guarded', 'unknown', 'optional'];

const guard = fc.constantFrom(...(['global', 'manual'] as const));

it(
  'openRoutes() has each route of a controller that answers an anonymous call',
  async () => {
    const application = fc.record({
      platform: fc.constantFrom(...PLATFORMS),
      guard,
      prefix: fc.constantFrom('', 'api'),
      version: fc.constantFrom(undefined, VersioningType.URI, VersioningType.HEADER),
      hasOnePath: fc.boolean(),
      holders: fc.array(holder, { minLength: 1, maxLength: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(application, async ({ platform, guard, prefix, version, hasOnePath, holders }) => {
        // Fastify refuses a second route of a path.
        const pathOf = (name: string) => (hasOnePath && platform === 'express' ? 'r0' : name);
        const classes = holders.map((given, index) => {
          const options = {
            path: `c${String(index)}`,
            ...(given.isScoped && { scope: Scope.REQUEST }),
            ...(version !== undefined && { version: '1' }),
          };
          return classOf(given, 'r', (name) => Get(pathOf(name)), Controller(options));
        });
        const start = () =>
          startApp(
            platform,
            { imports: [authModule({ guard })], controllers: classes.map(({ type }) => type) },
            {
              prepare: (app) => {
                if (prefix !== '')
                  app.setGlobalPrefix(prefix, { exclude: [{ path: 'c0/r0', method: RequestMethod.GET }] });
                if (version === VersioningType.URI) app.enableVersioning({ type: version });
                if (version === VersioningType.HEADER) app.enableVersioning({ type: version, header: 'v' });
              },
            },
          );
        const routes = classes.flatMap(({ names }, index) =>
          names.map((name) => {
            const isExcluded = prefix === '' || (index === 0 && pathOf(name) === 'r0');
            const parts = [isExcluded ? '' : `/${prefix}`, version === VersioningType.URI ? '/v1' : ''];
            return `GET ${parts.join('')}/c${String(index)}/${pathOf(name)}`;
          }),
        );
        await expectTruth(
          start,
          routes,
          async (route, app) => {
            const { status } = await call(`${await app.getUrl()}${route.slice(4)}`, { v: '1' });
            expect([200, 401, 500]).toContain(status);
            return status === 200;
          },
          (route) =>
            !holders.some((given, index) => mayBeGuardedByAlias(given) && route.includes(`/c${String(index)}/`)),
        );
      }),
      { numRuns: RUNS },
    );
  },
  RUN_TIMEOUT_MS,
);

// Earlier versions of @nestjs/graphql create no schema with the installed version of @apollo/subgraph.
const CAN_BE_SUBGRAPH = hasNest('14.0.3', '@nestjs/graphql');

it(
  'openRoutes() has each query, reference, socket and message that answers an anonymous call',
  async () => {
    const application = fc.record({
      platform: fc.constantFrom(...PLATFORMS),
      guard,
      inheritAppConfig: fc.boolean(),
      isOurs: fc.boolean(),
      opening: access,
      isSubgraph: CAN_BE_SUBGRAPH ? fc.boolean() : fc.constant(false),
      areFieldsGuarded: fc.boolean(),
      holders: fc.record({ queries: holder, entities: holder, messages: holder, jobs: holder }),
    });
    await fc.assert(
      fc.asyncProperty(application, async ({ platform, guard, inheritAppConfig, isOurs, opening, ...given }) => {
        const { isSubgraph, areFieldsGuarded } = given;
        const { queries, entities, messages, jobs } = given.holders;
        const resolver = classOf(queries, 'q', (name) => Query(() => String, { name }), Resolver());
        // A type has one.
        const methods = entities.methods.slice(0, 1);
        const references = classOf(
          { ...entities, methods },
          'e',
          () => ResolveReference(),
          Resolver(() => Entity),
        );
        if (queries.isScoped) Injectable({ scope: Scope.REQUEST })(resolver.type);
        if (entities.isScoped) Injectable({ scope: Scope.REQUEST })(references.type);
        const gateway = classOf(messages, 'm', (name) => SubscribeMessage(name), WebSocketGateway());
        if (isOurs) extend(gateway.type, AuthenticatedGateway);
        addOpening(gateway.type, ACCESSES[opening]);
        // A microservice does not state the pattern of a message, so an alias of a request-scoped class looks like its original.
        fc.pre(!jobs.isScoped || jobs.methods.every(({ shape }) => shape !== 'aliased' && shape !== 'wrapped'));
        const ofJobs = Controller(jobs.isScoped ? { scope: Scope.REQUEST } : {});
        const controller = classOf(jobs, 'j', (name) => MessagePattern(name), ofJobs);
        const strategy = new SilentStrategy(undefined);
        const graphql = {
          subscriptions: {},
          fieldResolverEnhancers: areFieldsGuarded ? (['guards'] as const) : [],
          ...(isSubgraph && SUBGRAPH),
        };
        const start = () =>
          startApp(
            platform,
            {
              imports: [authModule({ guard }), graphqlModule(graphql as Partial<ApolloDriverConfig>)],
              providers: [resolver.type, gateway.type, ...(isSubgraph ? [references.type] : [])],
              controllers: [controller.type],
            },
            { prepare: (app) => app.connectMicroservice({ strategy }, { inheritAppConfig }) },
          );
        const routes = [
          'connection /',
          ...(isSubgraph ? ['reference Entity'] : []),
          ...resolver.names.map((name) => `Query ${name}`),
          ...[...gateway.names, ...controller.names].map((name) => `message ${name}`),
        ];
        const answers = async (route: string, app: INestApplication) => {
          const [kind, name = ''] = route.split(' ');
          const url = await app.getUrl();
          if (kind === 'connection') return isSocketAnswered(url);
          if (kind === 'reference') return isReferenceAnswered(url);
          if (kind === 'Query') return isQueryAnswered(url, name);
          return name.startsWith('m') ? isSocketAnswered(url, name) : isJobAnswered(strategy, name);
        };
        // An AuthenticatedGateway may admit nobody who could send its public messages.
        const isReachable = (route: string) =>
          !(isOurs && route.startsWith('message m')) && !(mayBeGuardedByAlias(queries) && route.startsWith('Query'));
        await expectTruth(start, routes, answers, isReachable);
      }),
      { numRuns: RUNS / 2 },
    );
  },
  RUN_TIMEOUT_MS,
);

@ObjectType()
@Directive('@key(fields: "id")')
class Entity {
  @Field(() => String, { nullable: true })
  id: unknown;
}

const SUBGRAPH = {
  driver: ApolloFederationDriver,
  autoSchemaFile: { federation: 2 },
  buildSchemaOptions: { orphanedTypes: [Entity] },
  // It would log a line.
  plugins: [ApolloServerPluginInlineTraceDisabled()],
};

/** Adds a method that is called when a client connects, and answers it. */
function addOpening({ prototype }: Type, decorators: readonly MethodDecorator[]): void {
  const value = (client: { emit: (event: string) => void }) => {
    client.emit(OPENED);
  };
  const descriptor = { value, configurable: true, writable: true };
  Object.defineProperty(prototype, 'handleConnection', descriptor);
  for (const decorator of decorators) decorator(prototype as object, 'handleConnection', descriptor);
}

const OPENED = 'opened';

/** Makes the base of a class extend another class. */
function extend(type: Type, by: { readonly prototype: object }): void {
  const base = Reflect.getPrototypeOf(type) as Type;
  Object.setPrototypeOf(base, by);
  Object.setPrototypeOf(base.prototype, by.prototype);
}

async function queryAnonymously(url: string, query: string) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return (await response.json()) as { data?: Record<string, unknown> | null; errors?: { message: string }[] };
}

async function isQueryAnswered(url: string, name: string): Promise<boolean> {
  const { data } = await queryAnonymously(url, `{ ${name} }`);
  return typeof data?.[name] === 'string';
}

async function isReferenceAnswered(url: string): Promise<boolean> {
  const { errors } = await queryAnonymously(
    url,
    '{ _entities(representations: [{ __typename: "Entity" }]) { __typename } }',
  );
  // The resolvers return strings, in place of an entity.
  return errors?.[0]?.message.includes('must resolve to an Object type') === true;
}

/** @param name of a message. Undefined for the connection itself. */
async function isSocketAnswered(url: string, name?: string): Promise<boolean> {
  const client = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
  const isAnswered = await new Promise<boolean>((resolve) => {
    for (const event of ['exception', 'connect_error', 'disconnect'])
      client.on(event, () => {
        resolve(false);
      });
    if (name === undefined)
      client.on(OPENED, () => {
        resolve(true);
      });
    else
      client.emit(name, {}, (answer: unknown) => {
        resolve(typeof answer === 'string');
      });
  });
  client.close();
  return isAnswered;
}

async function isJobAnswered(strategy: SilentStrategy, name: string): Promise<boolean> {
  try {
    const answer: unknown = await strategy.getHandlerByPattern(name)?.({}, {});
    return typeof (isObservable(answer) ? await lastValueFrom(answer) : answer) === 'string';
  } catch {
    return false;
  }
}
