import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Module, UseGuards } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { PassportModule } from '@nestjs/passport';
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
} from '../../src/index.js';
import { PROVIDER_CHECK } from '../../src/options/options.js';
import { bearer, call, PLATFORMS, type RunningApp, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const AUDIENCE = 'https://api.example.com';
const key = newKey();
const issuer = LocalIssuer.forFile([key]);

const optionsOf = (from: LocalIssuer): AuthOptions => ({ issuer: from.url, audience: AUDIENCE });

const registered = () => Object.keys((passport as unknown as { _strategies: object })._strategies);

/** Something to wait for, and the hand that ends the waiting. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

@Injectable()
class Creator implements AuthOptionsCreator {
  createAuthOptions(): AuthOptions {
    return optionsOf(issuer);
  }
}

@Module({ providers: [Creator], exports: [Creator] })
class CreatorModule {}

@Injectable()
class AsyncCreator implements AuthOptionsCreator {
  createAuthOptions(): Promise<AuthOptions> {
    return Promise.resolve(optionsOf(issuer));
  }
}

describe.each(PLATFORMS)('AuthModule on %s', (platform) => {
  const configured = () =>
    ConfigModule.forRoot({
      ignoreEnvFile: true,
      load: [() => ({ AUTH_ISSUER: issuer.url, AUTH_AUDIENCE: AUDIENCE })],
    });
  const forms = {
    forRoot: () => AuthModule.forRoot(optionsOf(issuer)),
    'forRootAsync with useFactory and ConfigService': () =>
      AuthModule.forRootAsync({
        imports: [configured()],
        inject: [ConfigService],
        useFactory: (config: ConfigService) => ({
          issuer: config.getOrThrow<string>('AUTH_ISSUER'),
          audience: config.getOrThrow<string>('AUTH_AUDIENCE'),
        }),
      }),
    'forRootAsync with an async useFactory': () =>
      AuthModule.forRootAsync({ useFactory: () => Promise.resolve(optionsOf(issuer)) }),
    'forRootAsync with useClass': () => AuthModule.forRootAsync({ useClass: AsyncCreator }),
    'forRootAsync with useExisting': () => AuthModule.forRootAsync({ imports: [CreatorModule], useExisting: Creator }),
  };

  it.each(Object.entries(forms))('%s closes every route until a valid token opens it', async (_form, module) => {
    const running = await startApp(platform, { imports: [module()], controllers: [OrdersController] });
    expect((await call(`${running.url}/orders/sub`)).status).toBe(401);
    const answer = await call(`${running.url}/orders/sub`, bearer(issuer.token(key, 'RS256')));
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
    await running.close();
  });

  it('closes a route that was forgotten by its author, in any module', async () => {
    @Controller('forgotten')
    class ForgottenController {
      @Get()
      read() {
        return 'secret';
      }
    }
    @Module({ controllers: [ForgottenController] })
    class FeatureModule {}

    const running = await startApp(platform, { imports: [FeatureModule, AuthModule.forRoot(optionsOf(issuer))] });
    const answer = await call(`${running.url}/forgotten`);
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('secret');
    expect((await call(`${running.url}/forgotten`, {}, 'HEAD')).status).toBe(401);
    expect((await call(`${running.url}/forgotten/`)).status).not.toBe(200);
    await running.close();
  });

  it("guards by hand with guard: 'manual', in every module", async () => {
    @Controller('feature')
    class FeatureController {
      @Get('open')
      open() {
        return { open: true };
      }

      @Get('closed')
      @UseGuards(AuthGuard)
      closed(@CurrentUser('sub') sub: string) {
        return { sub };
      }
    }
    @Module({ controllers: [FeatureController] })
    class FeatureModule {}

    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ ...optionsOf(issuer), guard: 'manual' }), FeatureModule],
    });
    expect((await call(`${running.url}/feature/open`)).status).toBe(200);
    const refused = await call(`${running.url}/feature/closed`);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    const answer = await call(`${running.url}/feature/closed`, bearer(issuer.token(key, 'RS256')));
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
    await running.close();
  });

  it("guards by hand with forRootAsync and guard: 'manual' beside the factory", async () => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRootAsync({ guard: 'manual', useFactory: () => optionsOf(issuer) })],
      controllers: [OrdersController],
    });
    expect((await call(`${running.url}/orders/public`)).status).toBe(200);
    expect((await call(`${running.url}/orders`)).status).toBe(200);
    await running.close();
  });

  it('serves two modules by hand in one application, each controller with its own issuer', async () => {
    const other = await LocalIssuer.start([key]);

    @Controller('first')
    @UseGuards(AuthGuard)
    class FirstController {
      @Get()
      read(@CurrentUser('iss') iss: string) {
        return { iss };
      }
    }
    @Controller('second')
    @UseGuards(AuthGuard)
    class SecondController {
      @Get()
      read(@CurrentUser('iss') iss: string) {
        return { iss };
      }
    }
    const manual = { guard: 'manual', isGlobal: false } as const;
    @Module({ imports: [AuthModule.forRoot({ ...optionsOf(issuer), ...manual })], controllers: [FirstController] })
    class FirstModule {}
    @Module({ imports: [AuthModule.forRoot({ ...optionsOf(other), ...manual })], controllers: [SecondController] })
    class SecondModule {}

    const running = await startApp(platform, { imports: [FirstModule, SecondModule] });
    const first = bearer(issuer.token(key, 'RS256'));
    const second = bearer(other.token(key, 'RS256'));
    expect((await call(`${running.url}/first`, first)).body).toEqual({ iss: issuer.url });
    expect((await call(`${running.url}/second`, second)).body).toEqual({ iss: other.url });
    expect((await call(`${running.url}/first`, second)).body.code).toBe('ISSUER_UNTRUSTED');
    expect((await call(`${running.url}/second`, first)).body.code).toBe('ISSUER_UNTRUSTED');
    await running.close();
    await other.stop();
  });

  it('serves two applications with different issuers in one process', async () => {
    const other = await LocalIssuer.start([newKey()]);
    const apps: RunningApp[] = [];
    for (const from of [issuer, other]) {
      apps.push(
        await startApp(platform, { imports: [AuthModule.forRoot(optionsOf(from))], controllers: [OrdersController] }),
      );
    }
    const [first, second] = apps as [RunningApp, RunningApp];
    const token = bearer(issuer.token(key, 'RS256'));
    expect((await call(`${first.url}/orders`, token)).status).toBe(200);
    expect((await call(`${second.url}/orders`, token)).body.code).toBe('ISSUER_UNTRUSTED');
    // Closing one takes nothing from the other.
    await second.close();
    expect((await call(`${first.url}/orders`, token)).status).toBe(200);
    await first.close();
    await other.stop();
  });

  it('is not moved by a PassportModule with another default strategy', async () => {
    const letAnyoneIn = {
      name: 'anyone',
      authenticate(this: { success(user: unknown): void }) {
        this.success({ sub: 'anyone' });
      },
    };
    passport.use('anyone', letAnyoneIn as never);
    const running = await startApp(platform, {
      imports: [
        { ...PassportModule.register({ defaultStrategy: 'anyone', property: 'other' }), global: true },
        AuthModule.forRoot(optionsOf(issuer)),
      ],
      controllers: [OrdersController],
    });
    const refused = await call(`${running.url}/orders/sub`);
    const answer = await call(`${running.url}/orders/sub`, bearer(issuer.token(key, 'RS256')));
    await running.close();
    passport.unuse('anyone');
    expect([refused.status, refused.body.code]).toEqual([401, 'TOKEN_MISSING']);
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
  });

  it("takes a verifier of an application's own tests, which hands their user to the handler", async () => {
    const verify = () => Promise.resolve({ claims: { sub: 'bob' }, scopes: ['read:orders'] });
    const running = await startApp(
      platform,
      { imports: [AuthModule.forRoot(optionsOf(issuer))], controllers: [OrdersController] },
      { override: (builder) => builder.overrideProvider(AccessTokenVerifier).useValue({ verify }) },
    );
    const refused = await call(`${running.url}/orders`);
    const answer = await call(`${running.url}/orders`, bearer('x'));
    await running.close();
    expect(refused.status).toBe(401);
    expect([answer.status, answer.body]).toEqual([200, { user: { sub: 'bob' } }]);
  });

  it("takes a guard of an application's own tests, which opens every route to nobody", async () => {
    const running = await startApp(
      platform,
      { imports: [AuthModule.forRoot(optionsOf(issuer))], controllers: [OrdersController] },
      { override: (builder) => builder.overrideProvider(AuthGuard).useValue({ canActivate: () => true }) },
    );
    const answer = await call(`${running.url}/orders`);
    await running.close();
    expect([answer.status, answer.body]).toEqual([200, {}]);
  });

  it('serves good tokens while the application shuts down, and takes its strategy back at the end', async () => {
    const draining = gate();
    const drained = gate();
    const drain = {
      beforeApplicationShutdown: () => {
        draining.open();
        return drained.opened;
      },
    };
    @Module({})
    class DrainModule {}
    // Global and first: by its turn every hook of AuthModule that comes before the end was called.
    const drainModule = { module: DrainModule, global: true, providers: [{ provide: 'drain', useValue: drain }] };
    const running = await startApp(platform, {
      imports: [drainModule, AuthModule.forRoot(optionsOf(issuer))],
      controllers: [OrdersController],
    });
    const { name } = running.app.get(JwtStrategy);
    const closing = running.close();
    await draining.opened;
    const answer = await call(`${running.url}/orders/sub`, bearer(issuer.token(key, 'RS256')));
    const whileDraining = registered();
    drained.open();
    await closing;
    expect([answer.status, answer.body]).toEqual([200, { sub: 'alice' }]);
    expect(whileDraining).toContain(name);
    expect(registered()).not.toContain(name);
  });

  it.each([
    ['forRoot', () => AuthModule.forRoot({ ...optionsOf(issuer), guard: undefined })],
    ['forRootAsync', () => AuthModule.forRootAsync({ guard: undefined, useFactory: () => optionsOf(issuer) })],
  ])('closes every route when %s is given a guard that is undefined', async (_form, module) => {
    const running = await startApp(platform, { imports: [module()], controllers: [OrdersController] });
    const answer = await call(`${running.url}/orders`);
    await running.close();
    expect([answer.status, answer.body.code]).toEqual([401, 'TOKEN_MISSING']);
  });

  it('keeps the requests that run at once apart', async () => {
    const running = await startApp(platform, {
      imports: [
        AuthModule.forRoot({
          ...optionsOf(issuer),
          // Later callers overtake earlier ones.
          user: async ({ claims }) => {
            for (let turn = Number(claims.sub); turn < 20; turn += 1) await Promise.resolve();
            return { sub: claims.sub };
          },
        }),
      ],
      controllers: [OrdersController],
    });
    const subs = Array.from({ length: 20 }, (_, index) => String(index));
    const answers = await Promise.all(
      subs.map((sub) => call(`${running.url}/orders/sub`, bearer(issuer.token(key, 'RS256', { sub })))),
    );
    expect(answers.map(({ body }) => body.sub)).toEqual(subs);
    await running.close();
  });
});

describe('AuthModule at start', () => {
  const compile = (options: object) =>
    Test.createTestingModule({ imports: [AuthModule.forRoot(options as AuthOptions)] }).compile();

  it.each([
    ['an unknown option', { audiance: 'x' }, 'audiance'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['HS256', { algorithms: ['HS256'] }, 'algorithms[0]'],
    ['none', { algorithms: ['RS256', 'none'] }, 'algorithms[1]'],
    ['an issuer over http', { issuer: 'http://issuer.example.com' }, 'issuer'],
    ['a guard that does not exist', { guard: 'off' }, 'guard'],
    ['isGlobal that is no boolean', { isGlobal: 'yes' }, 'isGlobal'],
  ])('does not start with %s', async (_what, options, path) => {
    const error: unknown = await compile({ ...optionsOf(issuer), ...options }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).problems.map((problem) => problem.path)).toEqual([path]);
  });

  it('says all that is wrong at once', async () => {
    const error: unknown = await compile({ issuer: '', algorithms: ['none'], clockToleranceSeconds: -1, x: 1 }).catch(
      (caught: unknown) => caught,
    );
    expect((error as ConfigurationError).problems.map(({ path }) => path).sort()).toEqual([
      'algorithms[0]',
      'audience',
      'clockToleranceSeconds',
      'issuer',
      'x',
    ]);
  });

  it('does not start when a factory forgets the audience', async () => {
    const module = AuthModule.forRootAsync({ useFactory: () => ({ issuer: issuer.url }) as AuthOptions });
    await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(ConfigurationError);
  });

  it('does not take a guard that a factory returns, which comes too late', async () => {
    const module = AuthModule.forRootAsync({
      useFactory: () => ({ ...optionsOf(issuer), guard: 'manual' }) as unknown as AuthOptions,
    });
    await expect(Test.createTestingModule({ imports: [module] }).compile()).rejects.toThrow(/beside `useFactory`/);
  });

  it('does not start with a guard beside the factory that does not exist', async () => {
    const module = AuthModule.forRootAsync({ guard: 'wrong' as 'manual', useFactory: () => optionsOf(issuer) });
    const error: unknown = await Test.createTestingModule({ imports: [module] })
      .compile()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).problems.map(({ path }) => path)).toEqual(['guard']);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an empty object', {}],
  ])('says that issuer and audience are missing when forRoot is given %s', async (_what, options) => {
    const error: unknown = await compile(options as object).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).problems.map(({ path }) => path)).toEqual(['issuer', 'audience']);
  });

  it('does not start without forRoot', async () => {
    await expect(Test.createTestingModule({ imports: [AuthModule] }).compile()).rejects.toThrow(/dependencies/);
  });

  it('keeps the check of a preset, which no `validate` replaces', async () => {
    const check = () => {
      throw new AuthError('CLAIM_MISSING', { claim: 'tenant' });
    };
    const options = { issuer: issuer.url, audience: AUDIENCE, [PROVIDER_CHECK]: check, validate: () => true };
    for (const imported of [AuthModule.forRoot(options), AuthModule.forRootAsync({ useFactory: () => options })]) {
      const module = await Test.createTestingModule({ imports: [imported] }).compile();
      const verification = module.get(AccessTokenVerifier).verify(issuer.token(key, 'RS256'));
      await expect(verification).rejects.toMatchObject({ code: 'CLAIM_MISSING' });
      await module.close();
    }
  });

  it('keeps the checks that an options class has as methods and getters', async () => {
    class Options {
      issuer = issuer.url;
      audience = AUDIENCE;
      get algorithms() {
        return ['ES256' as const, 'RS256' as const];
      }
      validate() {
        return false;
      }
    }
    const module = await Test.createTestingModule({ imports: [AuthModule.forRoot(new Options())] }).compile();
    await expect(module.get(AccessTokenVerifier).verify(issuer.token(key, 'RS256'))).rejects.toMatchObject({
      code: 'CLAIM_INVALID',
      detail: { reason: 'rejected by the `validate` option' },
    });
    await module.close();
  });

  it('makes no request before the first token comes', async () => {
    issuer.requests.length = 0;
    const module = await compile(optionsOf(issuer));
    await module.init();
    expect(issuer.requests).toEqual([]);
    await module.close();
  });

  it('says once that a check is off', async () => {
    const lines: string[] = [];
    const logger = { log: () => undefined, error: () => undefined, warn: (message: string) => lines.push(message) };
    const module = await Test.createTestingModule({
      imports: [AuthModule.forRoot({ ...optionsOf(issuer), insecureAllowHttp: true })],
    })
      .setLogger(logger)
      .compile();
    expect(lines).toEqual([expect.stringContaining('insecureAllowHttp')]);
    await module.close();
  });
});

describe('what AuthModule exports', () => {
  @Injectable()
  class Job {
    constructor(@Inject(AccessTokenVerifier) readonly verifier: AccessTokenVerifier) {}
  }

  @Module({ providers: [Job] })
  class JobModule {}

  it('gives AccessTokenVerifier to any provider, for jobs and gateways', async () => {
    const module = await Test.createTestingModule({
      imports: [AuthModule.forRoot(optionsOf(issuer)), JobModule],
    }).compile();
    const { verifier } = module.get(Job, { strict: false });
    const verified = await verifier.verify(issuer.token(key, 'RS256', { scope: 'a b' }));
    expect(verified.claims.sub).toBe('alice');
    expect(verified.scopes).toEqual(['a', 'b']);
    const refusal: unknown = await verifier.verify('x.y.z').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AuthError);
    expect((refusal as AuthError).code).toBe('TOKEN_MALFORMED');
    await module.close();
  });

  it('registers JwtStrategy under a name of its own, and takes it back at the end', async () => {
    const before = registered();
    const module = await Test.createTestingModule({ imports: [AuthModule.forRoot(optionsOf(issuer))] }).compile();
    await module.init();
    const strategy = module.get(JwtStrategy);
    expect(registered().filter((name) => !before.includes(name))).toEqual([strategy.name]);
    expect(before).not.toContain('jwt');
    await module.close();
    expect(registered()).toEqual(before);
  });

  it('has a JwtStrategy that passport-jwt alone can never let anyone in with', async () => {
    const module = await Test.createTestingModule({ imports: [AuthModule.forRoot(optionsOf(issuer))] }).compile();
    const strategy = module.get<{
      _secretOrKeyProvider(request: unknown, token: unknown, done: (error: unknown, key?: unknown) => void): void;
    }>(JwtStrategy);
    const outcome = await new Promise((resolve) => {
      strategy._secretOrKeyProvider({}, 'token', (error, found) => {
        resolve({ error, found });
      });
    });
    expect(outcome).toEqual({ error: expect.any(AuthError), found: undefined });
    await module.close();
  });
});
