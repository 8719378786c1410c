import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  type Provider,
  Scope,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import passport from 'passport';
import {
  AccessTokenVerifier,
  AuthError,
  AuthGuard,
  AuthModule,
  type AuthOptions,
  type AuthOptionsCreator,
  ConfigurationError,
  CurrentUser,
  JwtStrategy,
  RequireRoles,
} from '../../src/index.js';
import { PROVIDER_CHECK } from '../../src/options/options.js';
import { bearer, call, closeApps, PLATFORMS, startApp } from '../support/app.js';
import { polluted } from '../support/polluted.js';
import { routesController } from '../support/decorated-class.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { LocalIssuer, newKey, AUDIENCE } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';
import { OrdersController } from '../support/orders.js';
import { startOrders } from '../support/orders-app.js';

const { key, issuer, tokenOf, good } = issuerWithTokens();
const optionsFor = (from: LocalIssuer): AuthOptions => ({ issuer: from.url, audience: AUDIENCE });

afterEach(closeApps);

const registeredStrategies = () => Object.keys((passport as unknown as { _strategies: object })._strategies);

@Injectable()
class Creator implements AuthOptionsCreator {
  createAuthOptions(): AuthOptions {
    return optionsFor(issuer);
  }
}

@Module({ providers: [Creator], exports: [Creator] })
class CreatorModule {}

@Injectable()
class AsyncCreator implements AuthOptionsCreator {
  createAuthOptions(): Promise<AuthOptions> {
    return Promise.resolve(optionsFor(issuer));
  }
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {}

@Injectable()
class Settings {
  constructor(@Inject(Tenant) readonly tenant: Tenant) {}
}

@Injectable({ scope: Scope.REQUEST })
class TenantCreator extends Creator {}

@Module({ providers: [{ provide: 'tenant', useValue: {} }] })
class PrivateModule {}

@Injectable()
class RequestGuard extends AuthGuard {
  @Inject(REQUEST) readonly request!: object;
}

@Injectable()
class RequestStrategy extends JwtStrategy {
  @Inject(REQUEST) readonly request!: object;
}

describe.each(PLATFORMS)('AuthModule on %s', (platform) => {
  const forms = {
    forRoot: () => AuthModule.forRoot(optionsFor(issuer)),
    'forRoot with a guard that is undefined': () => AuthModule.forRoot({ ...optionsFor(issuer), guard: undefined }),
    'forRootAsync with useFactory and ConfigService': () =>
      AuthModule.forRootAsync({
        imports: [
          ConfigModule.forRoot({
            ignoreEnvFile: true,
            load: [() => ({ AUTH_ISSUER: issuer.url, AUTH_AUDIENCE: AUDIENCE })],
          }),
        ],
        inject: [ConfigService],
        useFactory: (config: ConfigService) => ({
          issuer: config.getOrThrow<string>('AUTH_ISSUER'),
          audience: config.getOrThrow<string>('AUTH_AUDIENCE'),
        }),
      }),
    'forRootAsync with an async useFactory and a guard that is undefined': () =>
      AuthModule.forRootAsync({ guard: undefined, useFactory: () => Promise.resolve(optionsFor(issuer)) }),
    'forRootAsync with useClass': () => AuthModule.forRootAsync({ useClass: AsyncCreator }),
    'forRootAsync with useExisting': () => AuthModule.forRootAsync({ imports: [CreatorModule], useExisting: Creator }),
  };

  it.each(Object.entries(forms))('%s requires a valid token for every route', async (_form, module) => {
    const { url } = await startApp(platform, { imports: [module()], controllers: [OrdersController] });
    const refused = await call(`${url}/orders/sub`);
    expect([refused.status, refused.body.code]).toEqual([401, 'TOKEN_MISSING']);
    const answer = await call(`${url}/orders/sub`, good());
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
  });

  it('requires a token for routes of every module, with HEAD and a trailing slash as well', async () => {
    const ForgottenController = routesController('ForgottenController', 'forgotten', { read: [] });
    @Module({ controllers: [ForgottenController] })
    class FeatureModule {}

    const { url } = await startApp(platform, { imports: [FeatureModule, AuthModule.forRoot(optionsFor(issuer))] });
    const answer = await call(`${url}/forgotten/read`);
    expect([answer.status, answer.text.includes('read')]).toEqual([401, false]);
    expect((await call(`${url}/forgotten/read`, {}, 'HEAD')).status).toBe(401);
    expect((await call(`${url}/forgotten/read/`)).status).not.toBe(200);
  });

  it.each([
    ['forRoot', () => AuthModule.forRoot({ ...optionsFor(issuer), guard: 'manual' })],
    ['forRootAsync', () => AuthModule.forRootAsync({ guard: 'manual', useFactory: () => optionsFor(issuer) })],
  ])("guards with %s and guard: 'manual' only what @UseGuards(AuthGuard) is on", async (_form, module) => {
    const routes = { open: [], closed: [UseGuards(AuthGuard)] };
    const FeatureController = routesController('FeatureController', 'feature', routes);
    @Module({ controllers: [FeatureController] })
    class FeatureModule {}

    const { url } = await startApp(platform, { imports: [module(), FeatureModule] });
    expect((await call(`${url}/feature/open`)).status).toBe(200);
    const refused = await call(`${url}/feature/closed`);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect((await call(`${url}/feature/closed`, good())).status).toBe(200);
  });

  it.each<[string, string, (tenants: Type) => DynamicModule]>([
    [
      'a factory injects',
      'AuthGuard → JwtStrategy → AccessTokenVerifier → Tenant',
      (tenants) =>
        AuthModule.forRootAsync({ imports: [tenants], inject: [Tenant], useFactory: () => optionsFor(issuer) }),
    ],
    [
      'a dependency of a factory injects',
      'AuthGuard → JwtStrategy → AccessTokenVerifier → Settings → Tenant',
      (tenants) =>
        AuthModule.forRootAsync({ imports: [tenants], inject: [Settings], useFactory: () => optionsFor(issuer) }),
    ],
    [
      'a factory injects by a name that is private elsewhere',
      'AuthGuard → JwtStrategy → AccessTokenVerifier → tenant',
      (tenants) =>
        AuthModule.forRootAsync({
          imports: [PrivateModule, tenants],
          inject: ['tenant'],
          useFactory: () => optionsFor(issuer),
        }),
    ],
    [
      'useExisting names',
      'AuthGuard → JwtStrategy → AccessTokenVerifier → TenantCreator',
      (tenants) => AuthModule.forRootAsync({ imports: [tenants], useExisting: TenantCreator }),
    ],
    [
      'a guard injects',
      'RequestGuard → REQUEST',
      () => AuthModule.forRoot({ ...optionsFor(issuer), guard: RequestGuard }),
    ],
    [
      'a strategy of manual mode injects',
      'AuthGuard → RequestStrategy → REQUEST',
      () => AuthModule.forRoot({ ...optionsFor(issuer), strategy: RequestStrategy, guard: 'manual' }),
    ],
  ])('does not start with a request-scoped class that %s: %s', async (_what, chain, moduleWith) => {
    const tenant = { provide: 'tenant', useFactory: () => ({}), scope: Scope.REQUEST };
    const providers = [Tenant, Settings, TenantCreator, tenant];
    @Module({ providers, exports: providers })
    class TenantsModule {}
    const start = startApp(platform, { imports: [moduleWith(TenantsModule)], controllers: [OrdersController] });
    await expect(start).rejects.toThrow(ConfigurationError);
    await expect(start).rejects.toThrow(
      `AuthModule: needs one guard for all requests, but ${chain} is created for each`,
    );
  });

  it('calls its guard before every guard of the application, which reads the user', async () => {
    const users: unknown[] = [];
    @Injectable()
    class RolesGuard implements CanActivate {
      canActivate(context: ExecutionContext) {
        users.push(context.switchToHttp().getRequest<{ user?: unknown }>().user);
        return true;
      }
    }
    @Injectable({ scope: Scope.REQUEST })
    class ScopedGuard extends RolesGuard {}
    @Module({ providers: [{ provide: APP_GUARD, useClass: RolesGuard }] })
    class RolesModule {}
    const { url } = await startApp(platform, {
      imports: [RolesModule, AuthModule.forRoot(optionsFor(issuer))],
      providers: [
        { provide: APP_GUARD, useClass: RolesGuard },
        { provide: APP_GUARD, useClass: ScopedGuard },
      ],
      controllers: [OrdersController],
    });
    expect((await call(`${url}/orders/sub`)).status).toBe(401);
    expect((await call(`${url}/orders/sub`, good())).status).toBe(200);
    expect(users).toEqual(Array(3).fill(expect.objectContaining({ sub: 'alice' })));
  });

  it('calls its guard first, also a replaced one, and the guards of the application in their own order', async () => {
    const called: string[] = [];
    const guardNamed = (name: string): CanActivate => ({
      canActivate: () => called.push(name) > 0,
    });
    const { url } = await startApp(
      platform,
      {
        imports: [AuthModule.forRoot(optionsFor(issuer))],
        providers: ['first', 'second'].map((name) => ({ provide: APP_GUARD, useValue: guardNamed(name) })),
        controllers: [OrdersController],
      },
      { override: (builder) => builder.overrideProvider(AuthGuard).useValue(guardNamed('AuthGuard')) },
    );
    await call(`${url}/orders`);
    expect(called).toEqual(['AuthGuard', 'first', 'second']);
  });

  it('starts if the application installs the same guard again', async () => {
    const { url } = await startApp(platform, {
      imports: [AuthModule.forRoot(optionsFor(issuer))],
      providers: [{ provide: APP_GUARD, useExisting: AuthGuard }],
      controllers: [OrdersController],
    });
    expect((await call(`${url}/orders/sub`, good())).status).toBe(200);
  });

  it('does not start with two global guards, which would refuse each token of the other', async () => {
    const [one, two] = [AuthModule.forRoot(optionsFor(issuer)), AuthModule.forRoot(optionsFor(issuer))];
    @Module({ imports: [two] })
    class FeatureModule {}
    const start = startApp(platform, { imports: [one, FeatureModule] });
    await expect(start).rejects.toThrow(ConfigurationError);
    await expect(start).rejects.toThrow(/is imported with options several times.*`issuers`.*guard: 'manual'/s);
  });

  it('keeps two modules of one application apart, each with its own issuer', async () => {
    const other = await LocalIssuer.start([key]);
    const featureWith = (from: LocalIssuer, path: string) => {
      @Controller(path)
      @UseGuards(AuthGuard)
      class FeatureController {
        @Get()
        read(@CurrentUser('iss') iss: string) {
          return { iss };
        }
      }
      const auth = AuthModule.forRoot({ ...optionsFor(from), guard: 'manual', isGlobal: false });
      @Module({ imports: [auth], controllers: [FeatureController] })
      class FeatureModule {}
      return FeatureModule;
    };
    const { url } = await startApp(platform, { imports: [featureWith(issuer, 'first'), featureWith(other, 'second')] });
    const [first, second] = [good(), bearer(other.token(key, 'RS256'))];
    expect((await call(`${url}/first`, first)).body).toEqual({ iss: issuer.url });
    expect((await call(`${url}/second`, second)).body).toEqual({ iss: other.url });
    expect((await call(`${url}/first`, second)).body.code).toBe('ISSUER_UNTRUSTED');
    expect((await call(`${url}/second`, first)).body.code).toBe('ISSUER_UNTRUSTED');
    await other.stop();
  });

  it('keeps two applications of one process apart, also when one is closed', async () => {
    const other = await LocalIssuer.start([newKey()]);
    const first = await startOrders(issuer, {}, { platform });
    const second = await startOrders(other, {}, { platform });
    expect((await first.ask(good())).status).toBe(200);
    expect((await second.ask(good())).body.code).toBe('ISSUER_UNTRUSTED');
    await second.close();
    expect((await first.ask(good())).status).toBe(200);
    await other.stop();
  });

  it('keeps concurrent requests apart', async () => {
    const { ask } = await startOrders(
      issuer,
      {
        // Later callers overtake earlier ones.
        user: async ({ claims }) => {
          for (let turn = Number(claims.sub); turn < 20; turn += 1) await Promise.resolve();
          return { sub: claims.sub };
        },
      },
      { platform },
    );
    const subs = Array.from({ length: 20 }, (_, index) => String(index));
    const answers = await Promise.all(subs.map((sub) => ask(good({ sub }), 'orders/sub')));
    expect(answers.map(({ body }) => body.sub)).toEqual(subs);
  });

  it('accepts a verifier that a test of the application overrides', async () => {
    const verify = () => Promise.resolve({ claims: { sub: 'bob' }, scopes: ['read:orders'] });
    const { ask } = await startOrders(
      issuer,
      {},
      { platform, override: (builder) => builder.overrideProvider(AccessTokenVerifier).useValue({ verify }) },
    );
    expect((await ask()).status).toBe(401);
    const answer = await ask(bearer('x'));
    expect([answer.status, answer.body]).toEqual([200, { user: { sub: 'bob' } }]);
  });

  it('accepts a guard that a test of the application overrides', async () => {
    const guard = { canActivate: () => true };
    const { ask } = await startOrders(
      issuer,
      {},
      { platform, override: (builder) => builder.overrideProvider(AuthGuard).useValue(guard) },
    );
    const answer = await ask();
    expect([answer.status, answer.body]).toEqual([200, {}]);
  });

  it('accepts valid tokens while the application shuts down, and unregisters its strategy afterwards', async () => {
    let reached = (): void => undefined;
    let proceed = (): void => undefined;
    const draining = new Promise<void>((resolve) => (reached = resolve));
    const drained = new Promise<void>((resolve) => (proceed = resolve));
    const drain = {
      beforeApplicationShutdown: () => {
        reached();
        return drained;
      },
    };
    @Module({})
    class DrainModule {}
    // Global and first: its hook is called after those of AuthModule.
    const imports = [{ module: DrainModule, global: true, providers: [{ provide: 'drain', useValue: drain }] }];
    const { app, url, close } = await startApp(platform, {
      imports: [...imports, AuthModule.forRoot(optionsFor(issuer))],
      controllers: [OrdersController],
    });
    const { name } = app.get(JwtStrategy);
    const closing = close();
    await draining;
    const answer = await call(`${url}/orders/sub`, good());
    const whileDraining = registeredStrategies();
    proceed();
    await closing;
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
    expect(whileDraining).toContain(name);
    expect(registeredStrategies()).not.toContain(name);
  });
});

describe('An application whose Object.prototype is polluted', () => {
  const RolesController = routesController('RolesController', '', { roles: [RequireRoles('admin')] });

  it.each<Record<string, unknown>>([
    { guard: 'manual' },
    { strategy: Tenant, isGlobal: false },
    { insecureAllowHttp: true, explainRefusals: true },
    { audience: 'other', clockToleranceSeconds: 300, tokenFrom: [{ from: 'query', name: 'token' }] },
    { exp: 9_999_999_999, roles: ['admin'], scope: 'admin', retryAfterSeconds: 7, cause: 'x' },
    { cnf: {}, crit: [], kid: 'x', sub: 'x' },
  ])('answers as without it: %j', async (members) => {
    const decide = async () => {
      const { app, url } = await startApp('express', {
        imports: [AuthModule.forRoot(optionsFor(issuer))],
        controllers: [OrdersController, RolesController],
      });
      const answers: unknown[] = [];
      for (const [path, headers] of [
        ['orders', {}],
        ['orders', good()],
        ['orders/sub', good()],
        ['roles', good()],
        ['orders', bearer(tokenOf({ exp: undefined }))],
        ['orders', bearer(tokenOf({ exp: Math.floor(Date.now() / 1000) - 100 }))],
        ['orders', bearer(tokenOf({ aud: 'other' }))],
        [`orders?token=${tokenOf()}`, {}],
      ] as const) {
        const answer = await call(`${url}/${path}`, headers);
        const { 'www-authenticate': challenge, 'retry-after': retryAfter } = answer.headers;
        answers.push([path.split('?')[0], answer.status, answer.body.code, challenge, retryAfter]);
      }
      await app.close();
      return answers;
    };
    expect(await polluted(members, decide)).toEqual(await decide());
  });
});

describe('AuthModule at start', () => {
  const compile = (options: object) =>
    Test.createTestingModule({ imports: [AuthModule.forRoot(options as AuthOptions)] }).compile();
  const problemPaths = async (starting: Promise<unknown>) => {
    const error: unknown = await starting.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems.map(({ path }) => path).sort();
  };

  it.each<[string, object | null | undefined, string[]]>([
    ['an unknown option', { audiance: 'x' }, ['audiance']],
    ['no audience', { audience: undefined }, ['audience']],
    ['an algorithm without a signature', { algorithms: ['RS256', 'none'] }, ['algorithms[1]']],
    ['an issuer over http', { issuer: 'http://issuer.example.com' }, ['issuer']],
    ['a guard that does not exist', { guard: 'off' }, ['guard']],
    ['a strategy that is no subclass of JwtStrategy', { strategy: class Other extends Object {} }, ['strategy']],
    ['isGlobal that is no boolean', { isGlobal: 'yes' }, ['isGlobal']],
    ['several problems', { issuer: '', algorithms: ['none'], x: 1 }, ['algorithms[0]', 'issuer', 'x']],
  ])('reports %s and does not start', async (_what, options, paths) => {
    expect(await problemPaths(compile({ ...optionsFor(issuer), ...options }))).toEqual(paths);
  });

  it.each([undefined, null, {}])('reports that issuer and audience are missing in %p', async (options) => {
    expect(await problemPaths(compile(options as object))).toEqual(['audience', 'issuer']);
  });

  it.each<[string, Parameters<typeof AuthModule.forRootAsync>[0], string]>([
    ['without an audience', { useFactory: () => ({ issuer: issuer.url }) as AuthOptions }, 'audience'],
    [
      'with an option beside the factory, where it has no effect',
      { useFactory: () => optionsFor(issuer), validate: () => false } as never,
      'validate',
    ],
    [
      'with a guard, which must be beside the factory',
      { useFactory: () => ({ ...optionsFor(issuer), guard: 'manual' }) as unknown as AuthOptions },
      'guard',
    ],
    [
      'beside a guard that does not exist',
      { guard: 'wrong' as 'manual', useFactory: () => optionsFor(issuer) },
      'guard',
    ],
  ])('reports a factory %s', async (_what, options, path) => {
    const start = async () => Test.createTestingModule({ imports: [AuthModule.forRootAsync(options)] }).compile();
    expect(await problemPaths(start())).toEqual([path]);
  });

  it('does not start without forRoot', async () => {
    await expect(Test.createTestingModule({ imports: [AuthModule] }).compile()).rejects.toThrow(
      'AuthModule: is imported without options. Write AuthModule.forRoot({ issuer, audience })',
    );
  });

  it('keeps the check of a preset beside a `validate` of the application', async () => {
    const check = () => {
      throw new AuthError('CLAIM_MISSING', { claim: 'tenant' });
    };
    const options = { issuer: issuer.url, audience: AUDIENCE, [PROVIDER_CHECK]: check, validate: () => true };
    for (const imported of [AuthModule.forRoot(options), AuthModule.forRootAsync({ useFactory: () => options })]) {
      const module = await Test.createTestingModule({ imports: [imported] }).compile();
      const verification = module.get(AccessTokenVerifier).verify(tokenOf());
      await expect(verification).rejects.toMatchObject({ code: 'CLAIM_MISSING' });
      await module.close();
    }
  });

  it('reads methods and getters of an options class', async () => {
    class OwnStrategy extends JwtStrategy {}
    class Options {
      issuer = issuer.url;
      audience = AUDIENCE;
      get algorithms() {
        return ['ES256' as const, 'RS256' as const];
      }
      validate() {
        return false;
      }
      get strategy() {
        return OwnStrategy;
      }
    }
    const module = await compile(new Options());
    expect(module.get(JwtStrategy)).toBeInstanceOf(OwnStrategy);
    await expect(module.get(AccessTokenVerifier).verify(tokenOf())).rejects.toMatchObject({
      code: 'CLAIM_INVALID',
      detail: { reason: 'rejected by the `validate` option' },
    });
    await module.close();
  });

  class UnusedStrategy extends JwtStrategy {}
  class UnusedGuard extends AuthGuard {}

  it.each<[string, Provider]>([
    ['a strategy', UnusedStrategy],
    ['a strategy in place of JwtStrategy', { provide: JwtStrategy, useClass: UnusedStrategy }],
    ['a guard in place of AuthGuard', { provide: AuthGuard, useClass: UnusedGuard }],
    ['a factory in place of JwtStrategy', { provide: JwtStrategy, useFactory: () => undefined }],
  ])('names %s among the providers of the application, which would have no effect', async (_what, provider) => {
    const start = (extras: object) =>
      Test.createTestingModule({
        imports: [AuthModule.forRoot({ ...optionsFor(issuer), ...extras })],
        providers: [provider],
      })
        .compile()
        .then((module) => module.init());
    await expect(start({})).rejects.toThrow(
      /(UnusedStrategy|UnusedGuard|JwtStrategy): is a provider, but AuthModule does not use it/,
    );
  });

  it('accepts a strategy among the providers that it uses itself, or that a test replaced', async () => {
    class DerivedStrategy extends UnusedStrategy {}
    const builder = (providers: Provider[]) => {
      const auth = AuthModule.forRoot({ ...optionsFor(issuer), strategy: DerivedStrategy });
      return Test.createTestingModule({ imports: [auth], providers });
    };
    const starting = [
      builder([UnusedStrategy, DerivedStrategy, AuthGuard, { provide: 'strategy', useExisting: JwtStrategy }]),
      builder([DerivedStrategy]).overrideProvider(JwtStrategy).useValue({ name: 'other' }),
      builder([AuthGuard])
        .overrideProvider(AuthGuard)
        .useValue({ canActivate: () => true }),
    ];
    for (const each of starting) {
      const module = await each.compile();
      await module.init();
      await module.close();
    }
  });

  it('warns of options that are undefined, as after a circular import', async () => {
    const logger = new LogRecorder();
    const missing = { strategy: undefined, validate: undefined, require: undefined, user: undefined, realm: undefined };
    await startOrders(issuer, missing, { logger });
    expect(logger.lines).toEqual(
      ['strategy', 'validate', 'require', 'user'].map((name) =>
        expect.stringContaining(`The option ${name} is undefined`),
      ),
    );
    const other = { issuer: 'https://other.example.com', audience: AUDIENCE, validate: undefined };
    const listed = new LogRecorder();
    await startApp('express', { imports: [AuthModule.forRoot({ issuers: [other] })] }, { logger: listed });
    expect(listed.lines).toEqual([expect.stringContaining('The option validate is undefined')]);
  });

  it('warns if several modules are global', async () => {
    const logger = new LogRecorder();
    const [first, second] = ['https://one.example.com', 'https://two.example.com'].map((name) => ({
      issuer: name,
      audience: AUDIENCE,
      guard: 'manual' as const,
    }));
    const start = async (isGlobal: boolean) => {
      const imports = [
        AuthModule.forRoot(first as AuthOptions),
        AuthModule.forRoot({ ...second, isGlobal } as AuthOptions),
      ];
      const { close } = await startApp('express', { imports }, { logger });
      await close();
      return logger.lines.splice(0).filter((line) => line.includes('global several times'));
    };
    expect([await start(true), await start(false)]).toEqual([[expect.stringMatching(/isGlobal: false/)], []]);
  });

  it('fetches nothing before the first token', async () => {
    issuer.requests.length = 0;
    const module = await compile(optionsFor(issuer));
    await module.init();
    expect(issuer.requests).toEqual([]);
    await module.close();
  });

  it('logs once that insecureAllowHttp is on', async () => {
    const logger = new LogRecorder();
    await startOrders(issuer, { insecureAllowHttp: true }, { logger });
    expect(logger.lines).toEqual([expect.stringContaining('insecureAllowHttp')]);
  });
});

describe('AuthModule exports', () => {
  it('AccessTokenVerifier for any provider, such as jobs', async () => {
    @Injectable()
    class Job {
      constructor(@Inject(AccessTokenVerifier) readonly verifier: AccessTokenVerifier) {}
    }
    @Module({ providers: [Job] })
    class JobModule {}

    const imports = [AuthModule.forRoot(optionsFor(issuer)), JobModule];
    const module = await Test.createTestingModule({ imports }).compile();
    const { verifier } = module.get(Job, { strict: false });
    const verified = await verifier.verify(tokenOf({ scope: 'a b' }));
    expect([verified.claims.sub, verified.scopes]).toEqual(['alice', ['a', 'b']]);
    await module.close();
  });

  it('JwtStrategy, registered with passport under a unique name until the application is closed', async () => {
    const before = registeredStrategies();
    const imports = [AuthModule.forRoot(optionsFor(issuer))];
    const module = await Test.createTestingModule({ imports }).compile();
    await module.init();
    const added = registeredStrategies().filter((name) => !before.includes(name));
    expect(added).toEqual([module.get(JwtStrategy).name]);
    // A shared name would let one module answer for another.
    expect(registeredStrategies()).not.toContain('nestjs-resource-server');
    await module.close();
    expect(registeredStrategies()).toEqual(before);
  });
});
