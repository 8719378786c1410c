import 'reflect-metadata';
import { once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Module,
  type ModuleMetadata,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { Test } from '@nestjs/testing';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { WebSocket } from 'ws';
import {
  AccessToken,
  AccessTokenVerifier,
  AuthenticatedGateway,
  AuthGuard,
  AuthMiddleware,
  AuthModule,
  SocketAuthenticator,
  CurrentUser,
  KeyHealth,
  KeyHealthIndicator,
  OptionalAuth,
  AuthEvents,
  ReportedRefusals,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../../src/index.js';
import { AuthTestingModule, mockAuth, type MockAuthOptions, type MockCaller } from '../../../src/testing.js';

@Injectable()
class Orders {
  constructor(
    readonly verifier: AccessTokenVerifier,
    readonly keys: KeyHealth,
    readonly health: KeyHealthIndicator,
    readonly reported: ReportedRefusals,
    readonly middleware: AuthMiddleware,
    readonly connections: SocketAuthenticator,
    readonly events: AuthEvents,
  ) {}
}

@Controller('orders')
@UseGuards(AuthGuard)
class OrdersController {
  constructor(readonly orders: Orders) {}

  @Get()
  list(@CurrentUser() user: unknown, @AccessToken() { scopes, roles, permissions }: VerifiedAccessToken) {
    return { user, scopes, roles, permissions };
  }

  @Get('maybe')
  @OptionalAuth()
  maybe(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
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

@Module({ providers: [Orders], controllers: [OrdersController] })
class OrdersModule {}

@Module({ providers: [OrdersGateway] })
class SocketsModule {}

const apps: INestApplication[] = [];
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

async function start(metadata: ModuleMetadata) {
  const app = (await Test.createTestingModule(metadata).compile()).createNestApplication({ logger: false });
  apps.push(app);
  return app.init();
}

type Caller = (MockCaller & MockAuthOptions) | (() => MockCaller);

/** The two ways to have it. */
const WAYS: [string, (caller?: Caller, options?: MockAuthOptions) => ModuleMetadata][] = [
  [
    'mockAuth',
    (caller, options) => ({ controllers: [OrdersController], providers: [Orders, ...mockAuth(caller, options)] }),
  ],
  [
    'AuthTestingModule.forCaller',
    (caller, options) => ({ imports: [OrdersModule, AuthTestingModule.forCaller(caller, options)] }),
  ],
];

describe.each(WAYS)('%s', (_name, having) => {
  const ask = async (caller?: Caller, options?: MockAuthOptions, path = '/orders') => {
    const app = await start(having(caller, options));
    const answer = await request(app.getHttpServer() as App).get(path);
    return { status: answer.status, body: answer.body as Record<string, unknown> };
  };

  it('has whatever AuthModule exports, for services and for @UseGuards(AuthGuard)', async () => {
    const app = await start(having({ sub: 'alice' }));
    const exported = Reflect.getMetadata('exports', AuthModule) as Type[];
    expect(exported.map((type) => app.get(type, { strict: false }) instanceof type)).toEqual(exported.map(() => true));
    const { verifier, keys, health } = app.get(Orders, { strict: false });
    const token = await verifier.verify('any text');
    expect([token.claims.sub, token.token, await verifier.explain('any text')]).toEqual(['alice', 'any text', []]);
    expect([keys.issuers(), health.isHealthy()]).toEqual([[], { keys: { status: 'up', issuers: {} } }]);
  });

  it('has a caller whose grants stand where the application looks for them', async () => {
    const claimPaths = { scopes: ['scp'], roles: ['realm_access.roles'] };
    const caller = { sub: 'alice', clientId: 'web', scopes: ['read'], roles: ['admin'], permissions: ['x'] };
    expect(await ask(caller, { claimPaths })).toMatchObject({
      status: 200,
      body: {
        user: { sub: 'alice', client_id: 'web', scp: 'read', realm_access: { roles: ['admin'] }, permissions: ['x'] },
        scopes: ['read'],
        roles: ['admin'],
        permissions: ['x'],
      },
    });
  });

  it('leaves out what is undefined', async () => {
    const app = await start(having({ sub: undefined, claims: { jti: undefined } }));
    const { claims } = await app.get(AccessTokenVerifier).verify('any text');
    expect(Object.keys(claims).sort()).toEqual(['aud', 'client_id', 'exp', 'iat', 'iss']);
  });

  it('requires of every caller what the module would', async () => {
    const options = { require: { scopes: ['api'] } };
    expect((await ask({ scopes: ['read'] }, options)).body).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    expect((await ask({ scopes: ['api'] }, options)).status).toBe(200);
    expect((await ask({ scopes: ['read'], ...options })).status).toBe(403);
    expect((await ask(() => ({ scopes: ['read'] }), options)).status).toBe(403);
  });

  it.each([null, false])('refuses a caller of whom the user option makes %s', async (user) => {
    expect(await ask({ user })).toMatchObject({ status: 401, body: { code: 'USER_REFUSED' } });
  });

  it('asks a function who calls, once for each request', async () => {
    const callers = [{ sub: 'alice' }, { isGuest: true }, { sub: 'bob' }];
    const next = jest.fn(() => callers.shift() ?? { isGuest: true });
    const agent = request((await start(having(next))).getHttpServer() as App);
    const answers = [];
    for (let count = 0; count < 3; count += 1) answers.push((await agent.get('/orders/maybe')).body as unknown);
    expect(answers).toEqual([{ sub: 'alice' }, { sub: 'guest' }, { sub: 'bob' }]);
    expect(next).toHaveBeenCalledTimes(3);
  });

  it('has 500 for a function that throws', async () => {
    const broken = () => {
      throw new Error('of the test');
    };
    expect((await ask(broken)).status).toBe(500);
  });

  it('does not compile beside AuthModule, whose guard would refuse what this one lets in', async () => {
    const { imports = [], ...others } = having();
    const real = AuthModule.forRoot({ issuer: 'https://issuer.example.com', audience: 'api' });
    const builder = Test.createTestingModule({ ...others, imports: [...imports, real] });
    await expect(builder.compile()).rejects.toThrow('mockAuth stands in the place of AuthModule');
  });

  it('knows no member that there is not, and says so where it is called', () => {
    expect(() => having({ scope: 'read' } as object)).toThrow(
      /^The caller of mockAuth\(\) has no member "scope"; there are sub, .*, claimPaths, require$/,
    );
    expect(() => having({}, { realm: 'x' } as object)).toThrow('has no member "realm"; there are claimPaths, require');
    expect(() => having({ roles: ['x'] }, { claimPaths: { roles: [] } })).toThrow('claimPaths.roles');
  });

  it('admits the caller to a gateway, and nobody who may not', async () => {
    let scopes = ['read'];
    const { imports = [], providers = [] } = having(() => ({ sub: 'alice', scopes }));
    // The way of a list is for one module; the other reaches those that are imported.
    const metadata =
      providers.length > 0 ? { providers: [...providers, OrdersGateway] } : { imports: [...imports, SocketsModule] };
    const app = (await Test.createTestingModule(metadata).compile()).createNestApplication({ logger: false });
    apps.push(app);
    app.useWebSocketAdapter(new WsAdapter(app));
    await app.listen(0, '127.0.0.1');
    const open = async () => new WebSocket((await app.getUrl()).replace('http', 'ws'));
    const next = async (socket: WebSocket) => JSON.parse(String((await once(socket, 'message'))[0])) as unknown;
    const alice = await open();
    await once(alice, 'open');
    alice.send(JSON.stringify({ event: 'orders' }));
    expect(await next(alice)).toEqual({ event: 'orders', data: 'alice' });
    alice.close();
    scopes = [];
    expect(await next(await open())).toMatchObject({ event: 'exception', data: { code: 'SCOPE_INSUFFICIENT' } });
  });
});
