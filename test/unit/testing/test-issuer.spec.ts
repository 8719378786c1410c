import { afterEach, describe, expect, it } from '@jest/globals';
import { type DynamicModule, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AccessTokenVerifier, AuthModule, type AuthOptions } from '../../../src/index.js';
import { AuthTestingModule, TestIssuer, type TokenRequest, withTestIssuer } from '../../../src/testing.js';

const PRODUCTION = { issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' };

const modules: TestingModule[] = [];
afterEach(() => Promise.all(modules.splice(0).map((module) => module.close())));

function builderOf(options: Partial<AuthOptions> = {}, ...others: DynamicModule[]) {
  const auth = AuthModule.forRoot({ ...PRODUCTION, ...options } as AuthOptions);
  return Test.createTestingModule({ imports: [auth, ...others] });
}

async function connect(issuer: TestIssuer, options?: Partial<AuthOptions>) {
  const module = await withTestIssuer(builderOf(options), issuer).compile();
  modules.push(module);
  return module.get(AccessTokenVerifier);
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('The options of a test issuer override those of the application', () => {
  it('audience', async () => {
    const issuer = await TestIssuer.create({ audience: 'https://wrong.test' });
    const verifier = await connect(issuer);
    const token = await issuer.token();
    expect(claimsOf(token)).toMatchObject({ iss: PRODUCTION.issuer, aud: 'https://wrong.test' });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'AUDIENCE_MISMATCH' });
  });

  it('issuer, unless the token request names one', async () => {
    const issuer = await TestIssuer.create({ issuer: 'https://stranger.test' });
    const verifier = await connect(issuer);
    const token = await issuer.token();
    expect([claimsOf(token).iss, issuer.url]).toEqual(['https://stranger.test', 'https://stranger.test']);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ISSUER_UNTRUSTED' });
    expect((await verifier.verify(await issuer.token({ issuer: PRODUCTION.issuer }))).issuer).toBe(PRODUCTION.issuer);
  });

  it('issuer, as one of several', async () => {
    const other = { issuer: 'https://other.example.com', audience: 'other' };
    const issuer = await TestIssuer.create({ issuer: other.issuer });
    const verifier = await connect(issuer, { issuer: undefined, audience: undefined, issuers: [PRODUCTION, other] });
    expect((await verifier.verify(await issuer.token())).claims).toMatchObject({ iss: other.issuer, aud: 'other' });
  });

  it('claimPaths, each on its own', async () => {
    const issuer = await TestIssuer.create({ claimPaths: { roles: ['groups'] } });
    const verifier = await connect(issuer, { claimPaths: { scopes: ['scp'], roles: ['realm_access.roles'] } });
    const token = await verifier.verify(await issuer.token({ scopes: ['read'], roles: ['admin'] }));
    expect(token.claims).toMatchObject({ scp: 'read', groups: ['admin'] });
    expect([token.scopes, token.roles]).toEqual([['read'], []]);
  });

  it('algorithm', async () => {
    const issuer = await TestIssuer.create({ algorithm: 'ES256' });
    const verifier = await connect(issuer, { algorithms: ['RS256'] });
    await expect(verifier.verify(await issuer.token())).rejects.toMatchObject({ code: 'ALGORITHM_NOT_ALLOWED' });
  });
});

it.each<[string, () => Promise<unknown>, string]>([
  ['an unknown option', () => TestIssuer.create({ audiance: 'x' } as object), 'audiance'],
  ['a symmetric algorithm', () => TestIssuer.create({ algorithm: 'HS256' } as object), 'HS256'],
  ['an issuer for a server', () => TestIssuer.listen({ issuer: 'https://x.test' } as object), 'issuer'],
  [
    'an unknown property of a token request',
    async () => (await TestIssuer.create()).as({ scope: 'a' } as object),
    'scope',
  ],
])('A test issuer rejects %s', async (_title, create, message) => {
  await expect(create()).rejects.toThrow(message);
});

describe('A token request', () => {
  const issue = async (request: TokenRequest) =>
    claimsOf(await (await TestIssuer.create({ issuer: 'https://issuer.example.com', audience: 'api' })).token(request));

  it('has claims that override all others, and omits those that are undefined', async () => {
    const claims = await issue({ sub: undefined, clientId: 'web', claims: { iss: 'x', jti: undefined, tenant: 't' } });
    expect(claims).toEqual({ iss: 'x', aud: 'api', client_id: 'web', tenant: 't', iat: claims.iat, exp: claims.exp });
  });

  it('limits the lifetime', async () => {
    const { iat, exp } = await issue({ expiresInSeconds: 5 });
    expect(Number(exp) - Number(iat)).toBe(5);
  });
});

describe('withTestIssuer', () => {
  it('makes the application reject tokens that were issued before it was compiled (ISSUER_UNTRUSTED)', async () => {
    const issuer = await TestIssuer.create();
    const early = await issuer.token();
    const verifier = await connect(issuer);
    await expect(verifier.verify(early)).rejects.toMatchObject({ code: 'ISSUER_UNTRUSTED' });
  });

  it('fails for a module without AuthModule, because all its routes would be open', async () => {
    @Module({})
    class OpenModule {}
    const builder = withTestIssuer(Test.createTestingModule({ imports: [OpenModule] }), await TestIssuer.create());
    await expect(builder.compile()).rejects.toThrow('does not import AuthModule');
  });

  it('fails if another test issuer was connected afterwards', async () => {
    const builder = builderOf();
    withTestIssuer(builder, await TestIssuer.create());
    const last = withTestIssuer(builder, await TestIssuer.create());
    await expect(last.compile()).rejects.toThrow('called again');
  });

  it('disconnects an application that is closed, and each module of one that does not compile', async () => {
    const issuer = await TestIssuer.create();
    const audience = async () => claimsOf(await issuer.token()).aud;
    const app = (await withTestIssuer(builderOf(), issuer).compile()).createNestApplication({ logger: false });
    await app.init();
    expect(await audience()).toBe(PRODUCTION.audience);
    await app.close();
    expect(await audience()).toBe('https://api.test');
    class SecondModule extends AuthModule {}
    @Module({})
    class BrokenModule {}
    const second = {
      ...AuthModule.forRoot({ ...PRODUCTION, audience: 'second', guard: 'manual' }),
      module: SecondModule,
    };
    const broken = { provide: 'broken', useFactory: () => Promise.reject(new Error('no database')) };
    const builder = builderOf({}, second, { module: BrokenModule, providers: [broken] });
    await expect(withTestIssuer(builder, issuer).compile()).rejects.toThrow('no database');
    expect(await audience()).toBe('https://api.test');
  });
});

describe('AuthTestingModule.forIssuer', () => {
  it('fetches new keys immediately after a change of the issuer, and is disconnected when it is closed', async () => {
    const issuer = await TestIssuer.create();
    const imports = [AuthTestingModule.forIssuer(issuer, { audience: 'other' })];
    const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication({ logger: false });
    await app.init();
    const verifier = app.get(AccessTokenVerifier);
    issuer.goDown();
    await expect(verifier.verify(await issuer.token())).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
    issuer.recover();
    expect((await verifier.verify(await issuer.token())).claims.aud).toBe('other');
    await expect(verifier.verify(await issuer.unknownKeyToken())).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
    issuer.rotateKeys();
    expect((await verifier.verify(await issuer.token())).issuer).toBe(issuer.url);
    await app.close();
    expect(claimsOf(await issuer.token()).aud).toBe('https://api.test');
  });
});
