import 'reflect-metadata';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, type DynamicModule, Get, type ModuleMetadata, Post } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import {
  AccessToken,
  AuthError,
  AuthModule,
  type AuthOptions,
  CurrentUser,
  JwtStrategy,
  Public,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { AuthTestingModule, TestIssuer, withTestIssuer } from '../../src/testing.js';
import { bearer, call, closeApps, startApp } from '../support/app.js';
import { newKey } from '../support/local-issuer.js';

@Controller('orders')
class OrdersController {
  @Get()
  list(@CurrentUser('sub') sub: string, @AccessToken() { scopes, roles, permissions }: VerifiedAccessToken) {
    return { sub, scopes, roles, permissions };
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
}

const PRODUCTION = { issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' };

afterEach(async () => {
  jest.useRealTimers();
  await closeApps();
});

const metadataFor = (auth: DynamicModule): ModuleMetadata => ({ imports: [auth], controllers: [OrdersController] });

async function launch(auth: DynamicModule, issuer?: TestIssuer) {
  const override = (builder: TestingModuleBuilder) => (issuer ? withTestIssuer(builder, issuer) : builder);
  const { url, close } = await startApp('express', metadataFor(auth), { override });
  const ask = (path: string, headers = {}, method?: string) => call(`${url}/${path}`, headers, method);
  const get = async (token: string) => {
    const { status, body } = await ask('orders', bearer(token));
    return { status, body, outcome: body.code ?? status };
  };
  return { ask, get, close };
}

/** Starts an application with options for production. */
async function start(options: Partial<AuthOptions> = {}, existing?: TestIssuer) {
  const issuer = existing ?? (await TestIssuer.create());
  const auth = AuthModule.forRoot({ ...PRODUCTION, ...options } as AuthOptions);
  return { issuer, ...(await launch(auth, issuer)) };
}

describe('An application that is connected to a test issuer', () => {
  it('accepts tokens by its options for production, and stays closed without a token', async () => {
    const { ask, issuer } = await start();
    const headers = await issuer.as({ sub: 'alice', scopes: ['read', 'write'], roles: ['admin'], permissions: ['x'] });
    const expected = { sub: 'alice', scopes: ['read', 'write'], roles: ['admin'], permissions: ['x'] };
    expect(await ask('orders', headers)).toMatchObject({ status: 200, body: expected });
    expect((await ask('orders', headers, 'POST')).status).toBe(201);
    expect((await ask('orders', await issuer.as(), 'POST')).status).toBe(403);
    expect((await ask('orders')).status).toBe(401);
    expect((await ask('orders/health')).status).toBe(200);
  });

  it('works with the inject method of Fastify and fake timers', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'], now: Date.UTC(2040, 0, 1) });
    const issuer = await TestIssuer.create();
    const builder = Test.createTestingModule(metadataFor(AuthModule.forRoot(PRODUCTION)));
    const module = await withTestIssuer(builder, issuer).compile();
    const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await app.init();
    const headers = await issuer.as({ sub: 'alice', expiresInSeconds: 60 });
    const admitted = await app.inject({ url: '/orders', headers });
    expect([admitted.statusCode, admitted.json()]).toMatchObject([200, { sub: 'alice' }]);
    expect((await app.inject({ url: '/orders' })).statusCode).toBe(401);
    jest.setSystemTime(Date.now() + 66_000);
    const refused = await app.inject({ url: '/orders', headers });
    expect([refused.statusCode, refused.json()]).toMatchObject([401, { code: 'TOKEN_EXPIRED' }]);
    await app.close();
  });

  it.each<[string, Partial<AuthOptions>]>([
    ['Keycloak', { claimPaths: { roles: ['realm_access.roles'], permissions: ['resource_access["my.api"].roles'] } }],
    ['ZITADEL', { claimPaths: { roles: [{ keysOf: 'urn:zitadel:iam:org:project:roles' }] } }],
    ['Okta', { claimPaths: { scopes: ['scp'] } }],
    ['Cognito', { audienceClaim: 'client_id', requiredClaims: ['token_use', 'tenant'] }],
    ['RFC 9068', { tokenTypes: ['at+jwt'], algorithms: ['RS256'], requiredClaims: ['jti', 'sub', 'client_id'] }],
    ['typ JWT and EdDSA', { tokenTypes: ['JWT'], algorithms: ['EdDSA'], maxTokenAgeSeconds: 60 }],
    ['static keys', { keys: { from: 'static', jwks: { keys: [newKey().jwk as never] } } }],
    ['its own clock', { clock: () => Date.UTC(2040, 0, 1) }],
  ])('accepts tokens with the options of %s', async (_name, options) => {
    const { issuer, get } = await start(options);
    const authorities = { scopes: ['read'], roles: ['admin'], permissions: ['orders:read'] };
    expect((await get(await issuer.token(authorities))).body).toEqual({ sub: 'test-user', ...authorities });
    expect((await get(await issuer.expiredToken())).outcome).toBe('TOKEN_EXPIRED');
    expect((await get(await issuer.otherAudienceToken())).outcome).toBe('AUDIENCE_MISMATCH');
  });

  it.each<[string, (issuer: TestIssuer) => Promise<string>, string]>([
    ['is not valid yet', (issuer) => issuer.notYetValidToken(), 'TOKEN_NOT_YET_VALID'],
    ['is from another issuer', (issuer) => issuer.otherIssuerToken(), 'ISSUER_UNTRUSTED'],
    ['is forged', (issuer) => issuer.forgedToken(), 'SIGNATURE_INVALID'],
    ['is signed with an unknown key', (issuer) => issuer.unknownKeyToken(), 'KEY_UNKNOWN'],
    ['is bound to a key', (issuer) => issuer.dpopBoundToken(), 'BINDING_UNPROVEN'],
    ['has no subject', (issuer) => issuer.token({ sub: undefined }), 'CLAIM_MISSING'],
    ['has another type', (issuer) => issuer.token({ header: { typ: 'logout+jwt' } }), 'TYPE_NOT_ALLOWED'],
  ])('rejects a token that %s', async (_title, issue, code) => {
    const { issuer, get } = await start({ requiredClaims: ['sub'] });
    expect(await get(await issue(issuer))).toMatchObject({ status: 401, body: { code } });
  });

  it('accepts earlier tokens after a rotation of the keys until it receives a new one', async () => {
    const { issuer, get } = await start();
    const before = await issuer.token();
    expect((await get(before)).status).toBe(200);
    issuer.rotateKeys();
    expect((await get(before)).status).toBe(200);
    expect((await get(await issuer.token())).status).toBe(200);
    expect((await get(before)).outcome).toBe('KEY_UNKNOWN');
    // The withdrawn key could be that of another server of the issuer, so it is looked for once more.
    expect(issuer.keyRequests).toBe(3);
  });

  it('fetches keys immediately after each change of the issuer, so that one application serves many tests', async () => {
    const { issuer, get } = await start();
    const outcomes: unknown[] = [];
    for (const change of ['goDown', 'recover', 'rotateKeys', 'goDown', 'rotateKeys', 'recover'] as const) {
      issuer[change]();
      outcomes.push((await get(await issuer.unknownKeyToken())).outcome, (await get(await issuer.token())).outcome);
    }
    const [down, unknown] = ['KEYS_UNAVAILABLE', 'KEY_UNKNOWN'];
    expect(outcomes).toEqual([down, down, unknown, 200, unknown, 200, down, 200, down, down, unknown, 200]);
  });

  it('waits for a slow issuer as long as `keys.timeoutMs` allows', async () => {
    const { issuer, get } = await start({ keys: { from: 'discovery', timeoutMs: 50 } });
    issuer.slowDown(60_000);
    expect((await get(await issuer.token())).outcome).toBe('KEYS_UNAVAILABLE');
  });

  it('accepts tokens of each issuer that it trusts', async () => {
    const issuers = [PRODUCTION, { issuer: 'https://other.example.com', audience: 'other', audienceClaim: 'azp' }];
    const { issuer, get } = await start({ issuer: undefined, audience: undefined, issuers });
    const other = await issuer.token({ issuer: 'https://other.example.com', claims: { aud: 'x' } });
    expect((await get(other)).status).toBe(200);
    expect((await get(await issuer.token())).status).toBe(200);
    await expect(issuer.token({ issuer: 'https://unknown.example.com' })).rejects.toThrow('does not trust the issuer');
  });

  it('accepts tokens of each issuer that its `issuers` function returns', async () => {
    const issuers = (issuer: string) =>
      issuer.endsWith('.tenants.test') ? { issuer, audience: 'tenants' } : undefined;
    const { issuer, get } = await start({ issuer: undefined, audience: undefined, issuers });
    expect((await get(await issuer.token({ issuer: 'https://acme.tenants.test' }))).status).toBe(200);
    await expect(issuer.token()).rejects.toThrow('Set `issuer` in the token request');
    await expect(issuer.token({ issuer: 'https://unknown.test' })).rejects.toThrow('does not trust the issuer');
  });

  it('shares a test issuer with other applications', async () => {
    const issuer = await TestIssuer.create();
    const first = await start({ issuer: 'https://one.example.com', algorithms: ['RS256'] }, issuer);
    const second = await start({ issuer: 'https://two.example.com' }, issuer);
    expect((await first.get(await issuer.token({ issuer: 'https://one.example.com' }))).status).toBe(200);
    expect((await second.get(await issuer.token())).status).toBe(200);
  });

  it('does not persist the keys of a test', async () => {
    const keyStore = { load: jest.fn<() => Promise<undefined>>(), save: jest.fn<() => Promise<void>>() };
    const { issuer, get } = await start({ keyStore });
    expect((await get(await issuer.token())).status).toBe(200);
    expect([keyStore.load, keyStore.save].flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it('has no tokens with roles if it reads none', async () => {
    const { issuer } = await start({ claimPaths: { roles: [] } });
    await expect(issuer.token({ roles: ['admin'] })).rejects.toThrow('claimPaths.roles');
  });
});

describe('A revoked token', () => {
  // SEC 2 §2.4.2: the order of P-256.
  const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  /** Another text of the same token: of an ECDSA signature (r, s), (r, n - s) is valid as well. */
  const rewritten = (token: string) => {
    const [header, payload, signature = ''] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const s = ORDER - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    bytes.write(s.toString(16).padStart(64, '0'), 32, 'hex');
    return [header, payload, bytes.toString('base64url')].join('.');
  };

  it('is revoked in every text of it', async () => {
    const issuer = await TestIssuer.create({ algorithm: 'ES256' });
    const { get } = await start({}, issuer);
    const token = await issuer.token();
    const other = rewritten(token);
    expect([other === token, rewritten(other)]).toEqual([false, token]);
    expect([(await get(token)).status, (await get(other)).status]).toEqual([200, 200]);
    const introspected = () => [token, other].map((text) => issuer.introspect(text).active);
    expect(introspected()).toEqual([true, true]);
    issuer.revoke(other);
    expect(introspected()).toEqual([false, false]);
  });

  it('is rejected by an application that asks the introspection endpoint, and only by that (USER_REFUSED)', async () => {
    const issuer = await TestIssuer.create();
    const isActive = async (token: string) => {
      const body = new URLSearchParams({ token });
      const answer = await issuer.fetch(`${PRODUCTION.issuer}introspect`, { method: 'POST', body });
      return ((await answer.json()) as { active: boolean }).active;
    };
    const user: AuthOptions['user'] = async ({ token, claims }) => {
      if (await isActive(token)) return claims;
      throw new AuthError('USER_REFUSED', { reason: 'revoked' });
    };
    const introspecting = await start({ user }, issuer);
    const other = await start({}, issuer);
    const revoked = await issuer.revokedToken();
    expect(await introspecting.get(revoked)).toMatchObject({ status: 401, outcome: 'USER_REFUSED' });
    expect((await other.get(revoked)).status).toBe(200);
    expect((await introspecting.get(await issuer.token())).status).toBe(200);
  });

  it('is inactive, as is every token that is expired or not signed with a current key', async () => {
    const issuer = await TestIssuer.create();
    const active = await issuer.token({ sub: 'alice', scopes: ['read'] });
    const expected = { active: true, token_type: 'Bearer', sub: 'alice', scope: 'read', iss: issuer.url };
    expect(issuer.introspect(active)).toMatchObject(expected);
    const otherSignature = (await issuer.token()).split('.').at(-1) ?? '';
    expect(issuer.introspect(active.replace(/[^.]*$/, otherSignature))).toEqual({ active: false });
    const inactive = [
      await issuer.revokedToken(),
      await issuer.expiredToken(),
      await issuer.token({ claims: { exp: undefined } }),
      await issuer.forgedToken(),
      await issuer.unknownKeyToken(),
      '',
    ];
    issuer.rotateKeys();
    for (const token of [...inactive, active]) expect(issuer.introspect(token)).toEqual({ active: false });
  });
});

describe('A test issuer that listens', () => {
  it('serves metadata and keys to an application that is not connected to it', async () => {
    const issuer = await TestIssuer.listen({ algorithm: 'PS256', audience: 'api' });
    const { get } = await launch(AuthModule.forRoot({ issuer: issuer.url, audience: 'api' }));
    expect((await get(await issuer.token())).status).toBe(200);
    issuer.goDown();
    expect((await get(await issuer.unknownKeyToken())).status).toBe(503);
    await expect(fetch(`${issuer.url}/unknown`)).rejects.toThrow();
    issuer.recover();
    expect((await fetch(`${issuer.url}/unknown`)).status).toBe(404);
    expect((await fetch(`${issuer.url}//`)).status).toBe(404);
    await issuer.close();
  });

  it('listens on the given port, and rejects if another server does', async () => {
    const first = await TestIssuer.listen();
    const port = Number(new URL(first.url).port);
    await expect(TestIssuer.listen({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await first.close();
    const second = await TestIssuer.listen({ port });
    expect(second.url).toBe(first.url);
    await second.close();
  });

  it('introspects and revokes tokens that are posted to the endpoints in its metadata', async () => {
    const issuer = await TestIssuer.listen();
    const answer = await fetch(`${issuer.url}/.well-known/openid-configuration`);
    const metadata = (await answer.json()) as Record<string, string>;
    const token = await issuer.token();
    const post = (endpoint: string) =>
      fetch(String(metadata[endpoint]), { method: 'POST', body: new URLSearchParams({ token }) });
    expect(await (await post('introspection_endpoint')).json()).toMatchObject({ active: true });
    expect((await post('revocation_endpoint')).status).toBe(200);
    expect(await (await post('introspection_endpoint')).json()).toEqual({ active: false });
    // A token must not be part of an address.
    expect((await fetch(`${String(metadata.introspection_endpoint)}?token=${token}`)).status).toBe(404);
    await issuer.close();
  });
});

describe('AuthTestingModule.forIssuer', () => {
  class UpperCaseStrategy extends JwtStrategy {
    override validate({ claims }: VerifiedAccessToken) {
      return { sub: String(claims.sub).toUpperCase() };
    }
  }

  it('applies its options, and can be compiled again', async () => {
    const issuer = await TestIssuer.create({ claimPaths: { roles: ['groups'] } });
    const auth = AuthTestingModule.forIssuer(issuer, {
      claimPaths: { scopes: ['scp'], roles: ['groups'] },
      algorithms: ['RS256'],
      clock: () => Date.UTC(2040, 0, 1),
      require: { scopes: ['api'] },
      strategy: UpperCaseStrategy,
    });
    for (let count = 0; count < 2; count += 1) {
      const { get, close } = await launch(auth);
      const { body } = await get(await issuer.token({ sub: 'alice', scopes: ['api'], roles: ['a'] }));
      expect(body).toMatchObject({ sub: 'ALICE', roles: ['a'] });
      expect((await get(await issuer.token())).outcome).toBe('SCOPE_INSUFFICIENT');
      await close();
    }
  });
});
