import { describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Controller,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, Mutation, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { EventPattern, GrpcMethod, MessagePattern, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  AuthenticatedGateway,
  AuthGuard,
  openRoutes,
  OptionalAuth,
  Public,
  RequireScopes,
  routeReport,
  SocketAuthenticator,
} from '../../src/index.js';
import { hasNest } from '../support/app.js';
import { decoratedClass } from '../support/decorated-class.js';
import { SilentStrategy } from '../support/transports/microservices.js';
import {
  accesses,
  authModule,
  type Given,
  startProblems,
  startReported,
  StartRecorder,
} from '../support/report-app.js';

// Nest 11 does not call global guards for messages of sockets.
const ARE_MESSAGES_GUARDED = hasNest('12.0.0');

describe('The report of GraphQL', () => {
  const OrdersResolver = decoratedClass(
    'OrdersResolver',
    {
      order: [Query('order'), RequireScopes('read')],
      show: [Query('shown'), Public()],
      place: [Mutation(() => String), OptionalAuth()],
      placed: [Subscription(() => String)],
    },
    Resolver('Order'),
  );

  const FieldsResolver = decoratedClass(
    'FieldsResolver',
    {
      plain: [ResolveField('plain', () => String)],
      scoped: [ResolveField('scoped', () => String), RequireScopes('read')],
      open: [ResolveField('open', () => String), Public()],
    },
    Resolver('Order'),
  );

  const graphql = (fieldResolverEnhancers?: ApolloDriverConfig['fieldResolverEnhancers']): Given => ({
    imports: [
      GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        typeDefs: `
          type Order { plain: String scoped: String open: String }
          type Query { order: String shown: Order rooted: String }
          type Mutation { place: String }
          type Subscription { placed: String }`,
        graphiql: false,
        ...(fieldResolverEnhancers && { fieldResolverEnhancers }),
      }),
    ],
    providers: [OrdersResolver, FieldsResolver],
  });

  const roots = ['Query order guarded', 'Query shown open', 'Mutation place optional', 'Subscription placed guarded'];
  const fields = (plain: string, scoped: string) => [
    `field Order.plain ${plain}`,
    `field Order.scoped ${scoped}`,
    'field Order.open open',
  ];

  async function dataOf(url: string, query: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    return ((await answer.json()) as { data: unknown }).data;
  }

  it('has unguarded fields by default, which the query protects, so that a requirement of a field prevents the start', async () => {
    const PlainFields = decoratedClass('PlainFields', { plain: [ResolveField('plain')] }, Resolver('Order'));
    const { app, url, routes, warnings } = await startReported({
      ...graphql(),
      providers: [OrdersResolver, PlainFields],
    });
    expect(accesses(routes)).toStrictEqual([...roots, 'field Order.plain unguarded']);
    expect([warnings, openRoutes(app)]).toStrictEqual([[], ['Query shown']]);
    expect(await dataOf(url, '{ order shown { plain } }')).toEqual({ order: null, shown: { plain: 'plain' } });
    expect(await startProblems(graphql())).toStrictEqual([
      "FieldsResolver.scoped has requirements, but no AuthGuard that checks them: give GraphQLModule fieldResolverEnhancers: ['guards']",
    ]);
  });

  it.each<[string, string, object]>([
    [
      'a root type has another name',
      'RootQuery.secret',
      { typeDefs: 'schema { query: RootQuery } type RootQuery { secret: String }' },
    ],
    [
      'the option `resolvers` has the query',
      'Admin.secret',
      {
        typeDefs: 'type Query { admin: Admin } type Admin { secret: String }',
        resolvers: { Query: { admin: () => ({}) } },
      },
    ],
  ])('has open fields, with a warning, if %s', async (_what, field, options) => {
    const [type = ''] = field.split('.');
    const SecretResolver = decoratedClass('SecretResolver', { secret: [ResolveField('secret')] }, Resolver(type));
    const start = (fieldResolverEnhancers?: ['guards']) =>
      startReported({
        imports: [
          GraphQLModule.forRoot<ApolloDriverConfig>({
            driver: ApolloDriver,
            graphiql: false,
            ...options,
            ...(fieldResolverEnhancers && { fieldResolverEnhancers }),
          }),
        ],
        providers: [SecretResolver],
      });
    const { app, url, warnings } = await start();
    const query = type === 'Admin' ? '{ admin { secret } }' : '{ secret }';
    expect(JSON.stringify(await dataOf(url, query))).toContain('"secret":"secret"');
    // A function of `resolvers` has no guard either.
    const root = type === 'Admin' ? ['Query admin'] : [];
    expect(openRoutes(app)).toEqual([...root, `field ${field}`]);
    expect(warnings).toEqual([
      expect.stringMatching(/^No AuthGuard protects SecretResolver\.secret/),
      ...root.map((name) => expect.stringContaining(`No guard is called for ${name}`)),
    ]);
    const closed = await start(['guards']);
    expect(JSON.stringify(await dataOf(closed.url, query))).not.toContain('"secret":"secret"');
    expect(openRoutes(closed.app)).toEqual(root);
  });

  it('has root fields that functions of the application serve', async () => {
    const typeDefs = 'type Query { own: String secret: String } type Mutation { wipe: String }';
    const Own = decoratedClass('Own', { own: [Query('own')] }, Resolver());
    const openWith = async (options: object) => {
      const module = GraphQLModule.forRoot<ApolloDriverConfig>({
        driver: ApolloDriver,
        graphiql: false,
        typeDefs,
        ...options,
      });
      const { app, url } = await startReported({ imports: [module], providers: [Own] });
      return [await dataOf(url, '{ secret }'), openRoutes(app)];
    };
    const [secret, wipe] = [() => 'secret', () => 'wiped'];
    const data = { secret: 'secret' };
    expect(await openWith({ resolvers: { Query: { secret }, Mutation: { wipe } } })).toEqual([
      data,
      ['Mutation wipe', 'Query secret'],
    ]);
    expect(await openWith({ rootValue: { secret } })).toEqual([data, ['Mutation wipe', 'Query secret']]);
    expect(await openWith({})).toEqual([{ secret: null }, []]);
  });

  it('prevents the start if functions of the application replace handlers', async () => {
    const resolvers: object[] = [{ Query: { order: () => 'open' } }, { Order: { plain: () => 'open' } }];
    const typeDefs = 'type Order { plain: String } type Query { order: Order }';
    const Orders = decoratedClass(
      'Orders',
      { order: [Query('order')], plain: [ResolveField('plain')] },
      Resolver('Order'),
    );
    const module = GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      graphiql: false,
      typeDefs,
      resolvers: resolvers as never,
    });
    expect(await startProblems({ imports: [module], providers: [Orders] })).toEqual(
      ['Orders.order', 'Orders.plain'].map((name) =>
        expect.stringContaining(`${name} is replaced by a function of the option \`resolvers\``),
      ),
    );
  });

  it("has guarded fields with fieldResolverEnhancers: ['guards']", async () => {
    const { url, routes, warnings } = await startReported(graphql(['guards']));
    expect(accesses(routes)).toStrictEqual([...roots, ...fields('guarded', 'guarded')]);
    expect(warnings).toStrictEqual([]);
    const shown = { plain: null, scoped: null, open: 'open' };
    expect(await dataOf(url, '{ shown { plain scoped open } }')).toEqual({ shown });
  });

  it('has unguarded fields with other enhancers, even if a decorator names the guard', async () => {
    const decorators = [Resolver('Order'), UseGuards(AuthGuard)];
    const GuardedFields = decoratedClass('GuardedFields', { plain: [ResolveField('plain')] }, ...decorators);
    const given = { ...graphql(['filters']), providers: [OrdersResolver, GuardedFields] };
    const { url, routes } = await startReported(given);
    expect(accesses(routes)).toContain('field Order.plain unguarded');
    expect(await dataOf(url, '{ shown { plain } }')).toEqual({ shown: { plain: 'plain' } });
  });

  it('has a field of the type Query as a query, as Nest does', async () => {
    const RootFields = decoratedClass('RootFields', { rooted: [ResolveField('rooted')] }, Resolver('Query'));
    const { url, routes } = await startReported({ ...graphql(), providers: [RootFields] });
    expect(accesses(routes)).toStrictEqual(['Query rooted guarded']);
    expect(await dataOf(url, '{ rooted }')).toEqual({ rooted: null });
  });

  it('has no resolvers without GraphQLModule', async () => {
    expect((await startReported({ providers: [OrdersResolver] })).routes).toStrictEqual([]);
  });
});

describe('The report of gateways', () => {
  class Messages {
    @SubscribeMessage('message')
    message() {
      return 'message';
    }
  }

  @WebSocketGateway({ namespace: 'bare' })
  class BareGateway extends Messages {}

  @WebSocketGateway({ path: '/admitting' })
  class AdmittingGateway extends Messages {
    constructor(@Inject(SocketAuthenticator) readonly connections: Pick<SocketAuthenticator, 'admit'>) {
      super();
    }
  }

  class InjectingGateway extends Messages {
    @Inject(SocketAuthenticator) readonly connections!: SocketAuthenticator;
  }

  @WebSocketGateway({ namespace: 'injecting' })
  class PropertyGateway extends InjectingGateway {}

  @Public()
  @WebSocketGateway({ namespace: 'public' })
  class PublicGateway extends Messages {}

  @WebSocketGateway({ namespace: /^\/tenant-/ })
  class OursGateway extends AuthenticatedGateway {
    @SubscribeMessage({ cmd: 'write' } as never)
    @RequireScopes('write')
    write() {
      return 'written';
    }
  }

  const reportOf = (gateway: Type, options?: Given['options']) => startReported({ providers: [gateway], options });

  it('warns of a gateway that everyone can open', async () => {
    const { logger, routes, warnings } = await reportOf(BareGateway);
    expect(accesses(routes)).toStrictEqual([
      'connection bare unguarded',
      `message message ${ARE_MESSAGES_GUARDED ? 'guarded' : 'unguarded'}`,
    ]);
    expect(warnings).toStrictEqual([
      'No AuthGuard protects BareGateway.handleConnection (connection bare): extend AuthenticatedGateway.',
      ...(ARE_MESSAGES_GUARDED
        ? []
        : ['No AuthGuard protects BareGateway.message (message message): add @UseGuards(AuthGuard).']),
    ]);
    expect(logger.of('warn')).toStrictEqual(warnings);
  });

  it.each<[string, Type]>([
    ['connection /admitting unknown', AdmittingGateway],
    ['connection injecting unknown', PropertyGateway],
    ['connection public open', PublicGateway],
  ])('has %s, whatever a gateway does with SocketAuthenticator', async (expected, gateway) => {
    const { app, routes, warnings } = await reportOf(gateway);
    expect(accesses(routes)).toContain(expected);
    expect(openRoutes(app)).toContain(expected.replace(/ (?:unknown|open)$/, ''));
    const ofConnection = warnings.filter((warning) => !warning.includes('(message '));
    expect(ofConnection).toStrictEqual(
      expected.endsWith('unknown') ? [expect.stringContaining('cannot be determined. Check it, or extend')] : [],
    );
  });

  it.each(['global', 'manual'] as const)(
    'has a subclass of AuthenticatedGateway as guarded with all its messages, with guard: %s',
    async (guard) => {
      const { app, routes, warnings } = await reportOf(OursGateway, { guard });
      const expected = [
        'connection /^\\/tenant-/ guarded',
        'message {"cmd":"write"} guarded',
        'message authenticate guarded',
      ];
      expect([accesses(routes), warnings, openRoutes(app)]).toStrictEqual([expected, [], []]);
    },
  );

  it('has a gateway once that several modules provide', async () => {
    @Module({ providers: [OursGateway] })
    class OneModule {}
    const { routes } = await startReported({ imports: [OneModule], providers: [OursGateway] });
    expect(routes).toHaveLength(3);
  });

  it('warns of messages that no guard protects in manual mode', async () => {
    const { warnings } = await reportOf(AdmittingGateway, { guard: 'manual' });
    expect(warnings).toContain(
      'No AuthGuard protects AdmittingGateway.message (message message): add @UseGuards(AuthGuard).',
    );
  });

  it('prevents the start if an AuthenticatedGateway is request-scoped', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}

    @WebSocketGateway({ namespace: 'of-requests' })
    class RequestsGateway extends AuthenticatedGateway {
      constructor(@Inject(Tenant) readonly tenant: Tenant) {
        super();
      }
    }
    expect(await startProblems({ providers: [Tenant, RequestsGateway] })).toEqual([
      expect.stringMatching(/^RequestsGateway is request-scoped/),
    ]);
  });
});

describe('The report of microservices', () => {
  const MessagesController = decoratedClass(
    'MessagesController',
    {
      sum: [MessagePattern({ cmd: 'sum' })],
      placed: [EventPattern(['placed', 'paid']), Public()],
      find: [GrpcMethod('Orders', 'Find')],
      nats: [MessagePattern('nats', Transport.NATS)],
    },
    Controller(),
  );

  const silent = (transport: Transport | undefined): MicroserviceOptions => ({
    strategy: new SilentStrategy(transport),
  });
  const controllers = [MessagesController];
  /** The report of a hybrid application whose microservices are connected with `inheritAppConfig` or without. */
  const hybrid = (...microservices: [transport: Transport | undefined, inheritAppConfig: boolean][]) =>
    startReported({
      controllers,
      prepare: (app: INestApplication) => {
        for (const [transport, inheritAppConfig] of microservices)
          app.connectMicroservice(silent(transport), { inheritAppConfig });
      },
    });
  const expected = (sum: string, find: string, nats: string) => [
    `message {"cmd":"sum"} ${sum}`,
    'event placed open',
    'event paid open',
    `message {"service":"Orders","rpc":"Find","streaming":"no_stream"} ${find}`,
    `message nats ${nats}`,
  ];

  it.each(['global', 'manual'] as const)(
    'of an application without HTTP follows the option guard: %s',
    async (guard) => {
      @Module({ imports: [authModule({ guard })], controllers })
      class MicroserviceModule {}
      const logger = new StartRecorder();
      const options = { ...silent(Transport.TCP), logger };
      const app = await NestFactory.createMicroservice<MicroserviceOptions>(MicroserviceModule, options);
      await app.listen();
      const { routes, warnings } = routeReport(app);
      await app.close();
      const access = guard === 'global' ? 'guarded' : 'unguarded';
      expect(accesses(routes)).toStrictEqual(expected(access, access, access));
      expect(logger.of('log')).toStrictEqual([
        guard === 'global' ? '5 routes: 3 guarded, 2 open' : '5 routes: 2 open, 3 unguarded',
      ]);
      expect(logger.of('warn')).toStrictEqual(warnings);
      expect(warnings).toHaveLength(guard === 'global' ? 0 : 3);
    },
  );

  it.each<[Parameters<typeof hybrid>, ReturnType<typeof expected>]>([
    [[[Transport.TCP, true]], expected('guarded', 'guarded', 'guarded')],
    // The handlers for gRPC and NATS are not called, because only TCP is connected.
    [[[Transport.TCP, false]], expected('unguarded', 'guarded', 'guarded')],
    [
      [
        [Transport.TCP, true],
        [Transport.NATS, false],
      ],
      expected('unguarded', 'guarded', 'unguarded'),
    ],
    [
      [
        [Transport.TCP, false],
        [Transport.NATS, true],
      ],
      expected('unguarded', 'guarded', 'guarded'),
    ],
    // Nest gives every handler to a strategy without a transport id.
    [[[undefined, false]], expected('unguarded', 'unguarded', 'unguarded')],
  ])('of a hybrid application with %j depends on inheritAppConfig', async (microservices, routes) => {
    expect(accesses((await hybrid(...microservices)).routes)).toStrictEqual(routes);
  });

  it('warns of a handler that was connected without inheritAppConfig', async () => {
    const { app, warnings } = await hybrid([Transport.TCP, false]);
    expect(warnings).toStrictEqual([
      'No AuthGuard protects MessagesController.sum (message {"cmd":"sum"}): call connectMicroservice(options, { inheritAppConfig: true }), or add @UseGuards(AuthGuard).',
    ]);
    expect(openRoutes(app)).toContain('message {"cmd":"sum"}');
    expect((await hybrid([Transport.TCP, true])).warnings).toStrictEqual([]);
  });

  it('counts @UseGuards(AuthGuard) in every case', async () => {
    const methods = { guarded: [MessagePattern('guarded')] };
    const GuardedController = decoratedClass('GuardedController', methods, UseGuards(AuthGuard), Controller());
    const { logger, routes } = await startReported({
      controllers: [GuardedController],
      prepare: (app) => app.connectMicroservice(silent(Transport.TCP), { inheritAppConfig: false }),
    });
    expect([accesses(routes), logger.of('warn')]).toStrictEqual([['message guarded guarded'], []]);
  });

  it.each([true, false])('is unknown at start, with one warning (inheritAppConfig: %p)', async (inherit) => {
    const { logger } = await hybrid([Transport.TCP, inherit]);
    expect(logger.of('log')).toStrictEqual(['5 routes: 2 open, 3 unknown']);
    expect(logger.of('warn')).toStrictEqual([
      expect.stringContaining(
        'Message handlers are guarded only if connectMicroservice() is given { inheritAppConfig: true }',
      ),
    ]);
  });

  it('is known at start if no microservice is connected', async () => {
    const { logger } = await startReported({ controllers });
    // Before, Nest does not say what is connected.
    const isKnown = hasNest('11.1.4');
    expect(logger.of('log')).toStrictEqual([`5 routes: ${isKnown ? '3 guarded, 2 open' : '2 open, 3 unknown'}`]);
    expect(logger.of('warn')).toHaveLength(isKnown ? 0 : 1);
  });
});
