import 'reflect-metadata';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, Post, type Provider } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { App } from 'supertest/types.js';
import request from 'supertest';
import {
  AccessToken,
  AuthError,
  AuthModule,
  type AuthOptions,
  CurrentUser,
  OptionalAuth,
  Public,
  RequirePermissions,
  RequireRoles,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { AuthTestingModule, mockAuth, TestIssuer, type TokenRequest, withTestIssuer } from '../../src/testing.js';
import { newKey } from '../support/local-issuer.js';

@Controller('orders')
class OrdersController {
  @Get()
  list(@CurrentUser('sub') sub: string, @AccessToken() { scopes, roles, permissions }: VerifiedAccessToken) {
    return { sub, scopes, roles, permissions };
  }

  @Get('maybe')
  @OptionalAuth()
  maybe(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
  }

  @Get('health')
  @Public()
  health() {
    return 'ok';
  }

  @Post()
  @RequireScopes('write')
  create() {
    return { created: true };
  }

  @Get('roles')
  @RequireRoles('admin')
  admin() {
    return {};
  }

  @Get('permissions')
  @RequirePermissions('orders:read')
  permitted() {
    return {};
  }
}

const apps: INestApplication[] = [];
const bodyOf = ({ body }: { readonly body: unknown }) => body as Record<string, unknown>;

afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

/** An application as a team has it, with options for production. */
function appModule(options: AuthOptions) {
  @Module({ imports: [AuthModule.forRoot(options)], controllers: [OrdersController] })
  class AppModule {}
  return AppModule;
}

const PRODUCTION = { issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' };

async function start(options: Partial<AuthOptions> = {}, given?: TestIssuer) {
  const issuer = given ?? (await TestIssuer.create());
  const builder = Test.createTestingModule({ imports: [appModule({ ...PRODUCTION, ...options } as AuthOptions)] });
  const module = await withTestIssuer(builder, issuer).compile();
  const app = module.createNestApplication({ logger: false });
  apps.push(app);
  await app.init();
  const agent = request(app.getHttpServer() as App);
  const ask = async (token: string, path = '/orders') => {
    const answer = await agent.get(path).set('authorization', `Bearer ${token}`);
    return { status: answer.status, body: bodyOf(answer) };
  };
  return { issuer, app, agent, ask };
}

describe('An application that is plugged into a test issuer', () => {
  it('accepts its tokens by the options that it has for production', async () => {
    const { agent, issuer } = await start();
    const headers = await issuer.as({ sub: 'alice', scopes: ['read', 'write'], roles: ['admin'], permissions: ['x'] });
    const answer = await agent.get('/orders').set(headers).expect(200);
    expect(bodyOf(answer)).toEqual({ sub: 'alice', scopes: ['read', 'write'], roles: ['admin'], permissions: ['x'] });
    await agent.post('/orders').set(headers).expect(201);
    await agent.get('/orders').expect(401);
    await agent.get('/orders/health').expect(200);
  });

  it('is asked by the inject of Fastify with the same headers', async () => {
    const issuer = await TestIssuer.create();
    const builder = Test.createTestingModule({ imports: [appModule(PRODUCTION)] });
    const module = await withTestIssuer(builder, issuer).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    apps.push(app);
    await app.init();
    const answer = await app.inject({ url: '/orders', headers: await issuer.as({ sub: 'alice' }) });
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { sub: 'alice' }]);
    expect((await app.inject({ url: '/orders' })).statusCode).toBe(401);
  });

  it('is asked by inject under fake timers that leave real what promises run on', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const issuer = await TestIssuer.create();
    const builder = Test.createTestingModule({ imports: [appModule(PRODUCTION)] });
    const module = await withTestIssuer(builder, issuer).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    apps.push(app);
    await app.init();
    const headers = await issuer.as({ expiresInSeconds: 60 });
    expect((await app.inject({ url: '/orders', headers })).statusCode).toBe(200);
    jest.setSystemTime(Date.now() + 66_000);
    const answer = await app.inject({ url: '/orders', headers });
    expect([answer.statusCode, answer.json()]).toMatchObject([401, { code: 'TOKEN_EXPIRED' }]);
  });

  it.each<[string, Partial<AuthOptions>]>([
    ['Keycloak', { claimPaths: { roles: ['realm_access.roles'], permissions: ['resource_access["my.api"].roles'] } }],
    ['ZITADEL', { claimPaths: { roles: [{ keysOf: 'urn:zitadel:iam:org:project:roles' }] } }],
    ['Okta', { claimPaths: { scopes: ['scp'] } }],
    ['Cognito', { audienceClaim: 'client_id' }],
    ['strict ones', { tokenTypes: ['at+jwt'], algorithms: ['RS256'], requiredClaims: ['jti', 'sub', 'client_id'] }],
    ['those of typ JWT', { tokenTypes: ['JWT'], algorithms: ['EdDSA'], maxTokenAgeSeconds: 60 }],
    ['static keys', { keys: { from: 'static', jwks: { keys: [newKey().jwk as never] } } }],
  ])('has tokens with grants where its options look for them: %s', async (_what, options) => {
    const { issuer, ask } = await start(options);
    const given = { scopes: ['read'], roles: ['admin'], permissions: ['orders:read'] };
    expect(await ask(await issuer.token(given))).toEqual({ status: 200, body: { sub: 'test-user', ...given } });
  });

  it.each<[string, (issuer: TestIssuer) => Promise<string>, string]>([
    ['expired', (issuer) => issuer.expiredToken(), '401 TOKEN_EXPIRED'],
    ['not yet valid', (issuer) => issuer.notYetValidToken(), '401 TOKEN_NOT_YET_VALID'],
    ['for another audience', (issuer) => issuer.otherAudienceToken(), '401 AUDIENCE_MISMATCH'],
    ['of another issuer', (issuer) => issuer.otherIssuerToken(), '401 ISSUER_UNTRUSTED'],
    ['forged', (issuer) => issuer.forgedToken(), '401 SIGNATURE_INVALID'],
    ['signed with an unknown key', (issuer) => issuer.unknownKeyToken(), '401 KEY_UNKNOWN'],
    ['bound to a key', (issuer) => issuer.dpopBoundToken(), '401 BINDING_UNPROVEN'],
    ['lacking a claim', (issuer) => issuer.token({ sub: undefined }), '401 CLAIM_MISSING'],
    ['of another type', (issuer) => issuer.token({ header: { typ: 'logout+jwt' } }), '401 TYPE_NOT_ALLOWED'],
    ['good', (issuer) => issuer.token(), '200'],
  ])('refuses a token that is %s', async (_what, make, outcome) => {
    const { issuer, ask } = await start({ requiredClaims: ['sub'] });
    const { status, body } = await ask(await make(issuer));
    expect(body.code === undefined ? String(status) : `${String(status)} ${body.code as string}`).toBe(outcome);
  });

  it('has a wrong audience where its own stands in another claim', async () => {
    const { issuer, ask } = await start({ audienceClaim: 'client_id' });
    expect((await ask(await issuer.otherAudienceToken())).body.code).toBe('AUDIENCE_MISMATCH');
  });

  it('takes rotated keys, and then no token of before', async () => {
    const { issuer, ask } = await start();
    const before = await issuer.token();
    expect((await ask(before)).status).toBe(200);
    issuer.rotateKeys();
    expect((await ask(before)).status).toBe(200);
    expect((await ask(await issuer.token())).status).toBe(200);
    expect((await ask(before)).body.code).toBe('KEY_UNKNOWN');
    expect(issuer.keyRequests).toBe(2);
  });

  it('answers 503 while the issuer is down, and 200 when it is back', async () => {
    let now = Date.now();
    const { issuer, ask } = await start({ clock: () => now });
    issuer.goDown();
    expect((await ask(await issuer.token())).body.code).toBe('KEYS_UNAVAILABLE');
    issuer.recover();
    now += 60_000;
    expect((await ask(await issuer.token())).status).toBe(200);
  });

  it('is not held up by what went wrong before: one application serves many tests', async () => {
    const { issuer, ask } = await start();
    const codeOf = async (token: Promise<string>) => (await ask(await token)).body.code ?? 'accepted';
    const codes = [await codeOf(issuer.token()), await codeOf(issuer.unknownKeyToken())];
    issuer.rotateKeys();
    codes.push(await codeOf(issuer.token()), await codeOf(issuer.unknownKeyToken()));
    issuer.rotateKeys();
    codes.push(await codeOf(issuer.token()), await codeOf(issuer.unknownKeyToken()));
    issuer.goDown();
    codes.push(await codeOf(issuer.unknownKeyToken()), await codeOf(issuer.token()));
    issuer.recover();
    codes.push(await codeOf(issuer.unknownKeyToken()));
    const [good, unknown] = ['accepted', 'KEY_UNKNOWN'];
    expect(codes).toEqual([good, unknown, good, unknown, good, unknown, 'KEYS_UNAVAILABLE', good, unknown]);
  });

  it('is let go by its issuer when it is closed, and when it does not start', async () => {
    const issuer = await TestIssuer.create();
    const audienceOf = async () =>
      (JSON.parse(Buffer.from((await issuer.token()).split('.')[1] ?? '', 'base64url').toString()) as { aud: string })
        .aud;
    const before = await audienceOf();
    const builder = (providers: Provider[] = []) =>
      withTestIssuer(Test.createTestingModule({ imports: [appModule(PRODUCTION)], providers }), issuer);
    const app = (await builder().compile()).createNestApplication({ logger: false });
    await app.init();
    expect(await audienceOf()).toBe(PRODUCTION.audience);
    await app.close();
    expect(await audienceOf()).toBe(before);
    const broken = { provide: 'broken', useFactory: () => Promise.reject(new Error('no database')) };
    await expect(builder([broken]).compile()).rejects.toThrow('no database');
    expect(await audienceOf()).toBe(before);
  });

  it('is served again where its module is compiled again', async () => {
    const issuer = await TestIssuer.create();
    const auth = AuthTestingModule.forIssuer(issuer, { audience: PRODUCTION.audience });
    for (let count = 0; count < 2; count += 1) {
      const module = await Test.createTestingModule({ imports: [auth], controllers: [OrdersController] }).compile();
      const app = module.createNestApplication({ logger: false });
      await app.init();
      await request(app.getHttpServer() as App)
        .get('/orders')
        .set(await issuer.as())
        .expect(200);
      await app.close();
    }
  });

  it('has keys as soon as the issuer is back', async () => {
    const { issuer, ask } = await start();
    issuer.goDown();
    expect((await ask(await issuer.token())).status).toBe(503);
    issuer.recover();
    expect((await ask(await issuer.token())).status).toBe(200);
  });

  it('waits for a slow issuer as long as it would in production', async () => {
    const { issuer, ask } = await start({ keys: { from: 'discovery', timeoutMs: 50 } });
    issuer.slowDown(60_000);
    expect((await ask(await issuer.token())).body.code).toBe('KEYS_UNAVAILABLE');
  });

  it('has tokens of the time that its clock says', async () => {
    const { issuer, ask } = await start({ clock: () => Date.UTC(2040, 0, 1) });
    expect((await ask(await issuer.token())).status).toBe(200);
    expect((await ask(await issuer.expiredToken())).body.code).toBe('TOKEN_EXPIRED');
  });

  it('is not disturbed by fake timers, which its tokens go by', async () => {
    jest.useFakeTimers({ now: Date.UTC(2040, 0, 1) });
    const issuer = await TestIssuer.create();
    const module = await Test.createTestingModule({ imports: [AuthTestingModule.forIssuer(issuer)] }).compile();
    const { AccessTokenVerifier } = await import('../../src/index.js');
    const verifier = module.get(AccessTokenVerifier);
    const token = await issuer.token({ expiresInSeconds: 60 });
    expect((await verifier.verify(token)).claims.iat).toBe(Date.UTC(2040, 0, 1) / 1000);
    jest.setSystemTime(Date.UTC(2040, 0, 2));
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    await module.close();
  });

  it('is given the issuer by name where it trusts several', async () => {
    const issuers = [PRODUCTION, { issuer: 'https://other.example.com', audience: 'other', audienceClaim: 'azp' }];
    const { issuer, ask } = await start({ issuer: undefined, audience: undefined, issuers });
    expect((await ask(await issuer.token({ issuer: 'https://other.example.com', claims: { aud: 'x' } }))).status).toBe(
      200,
    );
    expect((await ask(await issuer.token())).status).toBe(200);
    await expect(issuer.token({ issuer: 'https://nobody.example.com' })).rejects.toThrow('trusts no issuer');
  });

  it('is given the issuer by name where its issuers are a function', async () => {
    const options = {
      issuer: undefined,
      audience: undefined,
      issuers: (name: string) => (name.endsWith('.tenants.test') ? { issuer: name, audience: 'tenants' } : undefined),
    };
    const { issuer, ask } = await start(options);
    expect((await ask(await issuer.token({ issuer: 'https://acme.tenants.test' }))).status).toBe(200);
    await expect(issuer.token()).rejects.toThrow('say which one');
    await expect(issuer.token({ issuer: 'https://nobody.test' })).rejects.toThrow('trusts no issuer');
  });

  it('keeps no key of a test in its store', async () => {
    const keyStore = { load: jest.fn<() => Promise<undefined>>(), save: jest.fn<() => Promise<void>>() };
    const { issuer, ask } = await start({ keyStore });
    expect((await ask(await issuer.token())).status).toBe(200);
    expect([keyStore.load, keyStore.save].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it('says so where a grant has no place in its tokens', async () => {
    const { issuer } = await start({ claimPaths: { roles: [] } });
    await expect(issuer.token({ roles: ['admin'] })).rejects.toThrow('claimPaths.roles');
  });
});

describe('A token that the issuer takes back', () => {
  it('is refused by an application that asks the issuer, and only then', async () => {
    const issuer = await TestIssuer.create();
    const isActive = async (token: string) => {
      const body = new URLSearchParams({ token });
      const answer = await issuer.fetch(`${PRODUCTION.issuer}introspect`, { method: 'POST', body });
      return ((await answer.json()) as { active: boolean }).active;
    };
    const asking = await start(
      {
        user: async ({ token, claims }) => {
          if (await isActive(token)) return claims;
          throw new AuthError('TOKEN_REVOKED');
        },
      },
      issuer,
    );
    const other = await start({}, issuer);
    const revoked = await issuer.revokedToken({ sub: 'alice' });
    expect((await asking.ask(revoked)).body).toMatchObject({ statusCode: 401, code: 'TOKEN_REVOKED' });
    expect((await other.ask(revoked)).status).toBe(200);
    const token = await issuer.token({ sub: 'alice' });
    expect((await asking.ask(token)).status).toBe(200);
    issuer.revoke(token);
    expect((await asking.ask(token)).body).toMatchObject({ code: 'TOKEN_REVOKED' });
  });

  it('is told by introspection from one that is good', async () => {
    const issuer = await TestIssuer.create();
    expect(issuer.introspect(await issuer.token({ sub: 'alice', scopes: ['read'] }))).toMatchObject({
      active: true,
      token_type: 'Bearer',
      sub: 'alice',
      scope: 'read',
      iss: issuer.url,
    });
    const inactive = [
      await issuer.revokedToken(),
      await issuer.expiredToken(),
      await issuer.token({ claims: { exp: undefined } }),
      await issuer.forgedToken(),
      await issuer.unknownKeyToken(),
      'no token',
      '',
    ];
    expect(inactive.map((token) => issuer.introspect(token))).toEqual(inactive.map(() => ({ active: false })));
    const before = await issuer.token();
    issuer.rotateKeys();
    expect(issuer.introspect(before)).toEqual({ active: false });
  });

  it('is taken back over HTTP, at the addresses that the metadata name', async () => {
    const issuer = await TestIssuer.listen();
    const metadata = (await (await fetch(`${issuer.url}/.well-known/openid-configuration`)).json()) as {
      readonly introspection_endpoint: string;
      readonly revocation_endpoint: string;
    };
    const post = (address: string, token: string) =>
      fetch(address, { method: 'POST', body: new URLSearchParams({ token }) });
    const ask = async (token: string) => (await post(metadata.introspection_endpoint, token)).json();
    const token = await issuer.token();
    expect(await ask(token)).toMatchObject({ active: true });
    expect((await post(metadata.revocation_endpoint, token)).status).toBe(200);
    expect(await ask(token)).toEqual({ active: false });
    // Only what is posted: a token has no place in an address.
    expect((await fetch(`${metadata.introspection_endpoint}?token=${token}`)).status).toBe(404);
    await issuer.close();
  });
});

describe('A test issuer that listens', () => {
  it('serves metadata and keys on loopback, to an application that knows nothing of tests', async () => {
    const issuer = await TestIssuer.listen({ algorithm: 'PS256', audience: 'api' });
    const imports = [appModule({ issuer: issuer.url, audience: 'api' })];
    const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication({ logger: false });
    apps.push(app);
    await app.init();
    const agent = request(app.getHttpServer() as App);
    await agent
      .get('/orders')
      .set(await issuer.as())
      .expect(200);
    issuer.goDown();
    await agent
      .get('/orders')
      .set('authorization', `Bearer ${await issuer.unknownKeyToken()}`)
      .expect(503);
    expect((await fetch(`${issuer.url}/nothing`).catch(() => 'cut')) === 'cut').toBe(true);
    issuer.recover();
    expect((await fetch(`${issuer.url}/nothing`)).status).toBe(404);
    expect((await fetch(`${issuer.url}//`)).status).toBe(404);
    await issuer.close();
  });
});

describe('A module that is made for a test', () => {
  it('has a test issuer by AuthTestingModule, with options of its own', async () => {
    const issuer = await TestIssuer.create({ claimPaths: { roles: ['groups'] } });
    const imports = [
      AuthTestingModule.forIssuer(issuer, { user: ({ claims }) => ({ sub: `user ${String(claims.sub)}` }) }),
    ];
    const module = await Test.createTestingModule({ imports, controllers: [OrdersController] }).compile();
    const app = module.createNestApplication({ logger: false });
    apps.push(app);
    await app.init();
    const answer = await request(app.getHttpServer() as App)
      .get('/orders')
      .set(await issuer.as({ sub: 'alice', roles: ['a'] }))
      .expect(200);
    expect(bodyOf(answer)).toMatchObject({ sub: 'user alice', roles: ['a'] });
  });
});

describe('Tokens', () => {
  it('are made for the options that AuthTestingModule was given', async () => {
    const issuer = await TestIssuer.create();
    const options: Partial<AuthOptions> = {
      claimPaths: { scopes: ['scp'] },
      algorithms: ['RS256'],
      clock: () => Date.UTC(2040, 0, 1),
      require: { scopes: ['api'] },
    };
    const imports = [AuthTestingModule.forIssuer(issuer, options)];
    const module = await Test.createTestingModule({ imports, controllers: [OrdersController] }).compile();
    const app = module.createNestApplication({ logger: false });
    apps.push(app);
    await app.init();
    const headers = await issuer.as({ scopes: ['api'] });
    await request(app.getHttpServer() as App)
      .get('/orders')
      .set(headers)
      .expect(200);
  });

  it('have what must be there, and the client that they are asked for', async () => {
    const { issuer, ask } = await start({ audienceClaim: 'client_id', requiredClaims: ['token_use', 'tenant'] });
    expect((await ask(await issuer.token())).status).toBe(200);
    expect((await ask(await issuer.token({ clientId: 'another' }))).body.code).toBe('AUDIENCE_MISMATCH');
  });

  it('are made for each application that one issuer is plugged into', async () => {
    const issuer = await TestIssuer.create();
    const one = await start({ issuer: 'https://one.example.com', algorithms: ['RS256'] }, issuer);
    const other = await start({ issuer: 'https://other.example.com' }, issuer);
    expect((await one.ask(await issuer.token({ issuer: 'https://one.example.com' }))).status).toBe(200);
    expect((await other.ask(await issuer.token())).status).toBe(200);
  });
});

describe('mockAuth in production', () => {
  it('is refused: it lets everybody in', () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      expect(() => mockAuth()).toThrow('NODE_ENV=production');
      expect(() => AuthTestingModule.forCaller()).toThrow('NODE_ENV=production');
    } finally {
      process.env.NODE_ENV = before;
    }
  });
});

describe('A controller that is tested with mockAuth', () => {
  const askAs = async (caller: Parameters<typeof mockAuth>[0], path: string) => {
    const module = await Test.createTestingModule({
      controllers: [OrdersController],
      providers: mockAuth(caller),
    }).compile();
    const app = module.createNestApplication({ logger: false });
    apps.push(app);
    await app.init();
    const answer = await request(app.getHttpServer() as App).get(path);
    return { status: answer.status, body: bodyOf(answer) };
  };

  it('has the caller that it is given, without a token', async () => {
    expect(await askAs({ claims: { sub: 'alice', scope: 'read' } }, '/orders')).toEqual({
      status: 200,
      body: { sub: 'alice', scopes: ['read'], roles: [], permissions: [] },
    });
    expect((await askAs(undefined, '/orders')).body).toMatchObject({ sub: 'test-user' });
    expect((await askAs({ user: { sub: 'mapped' } }, '/orders')).body).toMatchObject({ sub: 'mapped' });
  });

  it.each<[string, Parameters<typeof mockAuth>[0], string, number]>([
    ['a role that is there', { claims: { roles: ['admin'] } }, '/orders/roles', 200],
    ['a role that is not', { claims: { roles: ['user'] } }, '/orders/roles', 403],
    ['a role elsewhere', { claims: { groups: ['admin'] }, claimPaths: { roles: ['groups'] } }, '/orders/roles', 200],
    ['a guest at a closed door', { isGuest: true }, '/orders', 401],
    ['a guest at one for guests', { isGuest: true }, '/orders/maybe', 200],
    ['a guest at an open one', { isGuest: true }, '/orders/health', 200],
  ])('has the decorators asked: %s', async (_what, caller, path, status) => {
    expect((await askAs(caller, path)).status).toBe(status);
  });
});

describe('A request for a token', () => {
  const claimsOf = async (given: TokenRequest) => {
    const issuer = await TestIssuer.create({ issuer: 'https://issuer.example.com', audience: 'api' });
    const [, payload = ''] = (await issuer.token(given)).split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  };

  it('has claims that beat all others, and leaves out what is undefined', async () => {
    const claims = await claimsOf({
      sub: undefined,
      clientId: 'web',
      claims: { iss: 'x', jti: undefined, tenant: 't' },
    });
    expect(claims).toMatchObject({ iss: 'x', aud: 'api', client_id: 'web', tenant: 't' });
    expect(Object.keys(claims)).not.toContain('sub');
    expect(Object.keys(claims)).not.toContain('jti');
  });

  it('lives as long as it is told', async () => {
    const { iat, exp } = (await claimsOf({ expiresInSeconds: 5 })) as { iat: number; exp: number };
    expect(exp - iat).toBe(5);
  });
});
