import 'reflect-metadata';
import { once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  type ModuleMetadata,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  AccessToken,
  AccessTokenVerifier,
  AuthenticatedGateway,
  AuthError,
  AuthEvents,
  AuthGuard,
  AuthMiddleware,
  AuthModule,
  CurrentUser,
  KeyHealth,
  OptionalAuth,
  ReportedRefusals,
  RequireRoles,
  RequireScopes,
  SocketAuthenticator,
  type VerifiedAccessToken,
} from '../../../src/index.js';
import { AuthTestingModule, mockAuth, TestIssuer, withTestIssuer } from '../../../src/testing.js';
import { call, closeApps, startApp } from '../../support/app.js';
import { LogRecorder } from '../../support/log-recorder.js';

@Injectable()
class Orders {
  constructor(
    readonly verifier: AccessTokenVerifier,
    readonly keys: KeyHealth,
    readonly reported: ReportedRefusals,
    readonly middleware: AuthMiddleware,
    readonly connections: SocketAuthenticator,
    readonly events: AuthEvents,
  ) {}
}

@Injectable()
class OrdersGuard extends AuthGuard {
  override handleRequest<User>(...result: [unknown, User, unknown, ExecutionContext]): User {
    return super.handleRequest(...result);
  }
}

// Beside the global guard.
@UseGuards(AuthGuard, OrdersGuard)
@Controller('orders')
class OrdersController {
  constructor(readonly orders: Orders) {}

  @Get()
  list(@CurrentUser() user: unknown, @AccessToken() { scopes, roles, permissions }: VerifiedAccessToken) {
    return { user, scopes, roles, permissions };
  }

  @Get('optional')
  @OptionalAuth()
  optional(@CurrentUser('sub') sub = 'guest') {
    return { sub };
  }

  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return {};
  }
}

@RequireScopes('read')
@WebSocketGateway()
class OrdersGateway extends AuthenticatedGateway {
  @SubscribeMessage('orders')
  get(@CurrentUser('sub') sub: string) {
    return { event: 'orders', data: sub };
  }
}

@Module({ providers: [Orders, OrdersGateway], controllers: [OrdersController] })
class OrdersModule {}

afterEach(closeApps);

const start = (metadata: ModuleMetadata) =>
  startApp('express', metadata, { prepare: (app) => app.useWebSocketAdapter(new WsAdapter(app)) });

type Arguments = Parameters<typeof mockAuth>;

const WAYS: [string, (...caller: Arguments) => ModuleMetadata][] = [
  [
    'mockAuth',
    (...caller) => ({ controllers: [OrdersController], providers: [Orders, OrdersGateway, ...mockAuth(...caller)] }),
  ],
  ['AuthTestingModule.forCaller', (...caller) => ({ imports: [OrdersModule, AuthTestingModule.forCaller(...caller)] })],
];

describe.each(WAYS)('%s', (_name, metadataFor) => {
  async function get(path: string, ...caller: Arguments) {
    const { url } = await start(metadataFor(...caller));
    return call(`${url}${path}`);
  }

  it('provides what AuthModule exports, with a verifier that accepts any text as a token of the caller', async () => {
    const { app } = await start(metadataFor({ sub: 'alice' }));
    const exported = Reflect.getMetadata('exports', AuthModule) as symbol[];
    expect(exported.map((type) => app.get<unknown>(type, { strict: false }))).not.toContain(undefined);
    const { verifier, keys } = app.get(Orders, { strict: false });
    const { claims, token } = await verifier.verify('any text');
    expect([claims.sub, token, await verifier.explain('any text')]).toEqual(['alice', 'any text', []]);
    expect(keys.isHealthy()).toEqual({ keys: { status: 'up', issuers: {} } });
  });

  it('puts scopes, roles and permissions where the application reads them', async () => {
    const claimPaths = { scopes: ['scp'], roles: ['realm_access.roles'] };
    const caller = { sub: 'alice', clientId: 'web', scopes: ['read'], roles: ['admin'], permissions: ['x'] };
    expect(await get('/orders', caller, { claimPaths })).toMatchObject({
      status: 200,
      body: {
        user: { sub: 'alice', client_id: 'web', scp: 'read', realm_access: { roles: ['admin'] }, permissions: ['x'] },
        scopes: ['read'],
        roles: ['admin'],
        permissions: ['x'],
      },
    });
    expect(
      (await get('/orders/admin', { claims: { groups: ['admin'] }, claimPaths: { roles: ['groups'] } })).status,
    ).toBe(200);
  });

  it('omits claims that are undefined', async () => {
    const { app } = await start(metadataFor({ sub: undefined, claims: { jti: undefined } }));
    const { claims } = await app.get(AccessTokenVerifier).verify('any text');
    expect(Object.keys(claims).sort()).toEqual(['aud', 'client_id', 'exp', 'iat', 'iss']);
  });

  it('applies `require` to every caller', async () => {
    const options = { require: { scopes: ['api'] } };
    expect((await get('/orders', { scopes: ['read'] }, options)).body).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    expect((await get('/orders', { scopes: ['api'], ...options })).status).toBe(200);
    expect((await get('/orders', () => ({ scopes: ['read'] }), options)).status).toBe(403);
  });

  it.each<[string, string, Arguments[0], unknown]>([
    [
      'refuses a caller without the role (ROLE_INSUFFICIENT)',
      '/orders/admin',
      { roles: ['user'] },
      'ROLE_INSUFFICIENT',
    ],
    ['refuses a guest (TOKEN_MISSING)', '/orders', { isGuest: true }, 'TOKEN_MISSING'],
    ['admits a guest to an optional route', '/orders/optional', { isGuest: true }, 200],
    ['refuses a caller whose user is null (USER_REFUSED)', '/orders', { user: null }, 'USER_REFUSED'],
    ['refuses a caller whose user is false (USER_REFUSED)', '/orders', { user: false }, 'USER_REFUSED'],
  ])('%s', async (_title, path, caller, expected) => {
    const { status, body } = await get(path, caller);
    expect(body.code ?? status).toBe(expected);
  });

  it('passes the user of the caller to the handler, by default the claims', async () => {
    expect((await get('/orders', { user: { sub: 'mapped' } })).body.user).toEqual({ sub: 'mapped' });
    expect((await get('/orders')).body.user).toMatchObject({ sub: 'test-user' });
  });

  it('calls a function once for each request', async () => {
    const callers = [{ sub: 'alice' }, { isGuest: true }, { sub: 'bob' }];
    const next = jest.fn(() => callers.shift() ?? {});
    const { url } = await start(metadataFor(next));
    const bodies: unknown[] = [];
    for (let count = 0; count < 3; count += 1) bodies.push((await call(`${url}/orders/optional`)).body);
    expect(bodies).toEqual([{ sub: 'alice' }, { sub: 'guest' }, { sub: 'bob' }]);
    expect(next).toHaveBeenCalledTimes(3);
  });

  it('calls a function for each token that the application verifies itself', async () => {
    const callers = [{ sub: 'alice' }, { isGuest: true }];
    const verifier = (await start(metadataFor(() => callers.shift() ?? {}))).app.get(AccessTokenVerifier);
    expect((await verifier.verify('x')).claims.sub).toBe('alice');
    await expect(verifier.verify('x')).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });

  it.each([
    ['500 for an error', new Error('no such user'), 500],
    ['the status of an AuthError', new AuthError('POLICY_DENIED'), 403],
  ])('answers a request for which the function throws with %s', async (_title, error, status) => {
    const caller = () => {
      throw error;
    };
    expect((await get('/orders', caller)).status).toBe(status);
  });

  it('calls a function once for each socket, and checks the scopes of its caller', async () => {
    const callers = [{ sub: 'alice', scopes: ['read'] }, { scopes: [] }];
    const next = jest.fn(() => callers.shift() ?? {});
    const { url } = await start(metadataFor(next));
    const open = () => new WebSocket(url.replace('http', 'ws'));
    const received = async (socket: WebSocket) => JSON.parse(String((await once(socket, 'message'))[0])) as unknown;
    const alice = open();
    await once(alice, 'open');
    for (const event of ['orders', 'authenticate', 'orders']) {
      alice.send(JSON.stringify({ event, data: 'any text' }));
      expect(await received(alice)).toMatchObject(
        event === 'orders' ? { event, data: 'alice' } : { event: 'authenticated' },
      );
    }
    expect(next).toHaveBeenCalledTimes(1);
    alice.close();
    expect(await received(open())).toMatchObject({ event: 'exception', data: { code: 'SCOPE_INSUFFICIENT' } });
  });

  it('does not compile in a module that also imports AuthModule', async () => {
    const { imports = [], ...others } = metadataFor();
    const real = AuthModule.forRoot({ issuer: 'https://issuer.example.com', audience: 'api' });
    const builder = Test.createTestingModule({ ...others, imports: [...imports, real] });
    await expect(builder.compile()).rejects.toThrow('mockAuth replaces AuthModule');
  });

  it('does not compile with a test issuer, which it would not use', async () => {
    const builder = withTestIssuer(Test.createTestingModule(metadataFor()), await TestIssuer.create());
    await expect(builder.compile()).rejects.toThrow('withTestIssuer');
  });

  it.each<[string, object[], string]>([
    ['a misspelled property of the caller', [{ scope: 'read' }], 'scope'],
    ['an unknown option', [{}, { realm: 'x' }], 'realm'],
    ['an unknown option beside a function', [() => ({}), { sub: 'alice' }], 'sub'],
    ['roles that the application does not read', [{ roles: ['x'] }, { claimPaths: { roles: [] } }], 'claimPaths.roles'],
  ])('rejects %s', (_title, caller, message) => {
    expect(() => metadataFor(...(caller as Arguments))).toThrow(message);
  });

  it('rejects a misspelled property of the caller that a function returns', async () => {
    expect((await get('/orders', () => ({ scope: 'read' }) as object)).status).toBe(500);
  });

  it.each<[string, ModuleMetadata]>([
    ['mockAuth', { providers: mockAuth() }],
    ['AuthTestingModule.forCaller', { imports: [AuthTestingModule.forCaller()] }],
  ])('does not start an application outside of a testing module (%s)', async (_name, metadata) => {
    @Module(metadata)
    class AppModule {}
    const start = NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    await expect(start).rejects.toThrow('only in a module of Test.createTestingModule()');
  });

  it('says in the log that no token is verified', async () => {
    const logger = new LogRecorder();
    await Test.createTestingModule({ providers: mockAuth() }).setLogger(logger).compile();
    expect(logger.lines).toEqual(['warn: No token is verified: every request comes from the caller of mockAuth']);
  });

  it('throws in production', () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      expect(() => metadataFor()).toThrow('NODE_ENV=production');
    } finally {
      process.env.NODE_ENV = before;
    }
  });
});
