import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import {
  All,
  type ArgumentsHost,
  Controller,
  Delete,
  Get,
  Inject,
  Injectable,
  type INestApplication,
  type LoggerService,
  Module,
  type ModuleMetadata,
  Post,
  RequestMethod,
  Sse,
  type Type,
  UseGuards,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
  Scope,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, RouterModule } from '@nestjs/core';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Mutation, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import {
  type CustomTransportStrategy,
  EventPattern,
  GrpcMethod,
  MessagePattern,
  type MicroserviceOptions,
  Server,
  Transport,
} from '@nestjs/microservices';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { of } from 'rxjs';
import {
  type AccessPolicy,
  allOf,
  AuthenticatedGateway,
  AuthGuard,
  AuthModule,
  type AuthOptions,
  type AuthModuleExtras,
  ConfigurationError,
  SocketAuthenticator,
  not,
  openRoutes,
  OptionalAuth,
  Public,
  type ReportedRoute,
  RequireAcr,
  RequireAuthorizationDetails,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
  routeReport,
} from '../../src/index.js';
import { call, PLATFORMS, type Platform, startApp } from '../support/app.js';

const ISSUER = { issuer: 'https://issuer.example.com', audience: 'https://api.example.com' };

/** What the module wrote when the application started. */
class Recorder implements LoggerService {
  readonly lines: { level: string; text: string }[] = [];
  readonly log = this.at('log');
  readonly debug = this.at('debug');
  readonly warn = this.at('warn');
  readonly error = this.at('error');

  private at(level: string) {
    return (message: unknown, ...rest: unknown[]) => {
      if (rest.at(-1) === 'AuthModule') this.lines.push({ level, text: String(message) });
    };
  }

  of(level: string): readonly string[] {
    return this.lines.filter((line) => line.level === level).map(({ text }) => text);
  }
}

interface Given extends ModuleMetadata {
  readonly platform?: Platform;
  readonly options?: Partial<AuthOptions & AuthModuleExtras>;
  readonly prepare?: (app: INestApplication) => void;
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

const NEST_MAJOR = Number.parseInt(
  (JSON.parse(readFileSync('node_modules/@nestjs/core/package.json', 'utf8')) as { version: string }).version,
  10,
);

const open: { close(): Promise<unknown> }[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

function auth(options: Given['options'] = {}) {
  return AuthModule.forRoot({ ...ISSUER, ...options } as AuthOptions);
}

async function start({ platform = 'express', options, prepare, override, imports = [], ...rest }: Given) {
  const logger = new Recorder();
  const metadata = { imports: [auth(options), ...imports], ...rest };
  const { app, url, close } = await startApp(platform, metadata, { logger, prepare, override });
  open.push({ close });
  return { app, url, logger, ...routeReport(app) };
}

/** `GET /orders guarded`. */
function doors(routes: readonly ReportedRoute[]): readonly string[] {
  return routes.map(({ kind, pattern, access }) => `${kind} ${pattern} ${access}`);
}

/** The ConfigurationError that it does not start with. */
async function problemsOf(given: Given): Promise<readonly string[]> {
  try {
    await start(given);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map(({ path, message }) => `${path} ${message}`);
    throw error;
  }
  return [];
}

@Injectable()
class OrderOwner implements AccessPolicy {
  allows() {
    return true;
  }
}

@RequireScopes('read')
@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }

  @Get(':id')
  @RequireScopes('read', 'more')
  @RequireRoles('clerk')
  @RequirePolicy(OrderOwner, { reportOnly: true })
  one() {
    return {};
  }

  @Get('health')
  @Public()
  health() {
    return 'ok';
  }

  @Post('guests')
  @OptionalAuth()
  guests() {
    return 'ok';
  }
}

describe('the report of a route', () => {
  it('tells its path, its handler, who may enter, and what is required from which decorator', async () => {
    const { routes, warnings } = await start({ controllers: [OrdersController], providers: [OrderOwner] });
    const scopes = { decorator: 'RequireScopes', needs: 'all of read', from: 'class', reportOnly: false };
    const common = { transport: 'http' };
    expect(routes).toStrictEqual([
      {
        ...common,
        kind: 'GET',
        pattern: '/orders',
        handler: 'OrdersController.list',
        access: 'guarded',
        requires: [scopes],
      },
      {
        ...common,
        kind: 'GET',
        pattern: '/orders/:id',
        handler: 'OrdersController.one',
        access: 'guarded',
        requires: [
          { decorator: 'RequireScopes', needs: 'all of read, more', from: 'handler', reportOnly: false },
          { decorator: 'RequireRoles', needs: 'all of clerk', from: 'handler', reportOnly: false },
          { decorator: 'RequirePolicy', needs: 'OrderOwner', from: 'handler', reportOnly: true },
        ],
      },
      {
        ...common,
        kind: 'GET',
        pattern: '/orders/health',
        handler: 'OrdersController.health',
        access: 'open',
        accessFrom: 'handler',
        requires: [],
      },
      {
        ...common,
        kind: 'POST',
        pattern: '/orders/guests',
        handler: 'OrdersController.guests',
        access: 'optional',
        accessFrom: 'handler',
        requires: [scopes],
      },
    ]);
    expect(warnings).toStrictEqual([]);
  });

  it('says in words what is needed, and what the module requires', async () => {
    @Controller('steps')
    class StepsController {
      @Get('acr')
      @RequireAcr('mfa', 'phr', { maxAgeSeconds: 60 })
      acr() {
        return 1;
      }

      @Get('age')
      @RequireAcr({ maxAgeSeconds: 60 })
      age() {
        return 1;
      }

      @Get('details')
      @RequireAuthorizationDetails('payment')
      details() {
        return 1;
      }

      @Get('predicate')
      @RequireAuthorizationDetails('payment', () => true)
      predicate() {
        return 1;
      }
    }
    const { routes } = await start({
      controllers: [StepsController],
      options: { require: { anyScope: ['api', 'all'] } },
    });
    expect(routes.map(({ requires }) => requires.map(({ needs, from }) => `${from}: ${needs}`))).toStrictEqual([
      ['module: any of api, all', 'handler: mfa or phr, at most 60 s ago'],
      ['module: any of api, all', 'handler: at most 60 s ago'],
      ['module: any of api, all', 'handler: payment'],
      ['module: any of api, all', 'handler: payment that matches the predicate'],
    ]);
  });

  it('lists for openRoutes what needs no token, in alphabetical order, without the guests', async () => {
    @Public()
    @Controller(['a', 'z'])
    class AController {
      @Delete()
      remove() {
        return 1;
      }
    }
    const { app } = await start({ controllers: [OrdersController, AController], providers: [OrderOwner] });
    expect(openRoutes(app)).toStrictEqual(['DELETE /a', 'DELETE /z', 'GET /orders/health']);
  });
});

/** Every way in which Nest makes a path. */
function pathApp(): Given {
  @Controller({ path: 'versioned', version: ['1', '2', VERSION_NEUTRAL] })
  class VersionedController {
    @Get()
    list() {
      return 1;
    }

    @Public()
    @Version('3')
    @Get(['three', 'drei'])
    three() {
      return 1;
    }
  }

  class Inherited {
    @Get('inherited')
    read() {
      return 1;
    }
  }

  @Public()
  @Controller('open-heir')
  class OpenHeir extends Inherited {}

  @Controller('closed-heir')
  class ClosedHeir extends Inherited {}

  @Controller()
  class KindsController {
    @All('all')
    @Public()
    all() {
      return 1;
    }

    @Sse('stream')
    @Public()
    stream() {
      return of({ data: 'text' });
    }

    @Sse('closed-stream')
    closedStream() {
      return of({ data: 'text' });
    }

    @Get('excluded')
    excluded() {
      return 1;
    }

    @OptionalAuth()
    @Get('guests')
    guests() {
      return 1;
    }

    notAHandler() {
      return 1;
    }
  }

  @Controller('inside')
  class InsideController {
    @Get()
    @Public()
    read() {
      return 1;
    }

    @Get('closed')
    closed() {
      return 1;
    }
  }

  @Module({ controllers: [InsideController] })
  class InsideModule {}

  return {
    controllers: [VersionedController, OpenHeir, ClosedHeir, KindsController],
    imports: [InsideModule, RouterModule.register([{ path: 'deep/down', module: InsideModule }])],
    prepare(app) {
      app.setGlobalPrefix('api', { exclude: [{ path: 'excluded', method: RequestMethod.GET }] });
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '9' });
    },
  };
}

describe.each(PLATFORMS)('the paths in the report on %s', (platform) => {
  it('are those that Nest serves: prefix, versions, modules, lists, inherited and other handlers', async () => {
    const { routes } = await start({ platform, ...pathApp() });
    expect([...doors(routes)].sort()).toStrictEqual([
      'ALL /api/v9/all open',
      'GET /api/v1/versioned guarded',
      'GET /api/v2/versioned guarded',
      'GET /api/v3/versioned/drei open',
      'GET /api/v3/versioned/three open',
      'GET /api/v9/closed-heir/inherited guarded',
      'GET /api/v9/closed-stream guarded',
      'GET /api/v9/deep/down/inside open',
      'GET /api/v9/deep/down/inside/closed guarded',
      'GET /api/v9/guests optional',
      'GET /api/v9/open-heir/inherited open',
      'GET /api/v9/stream open',
      'GET /api/versioned guarded',
      'GET /v9/excluded guarded',
    ]);
  });

  it('lead to what the report says: 401 without a token where it says guarded, and nowhere else', async () => {
    const { url, routes } = await start({ platform, ...pathApp() });
    for (const { kind, pattern, access } of routes) {
      const { status } = await call(`${url}${pattern}`, {}, kind === 'ALL' ? 'PUT' : kind);
      // 404 would be the answer to a path that nobody serves.
      expect([pattern, status]).toStrictEqual([pattern, access === 'guarded' ? 401 : 200]);
    }
  });

  it('are not mixed up between applications that have the same module elsewhere', async () => {
    @Controller('shared')
    class SharedController {
      @Get()
      read() {
        return 1;
      }
    }
    @Module({ controllers: [SharedController] })
    class SharedModule {}
    const under = (path: string) => ({
      platform,
      imports: [SharedModule, RouterModule.register([{ path, module: SharedModule }])],
    });
    await start(under('first'));
    const second = await start(under('second'));
    const third = await start({ platform, imports: [SharedModule] });
    expect(doors(second.routes)).toStrictEqual(['GET /second/shared guarded']);
    expect(doors(third.routes)).toStrictEqual(['GET /shared guarded']);
  });
});

describe("the report with guard: 'manual'", () => {
  const manual = { guard: 'manual' } as const;

  @Injectable()
  class OwnGuard extends AuthGuard {}

  @Controller('manual')
  class ManualController {
    @Get('bare')
    bare() {
      return 1;
    }

    @Get('ours')
    @UseGuards(AuthGuard)
    ours() {
      return 1;
    }

    @Get('own')
    @UseGuards(OwnGuard)
    own() {
      return 1;
    }

    @Get('other')
    @UseGuards({ canActivate: () => true })
    other() {
      return 1;
    }

    @Get('public')
    @Public()
    public() {
      return 1;
    }
  }

  @UseGuards(AuthGuard)
  @Controller('by-class')
  class ByClassController {
    @Get()
    @RequireScopes('read')
    read() {
      return 1;
    }
  }

  @Controller('forgotten')
  class ForgottenController {
    @Get()
    @RequireScopes('read')
    read() {
      return 1;
    }
  }

  it('knows what is guarded by a decorator, on handler and class and by a subclass, and what is not', async () => {
    const { app, url, routes, warnings } = await start({
      options: manual,
      controllers: [ManualController, ByClassController],
    });
    expect(doors(routes)).toStrictEqual([
      'GET /manual/bare unguarded',
      'GET /manual/ours guarded',
      'GET /manual/own guarded',
      'GET /manual/other unguarded',
      'GET /manual/public open',
      'GET /by-class guarded',
    ]);
    expect(openRoutes(app)).toStrictEqual(['GET /manual/bare', 'GET /manual/other', 'GET /manual/public']);
    // It is what manual means.
    expect(warnings).toStrictEqual([]);
    for (const { pattern, access } of routes)
      expect([pattern, (await call(`${url}${pattern}`)).status]).toStrictEqual([
        pattern,
        access === 'guarded' ? 401 : 200,
      ]);
  });

  it('warns of a requirement that no guard asks', async () => {
    const { logger, warnings } = await start({ options: manual, controllers: [ForgottenController] });
    expect(warnings).toStrictEqual([
      "No AuthGuard protects ForgottenController.read (GET /forgotten): add @UseGuards(AuthGuard), or remove guard: 'manual'.",
    ]);
    expect(logger.of('warn')).toStrictEqual(warnings);
  });

  it('counts a guard that the application installs by itself', async () => {
    const { routes } = await start({
      options: manual,
      controllers: [ForgottenController],
      prepare: (app) => app.useGlobalGuards(app.get(AuthGuard)),
    });
    expect(doors(routes)).toStrictEqual(['GET /forgotten guarded']);
  });

  it('counts a subclass that the application provides as its global guard', async () => {
    const { url, routes } = await start({
      options: manual,
      controllers: [ForgottenController],
      providers: [{ provide: APP_GUARD, useClass: OwnGuard }],
    });
    expect(doors(routes)).toStrictEqual(['GET /forgotten guarded']);
    expect((await call(`${url}/forgotten`)).status).toBe(401);
  });

  const passing = { canActivate: () => true };
  const overrides: [guard: 'global' | 'manual', controller: Type, override: Given['override']][] = [
    ['global', ForgottenController, (builder) => builder.overrideProvider(AuthGuard).useValue(passing)],
    ['manual', ByClassController, (builder) => builder.overrideGuard(AuthGuard).useValue(passing)],
  ];

  it.each(overrides)('counts a guard that a test has put in its place (%s)', async (guard, controller, override) => {
    const { url, routes } = await start({ options: { guard }, controllers: [controller], override });
    expect(routes.map(({ access }) => access)).toStrictEqual(['guarded']);
    expect((await call(`${url}${routes[0]?.pattern ?? ''}`)).status).toBe(200);
  });
});

describe('the report of GraphQL', () => {
  @Resolver('Order')
  class OrdersResolver {
    @Query('order')
    @RequireScopes('read')
    order() {
      return 'order';
    }

    @Query('shown')
    @Public()
    show() {
      return {};
    }

    @Mutation(() => String)
    @OptionalAuth()
    place() {
      return 'placed';
    }

    @Subscription(() => String)
    async *placed() {
      yield await Promise.resolve({ placed: 'order' });
    }
  }

  @Resolver('Order')
  class FieldsResolver {
    @ResolveField('plain', () => String)
    plain() {
      return 'plain';
    }

    @ResolveField('scoped', () => String)
    @RequireScopes('read')
    scoped() {
      return 'scoped';
    }

    @ResolveField('open', () => String)
    @Public()
    open() {
      return 'open';
    }
  }

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

  async function data(url: string, query: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    return ((await answer.json()) as { data: unknown }).data;
  }

  it('has queries, mutations, subscriptions; fields are not guarded, and a requirement on one is a warning', async () => {
    const { url, routes, warnings } = await start(graphql());
    expect(doors(routes)).toStrictEqual([
      ...roots,
      'field Order.plain unguarded',
      'field Order.scoped unguarded',
      'field Order.open open',
    ]);
    expect(warnings).toStrictEqual([
      "No AuthGuard protects FieldsResolver.scoped (field Order.scoped): give GraphQLModule fieldResolverEnhancers: ['guards'].",
    ]);
    const open = { plain: 'plain', scoped: 'scoped', open: 'open' };
    expect(await data(url, '{ order shown { plain scoped open } }')).toEqual({ order: null, shown: open });
  });

  it("has guarded fields with fieldResolverEnhancers: ['guards']", async () => {
    const { url, routes, warnings } = await start(graphql(['guards']));
    expect(doors(routes)).toStrictEqual([
      ...roots,
      'field Order.plain guarded',
      'field Order.scoped guarded',
      'field Order.open open',
    ]);
    expect(warnings).toStrictEqual([]);
    const closed = { plain: null, scoped: null, open: 'open' };
    expect(await data(url, '{ shown { plain scoped open } }')).toEqual({ shown: closed });
  });

  it("knows that other enhancers are not guards, and that a decorator's guard is not asked about fields either", async () => {
    @Resolver('Order')
    @UseGuards(AuthGuard)
    class GuardedFields {
      @ResolveField('plain')
      plain() {
        return 'plain';
      }
    }
    const { url, routes } = await start({ ...graphql(['filters']), providers: [OrdersResolver, GuardedFields] });
    expect(doors(routes)).toContain('field Order.plain unguarded');
    expect(await data(url, '{ shown { plain } }')).toEqual({ shown: { plain: 'plain' } });
  });

  it('takes a field of the type Query for a query, as Nest does', async () => {
    @Resolver('Query')
    class RootFields {
      @ResolveField('rooted')
      rooted() {
        return 'rooted';
      }
    }
    const { url, routes } = await start({ ...graphql(), providers: [RootFields] });
    expect(doors(routes)).toStrictEqual(['Query rooted guarded']);
    expect(await data(url, '{ rooted }')).toEqual({ rooted: null });
  });

  it('leaves resolvers out where there is no GraphQLModule', async () => {
    const { routes } = await start({ providers: [OrdersResolver] });
    expect(routes).toStrictEqual([]);
  });
});

describe('the report of gateways', () => {
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
    constructor(@Inject(SocketAuthenticator) private readonly connections: Pick<SocketAuthenticator, 'admit'>) {
      super();
    }

    async handleConnection(client: object, request?: unknown) {
      await this.connections.admit(this, client, request);
    }
  }

  @WebSocketGateway()
  class PropertyGateway extends Messages {
    @Inject(SocketAuthenticator) readonly connections!: SocketAuthenticator;

    async handleConnection(client: object) {
      await this.connections.admit(this, client);
    }
  }

  @WebSocketGateway({ namespace: 'quiet' })
  class QuietGateway extends Messages {
    @Inject(SocketAuthenticator) readonly connections!: SocketAuthenticator;

    handleConnection(client: object) {
      // Not this.connections.admit(this, client), and not what 'connections.admit()' says.
      /* nor this.connections.admit(
         this, client) */
      void this.connections.renew(client, 'this.connections.admit(this)');
    }
  }

  @WebSocketGateway({ namespace: 'renewing' })
  class RenewingGateway extends Messages {
    @Inject(SocketAuthenticator) readonly connections!: SocketAuthenticator;
  }

  @WebSocketGateway({ namespace: /^\/tenant-/ })
  class OursGateway extends AuthenticatedGateway {
    @Inject(AuthGuard) readonly another!: AuthGuard;

    @SubscribeMessage({ cmd: 'write' } as never)
    @RequireScopes('write')
    write() {
      return 'written';
    }
  }

  @Public()
  @WebSocketGateway({ namespace: 'public' })
  class PublicGateway extends Messages {}

  const of = async (gateway: Type, options?: Given['options']) => start({ providers: [gateway], options });

  it('warns of a gateway that anybody may connect to', async () => {
    const { logger, routes, warnings } = await of(BareGateway);
    // On Nest 11 a global guard is not asked about messages either.
    expect(doors(routes)).toStrictEqual([
      'connection bare unguarded',
      `message message ${NEST_MAJOR < 12 ? 'unguarded' : 'guarded'}`,
    ]);
    expect(warnings).toStrictEqual([
      'No AuthGuard protects BareGateway.handleConnection (connection bare): extend AuthenticatedGateway.',
      ...(NEST_MAJOR < 12
        ? ['No AuthGuard protects BareGateway.message (message message): add @UseGuards(AuthGuard).']
        : []),
    ]);
    expect(logger.of('warn')).toStrictEqual(warnings);
  });

  it('takes one for guarded that has SocketAuthenticator injected, in its constructor or as a property', async () => {
    expect(doors((await of(AdmittingGateway)).routes)).toContain('connection /admitting guarded');
    expect(doors((await of(PropertyGateway)).routes)).toContain('connection / guarded');
  });

  it('says that it does not know where SocketAuthenticator is injected, but not seen to be asked', async () => {
    const { app, routes, warnings } = await of(QuietGateway);
    expect(doors(routes)).toContain('connection quiet unknown');
    expect(warnings).toContain(
      'QuietGateway.handleConnection (connection quiet) injects SocketAuthenticator, but its handleConnection does not call admit(). Check that it authenticates each connection, or extend AuthenticatedGateway.',
    );
    expect(openRoutes(app)).toContain('connection quiet');
  });

  it('does not take one for guarded that has SocketAuthenticator, but no handleConnection to ask it in', async () => {
    expect(doors((await of(RenewingGateway)).routes)).toContain('connection renewing unguarded');
  });

  it('takes a subclass of AuthenticatedGateway for guarded, with all its messages, in manual mode too', async () => {
    const expected = [
      'connection /^\\/tenant-/ guarded',
      'message {"cmd":"write"} guarded',
      'message authenticate guarded',
    ];
    for (const guard of ['global', 'manual'] as const) {
      const { app, routes, warnings } = await of(OursGateway, { guard });
      expect([doors(routes), warnings, openRoutes(app)]).toStrictEqual([expected, [], []]);
    }
  });

  it('does not start with an AuthenticatedGateway of requests, whose namespace nobody could guard', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Tenant {}

    @WebSocketGateway({ namespace: 'of-requests' })
    class RequestsGateway extends AuthenticatedGateway {
      constructor(@Inject(Tenant) readonly tenant: Tenant) {
        super();
      }
    }
    expect(await problemsOf({ providers: [Tenant, RequestsGateway] })).toEqual([
      expect.stringMatching(/^RequestsGateway is made anew for each request/),
    ]);
  });

  it('has a @Public() gateway as open', async () => {
    const { routes, warnings } = await of(PublicGateway);
    expect(doors(routes)).toStrictEqual(['connection public open', 'message message open']);
    expect(warnings).toStrictEqual([]);
  });

  it('warns of messages that no guard is asked about in manual mode', async () => {
    const { warnings } = await of(AdmittingGateway, { guard: 'manual' });
    expect(warnings).toStrictEqual([
      'No AuthGuard protects AdmittingGateway.message (message message): add @UseGuards(AuthGuard).',
    ]);
  });
});

/** Connected, but with nothing at the other end. */
class SilentStrategy extends Server implements CustomTransportStrategy {
  constructor(transport: Transport | undefined) {
    super();
    if (transport !== undefined) this.transportId = transport;
  }

  listen(callback: () => void) {
    callback();
  }

  close() {
    return undefined;
  }

  on() {
    return undefined;
  }

  unwrap(): never {
    throw new Error('nothing is there');
  }
}

describe('the report of microservices', () => {
  @Controller()
  class MessagesController {
    @MessagePattern({ cmd: 'sum' })
    sum() {
      return 1;
    }

    @EventPattern(['placed', 'paid'])
    @Public()
    placed() {
      return undefined;
    }

    @GrpcMethod('Orders', 'Find')
    find() {
      return {};
    }

    @MessagePattern('nats', Transport.NATS)
    nats() {
      return 1;
    }
  }

  const silent = (transport: Transport | undefined): MicroserviceOptions => ({
    strategy: new SilentStrategy(transport),
  });
  const connecting =
    (...microservices: [transport: Transport | undefined, inheritAppConfig: boolean][]) =>
    (app: INestApplication) => {
      for (const [transport, inheritAppConfig] of microservices)
        app.connectMicroservice(silent(transport), { inheritAppConfig });
    };
  const controllers = [MessagesController];
  const names = [
    'message {"cmd":"sum"}',
    'event placed',
    'event paid',
    'message {"service":"Orders","rpc":"Find","streaming":"no_stream"}',
    'message nats',
  ];
  const all = (...accesses: string[]) => names.map((name, index) => `${name} ${accesses[index] ?? ''}`);

  it('has a pure microservice as guarded', async () => {
    @Module({ imports: [auth()], controllers })
    class MicroserviceModule {}
    const logger = new Recorder();
    const options = { ...silent(Transport.TCP), logger };
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(MicroserviceModule, options);
    await app.listen();
    open.push(app);
    expect(doors(routeReport(app).routes)).toStrictEqual(all('guarded', 'open', 'open', 'guarded', 'guarded'));
    expect(logger.of('log')).toStrictEqual(['5 routes: 3 guarded, 2 open']);
    expect(logger.of('warn')).toStrictEqual([]);
  });

  it('has that of a testing module as guarded, too', async () => {
    const module = await Test.createTestingModule({ imports: [auth()], controllers }).compile();
    const app = module.createNestMicroservice<MicroserviceOptions>({ ...silent(Transport.TCP), logger: false });
    await app.listen();
    open.push(app);
    expect(doors(routeReport(app).routes)).toStrictEqual(all('guarded', 'open', 'open', 'guarded', 'guarded'));
  });

  it('has a pure microservice as unguarded in manual mode, which is a warning', async () => {
    const module = await Test.createTestingModule({ imports: [auth({ guard: 'manual' })], controllers }).compile();
    const app = module.createNestMicroservice<MicroserviceOptions>({ ...silent(Transport.TCP), logger: false });
    await app.listen();
    open.push(app);
    const { routes, warnings } = routeReport(app);
    expect(doors(routes)).toStrictEqual(all('unguarded', 'open', 'open', 'unguarded', 'unguarded'));
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toContain('@UseGuards(AuthGuard)');
  });

  it('has a hybrid application as guarded that was connected with inheritAppConfig', async () => {
    const { routes, warnings } = await start({ controllers, prepare: connecting([Transport.TCP, true]) });
    expect(doors(routes)).toStrictEqual(all('guarded', 'open', 'open', 'guarded', 'guarded'));
    expect(warnings).toStrictEqual([]);
  });

  it('warns of each handler of one that was connected without', async () => {
    const { app, routes, warnings } = await start({ controllers, prepare: connecting([Transport.TCP, false]) });
    // The last two are for gRPC and NATS alone, which were not connected.
    expect(doors(routes)).toStrictEqual(all('unguarded', 'open', 'open', 'guarded', 'guarded'));
    expect(warnings).toStrictEqual([
      'No AuthGuard protects MessagesController.sum (message {"cmd":"sum"}): call connectMicroservice(options, { inheritAppConfig: true }), or add @UseGuards(AuthGuard).',
    ]);
    expect(openRoutes(app)).toContain('message {"cmd":"sum"}');
  });

  it('looks at each microservice: a handler is guarded when it is so in all that it is for', async () => {
    const mixed = connecting([Transport.TCP, true], [Transport.NATS, false]);
    const { routes } = await start({ controllers, prepare: mixed });
    expect(doors(routes)).toStrictEqual(all('unguarded', 'open', 'open', 'guarded', 'unguarded'));
    const other = await start({ controllers, prepare: connecting([Transport.TCP, false], [Transport.NATS, true]) });
    expect(doors(other.routes).at(-1)).toBe('message nats guarded');
  });

  it('has a strategy that does not say what it is get every handler, as Nest does', async () => {
    const { routes } = await start({ controllers, prepare: connecting([undefined, false]) });
    expect(doors(routes)).toStrictEqual(all('unguarded', 'open', 'open', 'unguarded', 'unguarded'));
  });

  it('counts a decorator in every case', async () => {
    @UseGuards(AuthGuard)
    @Controller()
    class GuardedController {
      @MessagePattern('guarded')
      guarded() {
        return 1;
      }
    }
    const { logger, routes } = await start({
      controllers: [GuardedController],
      prepare: connecting([Transport.TCP, false]),
    });
    expect(doors(routes)).toStrictEqual(['message guarded guarded']);
    expect(logger.of('warn')).toStrictEqual([]);
  });

  it('says at start once that it cannot know, whatever it was connected with', async () => {
    for (const inherit of [true, false]) {
      const { logger } = await start({ controllers, prepare: connecting([Transport.TCP, inherit]) });
      expect(logger.of('log')).toStrictEqual(['5 routes: 2 open, 3 unknown']);
      expect(logger.of('warn')).toStrictEqual([
        'This application has microservice handlers. They are guarded only if connectMicroservice() is given { inheritAppConfig: true }. Call routeReport(app) to check.',
      ]);
    }
  });

  it('says nothing of it where no microservice was connected', async () => {
    const { logger } = await start({ controllers });
    expect(logger.of('log')).toStrictEqual(['5 routes: 3 guarded, 2 open']);
    expect(logger.of('warn')).toStrictEqual([]);
  });
});

describe('the log at start', () => {
  it('has one line with counts, and at debug level a table', async () => {
    const { logger } = await start({ controllers: [OrdersController], providers: [OrderOwner] });
    expect(logger.of('log')).toStrictEqual(['4 routes: 2 guarded, 1 optional, 1 open']);
    expect(logger.of('warn')).toStrictEqual([]);
    const read = '@RequireScopes all of read (class)';
    expect(logger.of('debug')).toStrictEqual([
      [
        'Routes:',
        `http  GET   /orders         guarded             OrdersController.list    ${read}`,
        'http  GET   /orders/:id     guarded             OrdersController.one     @RequireScopes all of read, more (handler); @RequireRoles all of clerk (handler); @RequirePolicy OrderOwner (handler, report only)',
        'http  GET   /orders/health  open (handler)      OrdersController.health',
        `http  POST  /orders/guests  optional (handler)  OrdersController.guests  ${read}`,
      ].join('\n'),
    ]);
  });

  it('speaks of one route in the singular', async () => {
    @Controller('one')
    class OneController {
      @Get()
      nobody() {
        return 1;
      }
    }
    const { logger, routes } = await start({ controllers: [OneController] });
    expect(logger.of('log')).toStrictEqual(['1 route: 1 guarded']);
    expect(routes.map(({ handler }) => handler)).toStrictEqual(['OneController.nobody']);
  });

  it('has nothing for an application context, which serves no routes', async () => {
    @Module({ imports: [auth()], controllers: [OrdersController], providers: [OrderOwner] })
    class AppModule {}
    const logger = new Recorder();
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    open.push(app);
    expect(logger.lines).toStrictEqual([]);
    expect(routeReport(app)).toStrictEqual({ routes: [], warnings: [] });
  });

  it('has a handler once that several modules list', async () => {
    @WebSocketGateway()
    class TwiceGateway extends AuthenticatedGateway {}
    @Module({ providers: [TwiceGateway] })
    class OneModule {}
    const { routes } = await start({ imports: [OneModule], providers: [TwiceGateway] });
    expect(doors(routes)).toStrictEqual(['connection / guarded', 'message authenticate guarded']);
  });
});

describe('an application does not start', () => {
  @Controller('contradictory')
  class ContradictoryController {
    @Get(['one', 'two'])
    @Public()
    @RequireScopes('read')
    twice() {
      return 1;
    }

    @Get('three')
    @RequireRoles('admin')
    @Public()
    other() {
      return 1;
    }

    @Get('fine')
    fine() {
      return 1;
    }
  }

  @Public()
  @RequireScopes('read')
  @Controller('of-class')
  class OfClassController {
    @Get()
    read() {
      return 1;
    }

    @Get('own')
    @OptionalAuth()
    own() {
      return 1;
    }
  }

  const contradiction =
    'is @Public(), so what it requires would never be asked; take one of both away, or use @OptionalAuth()';

  it('with @Public() and a requirement: it names every such handler once', async () => {
    expect(await problemsOf({ controllers: [ContradictoryController, OfClassController] })).toStrictEqual([
      `ContradictoryController.twice ${contradiction}`,
      `ContradictoryController.other ${contradiction}`,
      `OfClassController.read ${contradiction}`,
    ]);
  });

  it('with a policy that is no provider, also one inside of others and one of the module: once each', async () => {
    class Unlisted extends OrderOwner {}
    class Nested extends OrderOwner {}
    class OfModule extends OrderOwner {}
    const noProvider = 'is a policy, but no provider; list it in the `providers` of a module';

    @RequirePolicy(Unlisted)
    @Controller('policies')
    class PoliciesController {
      @Get()
      one() {
        return 1;
      }

      @Get('two')
      two() {
        return 1;
      }

      @Get('nested')
      @RequirePolicy(allOf(OrderOwner, not(Nested)))
      nested() {
        return 1;
      }
    }
    const given = { controllers: [PoliciesController], providers: [OrderOwner] };
    const problems = await problemsOf({ ...given, options: { require: { policy: OfModule } } });
    expect([...problems].sort()).toStrictEqual([
      `Nested ${noProvider}`,
      `OfModule ${noProvider}`,
      `Unlisted ${noProvider}`,
    ]);
    expect(await problemsOf({ ...given, providers: [OrderOwner, Unlisted, Nested] })).toStrictEqual([]);
  });

  it('with both together: all in one error', async () => {
    class Unlisted extends OrderOwner {}
    @RequirePolicy(Unlisted)
    @Controller('policy')
    class PolicyController {
      @Get()
      read() {
        return 1;
      }
    }
    expect(await problemsOf({ controllers: [PolicyController, ContradictoryController] })).toHaveLength(3);
  });
});

describe('nothing else stops the start', () => {
  const circle: Record<string, unknown> = {};
  circle.circle = circle;

  it.each([undefined, circle, 7, null, () => 1])('not a pattern such as %p', async (pattern) => {
    @Controller()
    class OddController {
      @MessagePattern(pattern as never)
      odd(_host: ArgumentsHost) {
        return 1;
      }
    }
    @WebSocketGateway()
    class OddGateway extends AuthenticatedGateway {
      @SubscribeMessage(pattern as never)
      message() {
        return 1;
      }
    }
    const { routes } = await start({ controllers: [OddController], providers: [OddGateway] });
    expect(doors(routes)).toHaveLength(4);
  });

  it('not providers that are values, factories and nothing at all', async () => {
    const { routes } = await start({
      providers: [
        { provide: 'value', useValue: { any: 'thing' } },
        { provide: 'nothing', useValue: null },
        { provide: 'factory', useFactory: () => undefined },
        {
          provide: 'function',
          useFactory: function made() {
            return 1;
          },
        },
        { provide: 'class', useClass: OrderOwner },
        { provide: 'alias', useExisting: 'class' },
      ],
    });
    expect(routes).toStrictEqual([]);
  });
});

describe('a global guard of the application', () => {
  @Injectable()
  class OwnGuard extends AuthGuard {}

  const warned = ({ logger }: { logger: Recorder }) => logger.of('warn').filter((text) => text.includes('OwnGuard'));

  it('that sockets and AuthMiddleware do not ask is a warning', async () => {
    const controllers = [OrdersController];
    const providers = [OrderOwner, { provide: APP_GUARD, useClass: OwnGuard }];
    expect(warned(await start({ controllers, providers, options: { guard: 'manual' } }))).toEqual([
      'OwnGuard is a global guard, but AuthMiddleware and the opening of sockets ask AuthGuard: give it to AuthModule as { guard: OwnGuard }',
    ]);
    const prepare = (app: INestApplication) => app.useGlobalGuards(app.get(OwnGuard));
    expect(
      warned(await start({ controllers, providers: [OrderOwner, OwnGuard], prepare, options: { guard: 'manual' } })),
    ).toHaveLength(1);
  });

  it('that the module was given is none, and is what all of them ask', async () => {
    const started = await start({
      controllers: [OrdersController],
      providers: [OrderOwner],
      options: { guard: OwnGuard },
    });
    expect(warned(started)).toEqual([]);
    expect(started.app.get(AuthGuard)).toBeInstanceOf(OwnGuard);
    expect(doors(started.routes)).toEqual(expect.arrayContaining([expect.stringMatching(/guarded$/)]));
    expect((await call(`${started.url}/orders`)).status).toBe(401);
  });
});
