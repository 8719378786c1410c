import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Delete,
  Get,
  Global,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  Optional,
  Post,
  RequestMethod,
  Scope,
  SetMetadata,
  Sse,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, RouterModule } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { of } from 'rxjs';
import {
  type AccessPolicy,
  allOf,
  AuthenticatedGateway,
  AuthGuard,
  not,
  openRoutes,
  OptionalAuth,
  Public,
  RequireAcr,
  RequireAuthorizationDetails,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
  routeReport,
} from '../../src/index.js';
import { call, PLATFORMS } from '../support/app.js';
import { decoratedClass, routesController } from '../support/decorated-class.js';
import {
  accesses,
  authModule,
  type Given,
  startProblems,
  startReported,
  StartRecorder,
} from '../support/report-app.js';

@Injectable()
class OrderOwner implements AccessPolicy {
  allows() {
    return true;
  }
}

@Injectable()
class OwnGuard extends AuthGuard {}

const OrdersController = decoratedClass(
  'OrdersController',
  {
    list: [Get()],
    one: [
      Get(':id'),
      RequireScopes('read', 'more'),
      RequireRoles('clerk'),
      RequirePolicy(OrderOwner, { reportOnly: true }),
    ],
    health: [Get('health'), Public()],
    guests: [Post('guests'), OptionalAuth()],
  },
  RequireScopes('read'),
  Controller('orders'),
);

const ORDERS = { controllers: [OrdersController], providers: [OrderOwner] };

describe('The report of a route', () => {
  it('has its path, its handler, its access, and its requirements with their decorators', async () => {
    const { routes, warnings } = await startReported(ORDERS);
    const scopes = { decorator: 'RequireScopes', needs: 'all of read', from: 'class', reportOnly: false };
    const route = (kind: string, path: string, handler: string) => ({
      transport: 'http',
      kind,
      pattern: `/orders${path}`,
      handler: `OrdersController.${handler}`,
    });
    expect(routes).toStrictEqual([
      { ...route('GET', '', 'list'), access: 'guarded', requires: [scopes] },
      {
        ...route('GET', '/:id', 'one'),
        access: 'guarded',
        requires: [
          { decorator: 'RequireScopes', needs: 'all of read, more', from: 'handler', reportOnly: false },
          { decorator: 'RequireRoles', needs: 'all of clerk', from: 'handler', reportOnly: false },
          { decorator: 'RequirePolicy', needs: 'OrderOwner', from: 'handler', reportOnly: true },
        ],
      },
      { ...route('GET', '/health', 'health'), access: 'open', accessFrom: 'handler', requires: [] },
      { ...route('POST', '/guests', 'guests'), access: 'optional', accessFrom: 'handler', requires: [scopes] },
    ]);
    expect(warnings).toStrictEqual([]);
  });

  it('describes every kind of requirement, and those of the module', async () => {
    const StepsController = routesController('StepsController', 'steps', {
      acr: [RequireAcr('mfa', 'phr', { maxAgeSeconds: 60 })],
      age: [RequireAcr({ maxAgeSeconds: 60 })],
      details: [RequireAuthorizationDetails('payment')],
      predicate: [RequireAuthorizationDetails('payment', () => true)],
    });
    const options = { require: { anyScope: ['api', 'all'] } };
    const { routes } = await startReported({ controllers: [StepsController], options });
    expect(routes.map(({ requires }) => requires.map(({ needs, from }) => `${from}: ${needs}`))).toStrictEqual([
      ['module: any of api, all', 'handler: mfa or phr, at most 60 s ago'],
      ['module: any of api, all', 'handler: at most 60 s ago'],
      ['module: any of api, all', 'handler: payment'],
      ['module: any of api, all', 'handler: payment that matches the predicate'],
    ]);
  });

  it('is reduced by openRoutes to those that need no token, in alphabetical order', async () => {
    const OpenController = decoratedClass('OpenController', { remove: [Delete()] }, Public(), Controller(['a', 'z']));
    const { app } = await startReported({ ...ORDERS, controllers: [OrdersController, OpenController] });
    expect(openRoutes(app)).toStrictEqual(['DELETE /a', 'DELETE /z', 'GET /orders/health']);
  });
});

/** An application with every way in which Nest composes a path. */
function pathApp(): Given {
  const versioned = Controller({ path: 'versioned', version: ['1', '2', VERSION_NEUTRAL] });
  const three = [Public(), Version('3'), Get(['three', 'drei'])];
  const VersionedController = decoratedClass('VersionedController', { list: [Get()], three }, versioned);

  const Inherited = decoratedClass('Inherited', { read: [Get('inherited')] });

  @Public()
  @Controller('open-heir')
  class OpenHeir extends Inherited {}

  @Controller('closed-heir')
  class ClosedHeir extends Inherited {}

  const kinds = {
    all: [All('all'), Public()],
    excluded: [Get('excluded')],
    guests: [OptionalAuth(), Get('guests')],
    notAHandler: [],
  };
  const KindsController = decoratedClass('KindsController', kinds, Controller());

  @Controller()
  class StreamController {
    @Sse('stream')
    @Public()
    stream() {
      return of({ data: 'text' });
    }
  }

  const InsideController = decoratedClass('InsideController', { read: [Get(), Public()] }, Controller('inside'));

  @Module({ controllers: [InsideController] })
  class InsideModule {}

  return {
    controllers: [VersionedController, OpenHeir, ClosedHeir, KindsController, StreamController],
    imports: [InsideModule, RouterModule.register([{ path: 'deep/down', module: InsideModule }])],
    prepare(app) {
      app.setGlobalPrefix('api', { exclude: [{ path: 'excluded', method: RequestMethod.GET }] });
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '9' });
    },
  };
}

describe.each(PLATFORMS)('The paths of the report on %s', (platform) => {
  it('are those that Nest serves, and answer 401 without a token only where the report says guarded', async () => {
    const { url, routes } = await startReported({ platform, ...pathApp() });
    expect([...accesses(routes)].sort()).toStrictEqual([
      'ALL /api/v9/all open',
      'GET /api/v1/versioned guarded',
      'GET /api/v2/versioned guarded',
      'GET /api/v3/versioned/drei open',
      'GET /api/v3/versioned/three open',
      'GET /api/v9/closed-heir/inherited guarded',
      'GET /api/v9/deep/down/inside open',
      'GET /api/v9/guests optional',
      'GET /api/v9/open-heir/inherited open',
      'GET /api/v9/stream open',
      'GET /api/versioned guarded',
      'GET /v9/excluded guarded',
    ]);
    for (const { kind, pattern, access } of routes) {
      const { status } = await call(`${url}${pattern}`, {}, kind === 'ALL' ? 'PUT' : kind);
      expect([pattern, status]).toStrictEqual([pattern, access === 'guarded' ? 401 : 200]);
    }
  });

  it('are those of the application, even if another one has the same module under another path', async () => {
    const SharedController = decoratedClass('SharedController', { read: [Get()] }, Controller('shared'));
    @Module({ controllers: [SharedController] })
    class SharedModule {}
    const under = (path: string) => ({
      platform,
      imports: [SharedModule, RouterModule.register([{ path, module: SharedModule }])],
    });
    await startReported(under('first'));
    expect(accesses((await startReported(under('second'))).routes)).toStrictEqual(['GET /second/shared guarded']);
    const plain = await startReported({ platform, imports: [SharedModule] });
    expect(accesses(plain.routes)).toStrictEqual(['GET /shared guarded']);
  });
});

describe("The report with guard: 'manual'", () => {
  const options = { guard: 'manual' } as const;

  const ManualController = routesController('ManualController', 'manual', {
    bare: [],
    ours: [UseGuards(AuthGuard)],
    own: [UseGuards(OwnGuard)],
    other: [UseGuards({ canActivate: () => true })],
    public: [Public()],
  });

  @Controller('bound')
  class BoundController {
    constructor() {
      this.read = this.read.bind(this);
    }

    @Get()
    @UseGuards(AuthGuard)
    read() {
      return 'read';
    }
  }

  @Controller({ path: 'scoped', scope: Scope.REQUEST })
  class ScopedController extends BoundController {}

  @Controller({ path: 'class', scope: Scope.REQUEST })
  @UseGuards(AuthGuard)
  class GuardedController extends BoundController {}

  const scoped = { read: [RequireScopes('read')] };
  const ByClassController = routesController('ByClassController', 'by-class', scoped, UseGuards(AuthGuard));
  const ForgottenController = routesController('ForgottenController', 'forgotten', scoped);

  it('knows what a decorator guards: of the handler or the class, with AuthGuard or a subclass', async () => {
    const controllers = [ManualController, ByClassController];
    const { app, url, routes, warnings } = await startReported({ options, controllers });
    expect(accesses(routes)).toStrictEqual([
      'GET /manual/bare unguarded',
      'GET /manual/ours guarded',
      'GET /manual/own guarded',
      'GET /manual/other unguarded',
      'GET /manual/public open',
      'GET /by-class/read guarded',
    ]);
    expect(openRoutes(app)).toStrictEqual(['GET /manual/bare', 'GET /manual/other', 'GET /manual/public']);
    // In manual mode, an unguarded route is expected.
    expect(warnings).toStrictEqual([]);
    for (const { pattern, access } of routes) {
      const { status } = await call(`${url}${pattern}`);
      expect([pattern, status]).toStrictEqual([pattern, access === 'guarded' ? 401 : 200]);
    }
  });

  it('includes a route whose guard Nest does not call, because the constructor replaced the method', async () => {
    const controllers = [BoundController, ScopedController, GuardedController];
    const { app, url, routes, warnings } = await startReported({ options, controllers });
    expect(accesses(routes)).toStrictEqual(['GET /bound unguarded', 'GET /scoped unknown', 'GET /class guarded']);
    expect(openRoutes(app)).toStrictEqual(['GET /bound', 'GET /scoped']);
    expect(warnings).toStrictEqual([
      expect.stringMatching(/^No AuthGuard protects BoundController\.read .* on the class/),
      expect.stringMatching(/^No AuthGuard may protect ScopedController\.read .* on the class/),
    ]);
    const statuses = ['/bound', '/scoped', '/class'].map(async (path) => (await call(`${url}${path}`)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 401]);
  });

  it('does not count a global guard that is installed too late for the routes', async () => {
    const { app, url } = await startReported({ options, controllers: [routesController('Late', '', { read: [] })] });
    app.useGlobalGuards(app.get(AuthGuard));
    expect(openRoutes(app)).toStrictEqual(['GET /read']);
    expect((await call(`${url}/read`)).status).toBe(200);
  });

  it.each<[string, Given]>([
    ['that the application installs', { prepare: (app) => app.useGlobalGuards(app.get(AuthGuard)) }],
    ['whose subclass the application provides', { providers: [{ provide: APP_GUARD, useClass: OwnGuard }] }],
  ])('counts a global guard %s', async (_what, given) => {
    const { url, routes } = await startReported({ options, controllers: [ForgottenController], ...given });
    expect(accesses(routes)).toStrictEqual(['GET /forgotten/read guarded']);
    expect((await call(`${url}/forgotten/read`)).status).toBe(401);
  });

  const passing = { canActivate: () => true };
  it.each<['global' | 'manual', Type, Given['override']]>([
    ['global', ForgottenController, (builder) => builder.overrideProvider(AuthGuard).useValue(passing)],
    ['manual', ByClassController, (builder) => builder.overrideGuard(AuthGuard).useValue(passing)],
  ])('counts a guard that a test overrides (guard: %s)', async (guard, controller, override) => {
    const { url, routes } = await startReported({ options: { guard }, controllers: [controller], override });
    expect(routes.map(({ access }) => access)).toStrictEqual(['guarded']);
    expect((await call(`${url}${routes[0]?.pattern ?? ''}`)).status).toBe(200);
  });
});

describe('The log at start', () => {
  const width = Object.getOwnPropertyDescriptor(process.stdout, 'columns');
  const setWidth = (value: number | undefined) =>
    Object.defineProperty(process.stdout, 'columns', { value, configurable: true });

  beforeEach(() => {
    setWidth(undefined);
  });

  afterAll(() => {
    Object.defineProperty(process.stdout, 'columns', width ?? { value: undefined, configurable: true });
  });

  it('wraps the table within the width of a terminal', async () => {
    setWidth(60);
    const { logger } = await startReported(ORDERS);
    const table = `Routes:
http  GET   /orders         guarded
      OrdersController.list
      @RequireScopes all of read (class)
http  GET   /orders/:id     guarded
      OrdersController.one
      @RequireScopes all of read, more (handler);
      @RequireRoles all of clerk (handler); @RequirePolicy
      OrderOwner (handler, report only)
`;
    expect(logger.of('debug')).toEqual([expect.stringContaining(table)]);
  });

  it('has one line with counts, and a table at debug level', async () => {
    const { logger } = await startReported(ORDERS);
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

  it('has nothing for an application context, which serves no routes', async () => {
    @Module({ imports: [authModule()], ...ORDERS })
    class AppModule {}
    const logger = new StartRecorder();
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    expect((['log', 'debug', 'warn'] as const).flatMap((level) => logger.of(level))).toStrictEqual([]);
    expect(routeReport(app)).toStrictEqual({ routes: [], warnings: [] });
    await app.close();
  });

  it('warns of requirements that no guard checks, because they are not on a handler', async () => {
    const require = RequireScopes('read');
    @Injectable()
    class OrdersService {
      constructor(@Optional() @Inject('missing') readonly missing?: unknown) {}

      @UseGuards(AuthGuard)
      @UseInterceptors()
      @UsePipes()
      @UseFilters()
      @RequireScopes('write')
      write() {
        return 'written';
      }
    }
    const BooksService = decoratedClass('BooksService', { read: [] }, Injectable({ scope: Scope.TRANSIENT }), require);
    Optional()(BooksService.prototype as object, 'books');
    const lists = { imports: [], controllers: [], providers: [], exports: [] };
    const BooksModule = decoratedClass('BooksModule', {}, Module(lists), Global(), require);
    const library = SetMetadata('library', 'event');
    @WebSocketGateway()
    class Gateway extends AuthenticatedGateway {
      @RequireScopes('read')
      override handleConnection() {
        return undefined;
      }
    }
    const placed = [
      decoratedClass('EventsService', { received: [require, library] }, Injectable(), require),
      decoratedClass('CommandHandler', { execute: [] }, Injectable(), library, require),
      Gateway,
      class Inherited extends decoratedClass('Base', { read: [require] }, require) {},
    ];
    const Orders = routesController('Orders', 'orders', { list: [require] }, require);
    const Lost = decoratedClass('Lost', { helper: [require] }, Controller('lost'));
    const { logger, warnings } = await startReported({
      controllers: [Orders, Lost, routesController('Empty', 'empty', {}, require)],
      providers: [OrdersService, BooksService, ...placed],
      imports: [BooksModule],
    });
    const found = warnings.filter((warning) => warning.startsWith('No guard checks the requirements'));
    expect(found.map((warning) => warning.split(' ')[6]).sort()).toEqual([
      'BooksModule,',
      'BooksService,',
      'Lost.helper,',
      'OrdersService.write,',
    ]);
    expect(logger.of('warn')).toEqual(expect.arrayContaining(found));
  });

  it('warns of a global guard that sockets and AuthMiddleware do not use', async () => {
    const warningsOf = async (given: Given) =>
      (await startReported({ ...ORDERS, ...given })).logger.of('warn').filter((text) => text.includes('OwnGuard'));
    const expected = [
      'OwnGuard is a global guard, but AuthMiddleware and SocketAuthenticator use AuthGuard. Pass it to AuthModule: { guard: OwnGuard }',
    ];
    const options = { guard: 'manual' } as const;
    const providers = [OrderOwner, { provide: APP_GUARD, useClass: OwnGuard }];
    expect(await warningsOf({ options, providers })).toEqual(expected);
    const prepare = (app: INestApplication) => app.useGlobalGuards(app.get(OwnGuard));
    expect(await warningsOf({ options, providers: [OrderOwner, OwnGuard], prepare })).toEqual(expected);
    expect(await warningsOf({ options: { guard: OwnGuard } })).toEqual([]);
  });
});

describe('An application with a subclass of AuthGuard in the options', () => {
  it('uses it as the global guard', async () => {
    const { app, url, routes } = await startReported({ ...ORDERS, options: { guard: OwnGuard } });
    expect(app.get(AuthGuard)).toBeInstanceOf(OwnGuard);
    expect(routes.map(({ access }) => access)).toEqual(['guarded', 'guarded', 'open', 'optional']);
    expect((await call(`${url}/orders`)).status).toBe(401);
  });
});

describe('An application does not start', () => {
  const ContradictoryController = routesController('ContradictoryController', 'contradictory', {
    // Two routes of one handler.
    twice: [Public(), RequireScopes('read'), Get(['one', 'two'])],
    fine: [],
  });

  const OfClassController = routesController('OfClassController', 'of-class', { read: [], own: [OptionalAuth()] });
  for (const decorator of [Public(), RequireScopes('read')]) decorator(OfClassController);

  const SCOPED = { read: [RequireScopes('read')] };

  class Unlisted extends OrderOwner {}
  class Nested extends OrderOwner {}
  class OfModule extends OrderOwner {}

  const PoliciesController = routesController('PoliciesController', 'policies', {
    one: [],
    two: [],
    nested: [RequirePolicy(allOf(OrderOwner, not(Nested)))],
  });
  RequirePolicy(Unlisted)(PoliciesController);

  it('if @Public() contradicts a requirement, or a policy is not a provider: every problem once', async () => {
    const controllers = [ContradictoryController, OfClassController, PoliciesController];
    const given = { controllers, providers: [OrderOwner], options: { require: { policy: OfModule } } };
    const contradiction =
      'is @Public(), so its requirements would never be checked; remove one of them, or use @OptionalAuth()';
    const notProvided = 'is a policy but not a provider; list it in the `providers` of a module';
    expect([...(await startProblems(given))].sort()).toStrictEqual([
      `ContradictoryController.twice ${contradiction}`,
      `Nested ${notProvided}`,
      `OfClassController.read ${contradiction}`,
      `OfModule ${notProvided}`,
      `Unlisted ${notProvided}`,
    ]);
    const providers = [OrderOwner, Unlisted, Nested];
    expect(await startProblems({ controllers: [PoliciesController], providers })).toStrictEqual([]);
  });

  it.each<[string, Given]>([
    ['of a decorator', { options: { guard: 'manual' }, controllers: [routesController('Routes', '', SCOPED)] }],
    [
      'of the module',
      {
        options: { guard: 'manual', require: { scopes: ['read'] } },
        controllers: [routesController('Routes', '', { read: [] })],
      },
    ],
  ])('if no guard checks a requirement %s', async (_what, given) => {
    const fix = "add @UseGuards(AuthGuard), or remove guard: 'manual'";
    expect(await startProblems(given)).toEqual([
      `Routes.read has requirements, but no AuthGuard that checks them: ${fix}`,
    ]);
  });

  it('if a constructor may remove the only guard that checks a requirement', async () => {
    @Controller({ scope: Scope.REQUEST })
    class BoundController {
      constructor() {
        this.read = this.read.bind(this);
      }

      @Get()
      @UseGuards(AuthGuard)
      @RequireScopes('read')
      read() {
        return 'read';
      }
    }
    expect(await startProblems({ options: { guard: 'manual' }, controllers: [BoundController] })).toEqual([
      expect.stringMatching(/^BoundController\.read has requirements, .*: put @UseGuards\(AuthGuard\) on the class/),
    ]);
    UseGuards(AuthGuard)(BoundController);
    expect(await startProblems({ options: { guard: 'manual' }, controllers: [BoundController] })).toEqual([]);
  });

  const proxy = (type: Type) => new Proxy(type, {});
  const constructing = (type: Type) => {
    const replaced = function () {
      return Reflect.construct(type, []) as object;
    };
    replaced.prototype = type.prototype as object;
    return replaced as unknown as Type;
  };

  it.each<[string, (type: Type) => Type, Scope]>([
    ['a Proxy', proxy, Scope.DEFAULT],
    ['a Proxy, in request scope', proxy, Scope.REQUEST],
    ['a function that constructs it', constructing, Scope.DEFAULT],
  ])('if a decorator replaced a class by %s, whose instances have other decorators', async (_what, replace, scope) => {
    const Replaced = replace(decoratedClass('Replaced', { read: [Get()] }));
    Controller({ scope })(Replaced);
    RequireScopes('read')(Replaced);
    const [problem, ...others] = await startProblems({ controllers: [Replaced] });
    expect([problem, others]).toEqual([expect.stringMatching(/ has instances of another class/), []]);
  });

  it('if the constructor replaces a method by one with other decorators', async () => {
    @Controller()
    class AliasController {
      constructor() {
        this.admin = this.list.bind(this);
        Object.assign(this, { write: Reflect.get(this, 'list') });
      }

      @Get('list')
      @Public()
      list() {
        return 'list';
      }

      @Get('admin')
      admin() {
        return 'admin';
      }

      @Get('write')
      @RequireScopes('write')
      write() {
        return 'write';
      }
    }
    expect(await startProblems({ controllers: [AliasController] })).toEqual([
      expect.stringMatching(/^AliasController\.write calls the function of list, which has other decorators/),
    ]);
  });
});

describe('An application starts', () => {
  const circle: Record<string, unknown> = {};
  circle.circle = circle;

  it.each([undefined, circle, 7, null, () => 1])('with a message pattern such as %p', async (pattern) => {
    @Controller()
    class OddController {
      @MessagePattern(pattern as never)
      odd() {
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
    const { routes } = await startReported({ controllers: [OddController], providers: [OddGateway] });
    expect(routes).toHaveLength(4);
  });

  it('with providers that are values, factories and aliases', async () => {
    const providers = [
      { provide: 'value', useValue: { any: 'thing' } },
      { provide: 'nothing', useValue: null },
      { provide: 'factory', useFactory: () => undefined },
      { provide: 'function', useFactory: () => () => 1 },
      { provide: 'class', useClass: OrderOwner },
      { provide: 'alias', useExisting: 'class' },
    ];
    expect((await startReported({ providers })).routes).toStrictEqual([]);
  });
});
