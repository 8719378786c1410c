import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Agent, request as httpRequest } from 'node:http';
import {
  Controller,
  Get,
  HttpException,
  ImATeapotException,
  type INestApplication,
  Logger,
  type MiddlewareConsumer,
  Module,
  type ModuleMetadata,
  type NestModule,
  Scope,
  type Type,
} from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { AuthEvents, AuthGuard, authHook, AuthMiddleware, AuthModule, Public } from '../../src/index.js';
import { type Answer, bearer, call, closeApps, fastifyOf, type Platform, PLATFORMS } from '../support/app.js';
import { decoratedClass } from '../support/decorated-class.js';
import { codeInComments } from '../docs/pages.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { LocalIssuer, AUDIENCE } from '../support/local-issuer.js';
import { type OrdersApp, type OrdersOptions, startOrders } from '../support/orders-app.js';

const { key, issuer, good, TOKENS } = issuerWithTokens();

const connections = new Agent({ keepAlive: true });

afterEach(async () => {
  connections.destroy();
  await closeApps();
});

/** A response with this header is from what is mounted behind the middleware. */
const MARK = 'x-served-to';

interface MountedRequest {
  readonly user?: { readonly sub?: string };
}

interface NodeResponse {
  setHeader(name: string, value: string): void;
  end(body: string): void;
}

function mounted(request: MountedRequest, response: NodeResponse): void {
  response.setHeader(MARK, request.user?.sub ?? 'nobody');
  response.end('mounted');
}

function addRoutes(app: INestApplication, paths = ['/docs', '/docs/*']): void {
  for (const path of paths)
    fastifyOf(app).all(path, (request, reply) => {
      const { user } = (Object.hasOwn(request, 'user') ? request : request.raw) as MountedRequest;
      return reply.header(MARK, user?.sub ?? 'nobody').send('mounted');
    });
}

function applying(...middleware: (Type | typeof mounted)[]): Type {
  @Module({})
  class ApplyingModule implements NestModule {
    configure(consumer: MiddlewareConsumer) {
      for (const each of middleware) consumer.apply(each).forRoutes('docs{/*path}');
    }
  }
  return ApplyingModule;
}

interface Mount {
  readonly platform: Platform;
  readonly imports?: () => ModuleMetadata['imports'];
  readonly prepare?: (app: INestApplication) => void;
}

const useBoth = (app: INestApplication) => app.use('/docs', app.get(AuthMiddleware).use).use('/docs', mounted);

const MOUNTS: Record<string, Mount> = {
  'app.use on express': { platform: 'express', prepare: useBoth },
  'app.use on fastify': { platform: 'fastify', prepare: useBoth },
  'authHook on fastify': {
    platform: 'fastify',
    prepare(app) {
      fastifyOf(app).addHook('onRequest', authHook(app, '/docs'));
      addRoutes(app);
    },
  },
  "Nest's middleware on express": { platform: 'express', imports: () => [applying(AuthMiddleware, mounted)] },
  "Nest's middleware on fastify": {
    platform: 'fastify',
    imports: () => [applying(AuthMiddleware)],
    prepare: (app) => {
      addRoutes(app);
    },
  },
};

@Controller('guarded')
class GuardedController {
  @Get()
  read() {
    return 'guarded';
  }
}

function start(
  { imports, ...mount }: Mount,
  options: OrdersOptions = {},
  override?: (builder: TestingModuleBuilder) => TestingModuleBuilder,
): Promise<OrdersApp> {
  return startOrders(issuer, options, { ...mount, override, imports: imports?.(), controllers: [GuardedController] });
}

/** Everything that a client sees of a refusal. */
function refusal({ status, text, headers }: Answer) {
  const names = ['content-type', 'www-authenticate', MARK];
  return { status, text, ...Object.fromEntries(names.map((name) => [name, headers[name]])) };
}

/** Sends the path exactly as it is given; `URL` would normalize it. */
function send(url: string, path: string, method: string, headers: Record<string, string>): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    // Fastify answers a malformed HEAD with a body, which Node's client does not parse.
    const agent = method === 'HEAD' ? false : connections;
    const request = httpRequest({ hostname, port, path, method, headers, agent }, (response) => {
      response.resume();
      resolve(response.headers[MARK] === undefined ? String(response.statusCode) : 'served');
    });
    request.on('error', reject).end();
  });
}

const SPELLINGS = [
  '/docs /docs/ /docs// //docs //docs/ /docs/page /docs//page /docs/a/b /docs? /docs?x=1 /docs/?/x /docs#x docs ?docs',
  '/%64ocs /%64ocs/page /do%63s/ /%2564ocs /%2564ocs/page /docs/%70age /docs%2fpage /docs%2Fpage /docs%3fx /docs%23x',
  '/docs%2e /docs/%2e /docs/. /docs/%2e%2e/docs /docs/../x /x/../docs /./docs /docs/../docs /docs%00 /docs%20 /docs%25',
  '/DOCS /Docs/ /dOcs/page /docs;a=b /docs/;x /docs/;/page /docs/..;/docs /docs;/page /docs/x%0ay /docs/%2525',
  'http://127.0.0.1/docs HTTP://127.0.0.1/docs/page http://127.0.0.1/%64ocs //127.0.0.1/docs',
  '/docs\\ /docs\\page \\docs /docs/% /docs/%zz /%E2%84%AA',
].flatMap((line) => line.split(' '));

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

async function servedBy(url: string, headers: Record<string, string>): Promise<readonly string[]> {
  const served: string[] = [];
  for (const method of METHODS) {
    const outcomes = await Promise.all(SPELLINGS.map((path) => send(url, path, method, headers)));
    served.push(...SPELLINGS.filter((_, index) => outcomes[index] === 'served').map((path) => `${method} ${path}`));
  }
  return served;
}

describe.each(Object.entries(MOUNTS))('AuthMiddleware by %s', (_name, mount) => {
  it('admits a valid token, and sets its user on request.user', async () => {
    const { ask } = await start(mount);
    for (const path of ['docs', 'docs/page']) {
      const { status, text, headers } = await ask(good(), path);
      expect([status, text, headers[MARK]]).toStrictEqual([200, 'mounted', 'alice']);
    }
    const user = ({ claims }: { claims: { sub?: string } }) => Promise.resolve({ sub: `user ${String(claims.sub)}` });
    const mapped = await start(mount, { user });
    expect((await mapped.ask(good(), 'docs')).headers[MARK]).toBe('user alice');
  });

  it('answers every refusal as the guard does, including the option `require`', async () => {
    const { ask } = await start(mount, { require: { scopes: ['api'] } });
    const cases: [code: string, headers: Record<string, string | string[]>][] = [
      ['TOKEN_MISSING', {}],
      ['SCHEME_UNSUPPORTED', { authorization: 'Basic YWxpY2U6' }],
      ['TOKEN_MALFORMED', bearer('abc')],
      ['TOKEN_MULTIPLE', { authorization: [good().authorization, good().authorization] }],
      ['TOKEN_EXPIRED', good({ exp: 1 })],
      ['SIGNATURE_INVALID', bearer(TOKENS.forged())],
      ['SCOPE_INSUFFICIENT', good({ scope: 'other' })],
    ];
    for (const [code, headers] of cases) {
      const expected = await ask(headers, 'guarded');
      expect(expected.body.code).toBe(code);
      expect(refusal(await ask(headers, 'docs'))).toStrictEqual(refusal(expected));
    }
    expect((await ask(good({ scope: 'api' }), 'docs')).status).toBe(200);
  });

  it('answers 503 with Retry-After while the keys cannot be fetched', async () => {
    const stopped = await LocalIssuer.start([key]);
    const headers = bearer(stopped.token(key, 'RS256'));
    await stopped.stop();
    const { ask } = await start(mount, { issuer: stopped.url });
    const [expected, answer] = [await ask(headers, 'guarded'), await ask(headers, 'docs')];
    expect([answer.status, answer.body.code]).toStrictEqual([503, 'KEYS_UNAVAILABLE']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(refusal(answer)).toStrictEqual(refusal(expected));
  });

  it('serves nothing without a token, however the path is spelled', async () => {
    const { ask, url } = await start(mount);
    // Without this the test would pass if nothing were mounted.
    expect(await servedBy(url, good())).toEqual(
      expect.arrayContaining(['GET /docs', 'HEAD /docs/', 'POST /docs/page']),
    );
    expect(await servedBy(url, {})).toStrictEqual([]);
    const head = await call(`${url}/docs`, {}, 'HEAD');
    expect([head.status, head.text, head.headers['www-authenticate']]).toStrictEqual([401, '', 'Bearer']);
    expect((await ask({}, 'docs')).status).toBe(401);
  }, 30_000);

  it("answers with the application's HttpException, and with 500 for other errors without their message", async () => {
    const user = ({ claims }: { claims: { sub?: string } }) => {
      if (claims.sub === 'poor') throw new HttpException({ reason: 'no contract' }, 402);
      throw new Error('the database is down');
    };
    const { ask } = await start(mount, { user });
    const unpaid = await ask(good({ sub: 'poor' }), 'docs');
    expect([unpaid.status, unpaid.body]).toStrictEqual([402, { reason: 'no contract' }]);
    const { status, headers, text } = await ask(good(), 'docs');
    expect([status, headers['www-authenticate'], headers[MARK]]).toStrictEqual([500, undefined, undefined]);
    expect(text).not.toContain('database');
  });

  it('uses the guard of the options, or one that a test overrides', async () => {
    class TeapotGuard extends AuthGuard {
      override canActivate(): Promise<boolean> {
        throw new ImATeapotException();
      }
    }
    const { ask } = await start(mount, { guard: TeapotGuard });
    expect((await ask(good(), 'docs')).status).toBe(418);
    for (const decision of [true, Promise.resolve(false)]) {
      const guard = { canActivate: () => decision };
      const overridden = await start(mount, {}, (builder) => builder.overrideProvider(AuthGuard).useValue(guard));
      const { status, headers } = await overridden.ask({}, 'docs');
      expect([status, headers[MARK] !== undefined]).toEqual(decision === true ? [200, true] : [403, false]);
    }
  });
});

describe('An error of what is mounted behind AuthMiddleware', () => {
  const broken = () => {
    throw new Error('mounted, and broken');
  };

  it.each(PLATFORMS)('is answered 500 on %s', async (platform) => {
    const prepare = (app: INestApplication) => app.use('/docs', app.get(AuthMiddleware).use).use('/docs', broken);
    const { ask } = await start({ platform, prepare });
    expect((await ask(good(), 'docs')).status).toBe(500);
  });

  it('is answered 500 if it is mounted on Fastify itself, which has no handler for it', async () => {
    const { app, ask } = await start({
      platform: 'fastify',
      prepare: (given) => given.use('/docs', given.get(AuthMiddleware).use),
    });
    (fastifyOf(app) as unknown as { use(path: string, middleware: () => void): void }).use('/docs', broken);
    const { status, body } = await ask(good(), 'docs');
    expect([status, body]).toStrictEqual([500, { statusCode: 500, message: 'Internal Server Error' }]);
  });

  it('closes a response that has already started, without a rejection', async () => {
    const { app } = await start({ platform: 'express' });
    const calls: string[] = [];
    const response = {
      statusCode: 200,
      headersSent: true,
      setHeader: () => calls.push('header'),
      end: () => calls.push('end'),
      destroy: () => calls.push('destroy'),
    };
    await expect(app.get(AuthMiddleware).use({ headers: good() }, response, broken)).resolves.toBeUndefined();
    expect(calls).toStrictEqual(['destroy']);
  });
});

describe('authHook', () => {
  const startHooked = (prefixes: string[], paths?: string[]) =>
    start({
      platform: 'fastify',
      prepare(app) {
        fastifyOf(app).addHook('onRequest', authHook(app, ...prefixes));
        addRoutes(app, paths);
      },
    });

  it('keeps the route from running while an asynchronous onSend hook runs', async () => {
    let runs = 0;
    const prepare = (app: INestApplication) => {
      const fastify = fastifyOf(app);
      fastify.addHook('onSend', async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
      });
      fastify.addHook('onRequest', authHook(app, '/docs'));
      fastify.get('/docs', () => {
        runs += 1;
        return 'secret';
      });
    };
    const { ask } = await start({ platform: 'fastify', prepare });
    expect([(await ask({}, 'docs')).status, runs]).toEqual([401, 0]);
    expect([(await ask(good(), 'docs')).text, runs]).toEqual(['secret', 1]);
  });

  it.each([[['/docs']], [['/docs/']], [['docs']], [['/Docs']], [['/other', '/docs']], [['/']], [[]]])(
    'guards routes under %j',
    async (prefixes) => {
      const { ask } = await startHooked(prefixes);
      for (const path of ['docs', 'docs/', 'docs/page']) expect((await ask({}, path)).status).toBe(401);
    },
  );

  it.each(['/docs*', '/docs/:page', '/docs/:page?', '/docs/a-:b'])('guards a route %s under /docs', async (path) => {
    const { ask } = await startHooked(['/docs'], [path]);
    expect((await ask({}, 'docs/a-1')).status).toBe(401);
    expect((await ask(good(), 'docs/a-1')).status).toBe(200);
  });

  it('does not guard other routes, such as one with a longer name, and the 404 response', async () => {
    const { ask } = await startHooked(['/docs'], ['/docs-public', '/public/docs']);
    for (const path of ['docs-public', 'public/docs']) expect((await ask({}, path)).text).toBe('mounted');
    expect((await ask({}, 'nowhere')).status).toBe(404);
  });

  it('guards the routes of controllers without a prefix, also in request scope', async () => {
    @Controller({ path: 'scoped', scope: Scope.REQUEST })
    class ScopedController {
      @Get()
      @Public()
      read() {
        return 'read';
      }
    }
    const prepare = (app: INestApplication) => fastifyOf(app).addHook('onRequest', authHook(app));
    const { ask } = await startOrders(issuer, {}, { platform: 'fastify', prepare, controllers: [ScopedController] });
    expect([(await ask({}, 'scoped')).status, (await ask(good(), 'scoped')).status]).toEqual([401, 200]);
  });

  it.each(['/docs/*', '/docs/:page', '/docs(.*)'])('throws for the pattern %s, which is no prefix', async (pattern) => {
    await expect(startHooked([pattern])).rejects.toThrow('is a pattern');
  });

  it('can be created for an application without hooks, which never calls it', async () => {
    const { app } = await start({ platform: 'express' });
    expect(typeof authHook(app, '/docs')).toBe('function');
  });

  it('warns of a prefix that no route has', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const prefixes = ['/docs', '/api/docs', '/doc'];
    await startHooked(prefixes);
    const text = (prefix: string) => expect.stringContaining(`authHook saw no route under "${prefix}"`);
    expect(warn.mock.calls.flat().filter((line) => String(line).startsWith('authHook'))).toEqual([
      text('/api/docs'),
      text('/doc'),
    ]);
    warn.mockRestore();
  });

  describe('with two AuthModules', () => {
    const other = (guard: 'manual' | 'global') => {
      const auth = AuthModule.forRoot({
        issuer: 'https://other.example.com',
        audience: 'other',
        guard,
        isGlobal: false,
      });
      return decoratedClass('OtherModule', {}, Module({ imports: [auth] }));
    };
    const prepare = (app: INestApplication) => {
      fastifyOf(app).addHook('onRequest', authHook(app, '/docs'));
      addRoutes(app);
    };

    it('uses the options of the one with the global guard', async () => {
      const { ask } = await start({ platform: 'fastify', imports: () => [other('manual')], prepare });
      expect((await ask(good(), 'docs')).status).toBe(200);
    });

    it('throws if none has a global guard', async () => {
      const mount: Mount = { platform: 'fastify', imports: () => [other('manual')], prepare };
      await expect(start(mount, { guard: 'manual' })).rejects.toThrow('not clear whose options apply');
    });
  });

  it('serves nothing without a token if the router is lenient', async () => {
    const routerOptions = {
      caseSensitive: false,
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      useSemicolonDelimiter: true,
    };
    const auth = AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE });
    const module = await Test.createTestingModule({ imports: [auth] }).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ routerOptions }), {
      logger: false,
    });
    fastifyOf(app).addHook('onRequest', authHook(app, '/docs'));
    addRoutes(app, ['/Docs', '/Docs/*']);
    await app.listen(0, '127.0.0.1');
    try {
      const url = await app.getUrl();
      const served = ['GET //docs', 'GET /DOCS', 'GET /docs;a=b', 'HEAD /docs//'];
      expect(await servedBy(url, good())).toEqual(expect.arrayContaining(served));
      expect(await servedBy(url, {})).toStrictEqual([]);
    } finally {
      await app.close();
    }
  }, 30_000);
});

/** The documentation warns of these. If one fails because Nest guards more now, remove the warning. */
describe.each(PLATFORMS)('The example in the doc comment, on %s', (platform) => {
  const PATHS = [
    'docs',
    'docs-json',
    'docs-yaml',
    ...(platform === 'express' ? ['docs/', 'docs/swagger-ui-init.js'] : []),
  ];
  const OTHER_SPELLINGS = [
    'DOCS',
    'Docs-Json',
    'docs-yaml/',
    '/docs-json',
    '%64ocs-yaml',
    'docs-json?x=1',
    'docs/index.html',
  ];

  /** On Fastify, Swagger UI needs a package that is not installed here. A route replaces it. */
  const setup = (path: string, app: INestApplication, document: OpenAPIObject) => {
    SwaggerModule.setup(path, app, document, { ui: platform === 'express' });
    if (platform === 'fastify') fastifyOf(app).get(`/${path}`, (_request, reply) => reply.send('Swagger UI'));
  };

  const startDocumented = (code = "SwaggerModule.setup('docs', app, document)") => {
    const prepare = (app: INestApplication) => {
      const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
      const names = { app, document, AuthMiddleware, authHook, SwaggerModule: { setup } };
      // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text of our own comment
      const run = new Function(...Object.keys(names), code) as (...values: unknown[]) => void;
      run(...Object.values(names));
    };
    return start({ platform, prepare });
  };

  it('leaves no path of Swagger UI open', async () => {
    const [express] = codeInComments('src/nest/auth.middleware.ts');
    const [fastify] = codeInComments('src/nest/auth-hook.ts');
    const guarded = await startDocumented(platform === 'express' ? express : fastify);
    const open = await startDocumented();
    for (const path of PATHS) {
      expect([path, (await open.ask({}, path)).status]).toEqual([path, 200]);
      expect([path, (await guarded.ask({}, path)).body.code]).toEqual([path, 'TOKEN_MISSING']);
      expect([path, (await guarded.ask(good(), path)).status]).toEqual([path, 200]);
    }
    for (const path of OTHER_SPELLINGS) {
      const { status } = await guarded.ask({}, path);
      expect([path, [401, 404].includes(status)]).toEqual([path, true]);
    }
  });
});

describe("Nest's middleware does not guard", () => {
  const imports = () => [applying(AuthMiddleware)];

  it.each(PLATFORMS)('what was mounted with app.use before the start, on %s', async (platform) => {
    const { ask } = await start({ platform, imports, prepare: (app) => app.use('/docs', mounted) });
    expect((await ask({}, 'docs')).text).toBe('mounted');
  });

  it('a route that was registered on Express before the start', async () => {
    const prepare = (app: INestApplication) =>
      (app.getHttpAdapter() as { get(path: string, handler: unknown): void }).get('/docs', mounted);
    const { ask } = await start({ platform: 'express', imports, prepare });
    expect((await ask({}, 'docs')).text).toBe('mounted');
  });
});

describe("AuthMiddleware with guard: 'manual'", () => {
  it('requires a token for routes that no AuthGuard protects', async () => {
    @Controller('plain')
    class PlainController {
      @Get()
      read() {
        return 'plain';
      }
    }
    const prepare = (app: INestApplication) => app.use(app.get(AuthMiddleware).use);
    const { app, ask } = await startOrders(issuer, { guard: 'manual' }, { prepare, controllers: [PlainController] });
    const events: string[] = [];
    app.get(AuthEvents).subscribe(({ outcome, handler }) => events.push(`${outcome} ${handler.replace(/\..*/, '')}`));
    expect((await ask({}, 'plain')).status).toBe(401);
    expect((await ask(good(), 'plain')).text).toBe('plain');
    expect(events).toEqual(['refused AuthMiddleware', 'admitted AuthMiddleware']);
  });
});
