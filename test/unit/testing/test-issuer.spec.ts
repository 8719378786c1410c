import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AccessTokenVerifier, AuthModule, type AuthOptions } from '../../../src/index.js';
import {
  AuthTestingModule,
  mockAuth,
  TestIssuer,
  type TestIssuerOptions,
  withTestIssuer,
} from '../../../src/testing.js';

const PRODUCTION = { issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' };

const modules: TestingModule[] = [];
afterEach(() => Promise.all(modules.splice(0).map((module) => module.close())));

async function plugged(given: TestIssuerOptions, options: Partial<AuthOptions> = {}) {
  const issuer = await TestIssuer.create(given);
  const imports = [AuthModule.forRoot({ ...PRODUCTION, ...options } as AuthOptions)];
  const module = await withTestIssuer(Test.createTestingModule({ imports }), issuer).compile();
  modules.push(module);
  return { issuer, verifier: module.get(AccessTokenVerifier) };
}

const claimsIn = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('What a test issuer is given itself', () => {
  it('is what its tokens say, whatever the application says: the audience', async () => {
    const { issuer, verifier } = await plugged({ audience: 'https://wrong.test' });
    const token = await issuer.token();
    expect(claimsIn(token)).toMatchObject({ iss: PRODUCTION.issuer, aud: 'https://wrong.test' });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'AUDIENCE_MISMATCH' });
  });

  it('is what its tokens say, whatever the application says: the issuer', async () => {
    const { issuer, verifier } = await plugged({ issuer: 'https://stranger.test' });
    const token = await issuer.token();
    expect([claimsIn(token).iss, issuer.url]).toEqual(['https://stranger.test', 'https://stranger.test']);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'ISSUER_UNTRUSTED' });
    // The request says it more closely.
    expect((await verifier.verify(await issuer.token({ issuer: PRODUCTION.issuer }))).issuer).toBe(PRODUCTION.issuer);
  });

  it('is which of several issuers its tokens are of', async () => {
    const other = { issuer: 'https://other.example.com', audience: 'other' };
    const options = { issuer: undefined, audience: undefined, issuers: [PRODUCTION, other] };
    const { issuer, verifier } = await plugged({ issuer: other.issuer }, options);
    expect((await verifier.verify(await issuer.token())).claims).toMatchObject({ iss: other.issuer, aud: 'other' });
  });

  it('is where its tokens have grants; what it is not given stands where the application looks', async () => {
    const options = { claimPaths: { scopes: ['scp'], roles: ['realm_access.roles'] } };
    const { issuer, verifier } = await plugged({ claimPaths: { roles: ['groups'] } }, options);
    const token = await verifier.verify(await issuer.token({ scopes: ['read'], roles: ['admin'] }));
    expect(token.claims).toMatchObject({ scp: 'read', groups: ['admin'] });
    expect([token.scopes, token.roles]).toEqual([['read'], []]);
  });

  it('is how it signs, though the application does not accept it', async () => {
    const { issuer, verifier } = await plugged({ algorithm: 'ES256' }, { algorithms: ['RS256'] });
    await expect(verifier.verify(await issuer.token())).rejects.toMatchObject({ code: 'ALGORITHM_NOT_ALLOWED' });
  });

  it('must be something that there is', async () => {
    const create = (options: object) => TestIssuer.create(options);
    await expect(create({ audiance: 'x' })).rejects.toThrow(
      'TestIssuer.create() has no member "audiance"; there are issuer, audience, algorithm, claimPaths',
    );
    await expect(TestIssuer.listen({ issuer: 'https://x.test' } as object)).rejects.toThrow(
      'TestIssuer.listen() has no member "issuer"; there are audience, algorithm, claimPaths',
    );
    await expect(create({ algorithm: 'HS256' })).rejects.toThrow(/has no algorithm "HS256"; there are RS256, .*ES256/);
    await expect(create({ algorithm: 'none' })).rejects.toThrow('has no algorithm "none"');
  });
});

describe('What a token is asked for by', () => {
  it.each<[string, (issuer: TestIssuer, request: object) => Promise<unknown>]>([
    ['token', (issuer, request) => issuer.token(request)],
    ['as', (issuer, request) => issuer.as(request)],
    ['expiredToken', (issuer, request) => issuer.expiredToken(request)],
    ['forgedToken', (issuer, request) => issuer.forgedToken(request)],
    ['unknownKeyToken', (issuer, request) => issuer.unknownKeyToken(request)],
  ])('must be something that there is: %s', async (_name, make) => {
    const issuer = await TestIssuer.create();
    await expect(make(issuer, { scope: 'read' })).rejects.toThrow(
      'The request for a token has no member "scope"; there are sub, scopes, roles, permissions, clientId, expiresInSeconds, claims, header, issuer',
    );
  });
});

describe('A token that was made before the application', () => {
  it('is of no issuer that it trusts', async () => {
    const issuer = await TestIssuer.create();
    const early = await issuer.token();
    const imports = [AuthModule.forRoot(PRODUCTION)];
    const module = await withTestIssuer(Test.createTestingModule({ imports }), issuer).compile();
    modules.push(module);
    const verifier = module.get(AccessTokenVerifier);
    await expect(verifier.verify(early)).rejects.toMatchObject({ code: 'ISSUER_UNTRUSTED' });
    expect((await verifier.verify(await issuer.token())).issuer).toBe(PRODUCTION.issuer);
  });
});

describe('A module that a test issuer cannot be plugged into', () => {
  @Controller()
  class OpenController {
    @Get()
    get() {
      return 'open';
    }
  }
  @Module({ controllers: [OpenController] })
  class ForgetfulModule {}

  it('does not compile: it imports no AuthModule, and all its routes would be open', async () => {
    const issuer = await TestIssuer.create();
    const builder = withTestIssuer(Test.createTestingModule({ imports: [ForgetfulModule] }), issuer);
    await expect(builder.compile()).rejects.toThrow(
      /^withTestIssuer: no AuthModule takes its keys from this test issuer/,
    );
  });

  it('does not compile: it has mockAuth', async () => {
    const builder = Test.createTestingModule({ providers: mockAuth(), controllers: [OpenController] });
    await expect(withTestIssuer(builder, await TestIssuer.create()).compile()).rejects.toThrow('withTestIssuer');
  });

  it('does not compile: another one was plugged in after it', async () => {
    const builder = Test.createTestingModule({ imports: [AuthModule.forRoot(PRODUCTION)] });
    withTestIssuer(builder, await TestIssuer.create());
    const last = withTestIssuer(builder, await TestIssuer.create());
    await expect(last.compile()).rejects.toThrow('another test issuer');
  });
});

describe('AuthTestingModule', () => {
  it('has its module asked for keys at once after a change of its issuer', async () => {
    const issuer = await TestIssuer.create();
    const module = await Test.createTestingModule({ imports: [AuthTestingModule.forIssuer(issuer)] }).compile();
    modules.push(module);
    const verifier = module.get(AccessTokenVerifier);
    issuer.goDown();
    await expect(verifier.verify(await issuer.token())).rejects.toMatchObject({ code: 'KEYS_UNAVAILABLE' });
    issuer.recover();
    expect((await verifier.verify(await issuer.token())).issuer).toBe(issuer.url);
    await expect(verifier.verify(await issuer.unknownKeyToken())).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
    issuer.rotateKeys();
    expect((await verifier.verify(await issuer.token())).issuer).toBe(issuer.url);
  });
});
