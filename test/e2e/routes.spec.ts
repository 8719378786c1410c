import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type PipeTransform, SetMetadata } from '@nestjs/common';
import { AuthError, AuthModule, type AuthOptions, CurrentUser, Public } from '../../src/index.js';
import { bearer, call, PLATFORMS, type RunningApp, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { HalfOpenController, OpenController, OrdersController } from '../support/orders.js';

const AUDIENCE = 'https://api.example.com';
const key = newKey();
const stranger = newKey('rsa', { kid: key.kid });
const issuer = LocalIssuer.forFile([key]);

const good = () => bearer(issuer.token(key, 'RS256'));
const bad = () => bearer(issuer.token(stranger, 'RS256'));

describe.each(PLATFORMS)('routes on %s', (platform) => {
  let running: RunningApp;

  @Controller('foreign')
  @SetMetadata('isPublic', true)
  class ForeignController {
    @Get()
    @SetMetadata('public', true)
    read() {
      return 'closed';
    }
  }

  class Inherited {
    @Get()
    read() {
      return 'by either';
    }
  }

  @Controller('heir-closed')
  class ClosedHeir extends Inherited {}

  @Public()
  @Controller('heir-open')
  class OpenHeir extends Inherited {}

  beforeAll(async () => {
    running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
      controllers: [OrdersController, OpenController, HalfOpenController, ForeignController, OpenHeir, ClosedHeir],
    });
  });

  afterAll(() => running.close());

  const cases: [path: string, guest: number, withGood: number, withBad: number, why: string][] = [
    ['orders', 401, 200, 401, 'no decorator: closed'],
    ['orders/public', 200, 200, 200, '@Public(): a token is not looked at'],
    ['orders/optional', 200, 200, 401, '@OptionalAuth(): a token that is sent must be good'],
    ['open', 200, 200, 200, '@Public() on the class'],
    ['open/optional', 200, 200, 401, '@OptionalAuth() on a handler beats @Public() on the class'],
    ['half-open', 200, 200, 401, '@OptionalAuth() on the class'],
    ['half-open/public', 200, 200, 200, '@Public() on a handler beats @OptionalAuth() on the class'],
    ['heir-open', 200, 200, 200, '@Public() on one of two classes that inherit the same method'],
    ['heir-closed', 401, 200, 401, 'the other one of them'],
    ['foreign', 401, 200, 401, "other packages' metadata opens nothing"],
  ];

  it.each(cases)(
    '/%s answers %i to a guest, %i with a good token, %i with a bad one (%s)',
    async (path, ...expected) => {
      const answers = [{}, good(), bad()].map((headers) => call(`${running.url}/${path}`, headers));
      const statuses = (await Promise.all(answers)).map(({ status }) => status);
      expect(statuses).toEqual(expected.slice(0, 3));
    },
  );

  it('hands the verified claims to @CurrentUser(), and a property of them to @CurrentUser(property)', async () => {
    const claims = issuer.claims({ roles: ['a'] });
    const headers = bearer(issuer.token(key, 'RS256', claims));
    expect((await call(`${running.url}/orders`, headers)).body).toEqual({ user: claims });
    expect((await call(`${running.url}/orders/sub`, headers)).body).toEqual({ sub: 'alice' });
    expect((await call(`${running.url}/orders/inherited`, headers)).body).toEqual({ isUndefined: true });
  });

  it('hands nothing to @CurrentUser() on a public route and to a guest', async () => {
    expect((await call(`${running.url}/orders/public`, good())).body).toEqual({ user: 'nobody' });
    expect((await call(`${running.url}/orders/optional`)).body).toEqual({ sub: 'guest', hasToken: false });
    expect((await call(`${running.url}/orders/optional`, good())).body).toEqual({ sub: 'alice', hasToken: true });
  });

  it('hands the verified token to @AccessToken()', async () => {
    const headers = bearer(
      issuer.token(key, 'RS256', { scope: 'read write', scp: ['extra'], roles: ['admin'], permissions: ['p:1'] }),
    );
    expect((await call(`${running.url}/orders/token`, headers)).body).toEqual({
      issuer: issuer.url,
      scopes: ['read', 'write', 'extra'],
      roles: ['admin'],
      permissions: ['p:1'],
      alg: 'RS256',
      isWhole: true,
    });
  });
});

describe.each(PLATFORMS)('@CurrentUser() with pipes on %s', (platform) => {
  @Injectable()
  class ToUpperCase implements PipeTransform<string> {
    transform(value: string) {
      return value.toUpperCase();
    }
  }

  class NamesOf implements PipeTransform<object> {
    transform(value: object) {
      return Object.keys(value);
    }
  }

  @Controller('piped')
  class PipedController {
    @Get()
    read(@CurrentUser('sub', ToUpperCase) sub: string, @CurrentUser(undefined, new NamesOf()) names: string[]) {
      return { sub, names };
    }
  }

  it('hands what they make of the user, or of the property, to the handler', async () => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
      controllers: [PipedController],
    });
    const answer = await call(`${running.url}/piped`, good());
    await running.close();
    expect(answer.body).toEqual({ sub: 'ALICE', names: ['iss', 'aud', 'sub', 'iat', 'exp'] });
  });
});

describe.each(PLATFORMS)('@OptionalAuth() on %s', (platform) => {
  it.each(['user', 'validate'] as const)(
    'lets nobody in as a guest whose token `%s` refuses, whatever the code (401)',
    async (option) => {
      const refuse = () => {
        throw new AuthError('TOKEN_MISSING');
      };
      const running = await startApp(platform, {
        imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, [option]: refuse })],
        controllers: [OrdersController],
      });
      const answer = await call(`${running.url}/orders/optional`, good());
      const guest = await call(`${running.url}/orders/optional`);
      await running.close();
      expect([answer.status, answer.body.code]).toEqual([401, 'TOKEN_MISSING']);
      expect([guest.status, guest.body.sub]).toEqual([200, 'guest']);
    },
  );

  it('takes an empty Authorization header for none', async () => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE })],
      controllers: [OrdersController],
    });
    const answer = await call(`${running.url}/orders/optional`, { authorization: '' });
    await running.close();
    expect([answer.status, answer.body]).toEqual([200, { sub: 'guest', hasToken: false }]);
  });
});

describe.each(PLATFORMS)('the user option on %s', (platform) => {
  class Account {
    constructor(
      readonly id: string,
      readonly tenant: string,
    ) {}

    get label(): string {
      return `${this.tenant}/${this.id}`;
    }
  }

  @Controller('me')
  class MeController {
    @Get()
    me(@CurrentUser() user: Account, @CurrentUser('id') id: string, @CurrentUser('label') label: string) {
      return { isAccount: user instanceof Account, id, label };
    }
  }

  const ask = async (user: AuthOptions['user']) => {
    const running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, user })],
      controllers: [MeController],
    });
    const answer = await call(`${running.url}/me`, good());
    await running.close();
    return answer;
  };
  const account = (sub: string | undefined) => new Account(sub ?? '', 'acme');

  it.each([
    ['at once', ({ claims }) => account(claims.sub)],
    ['later', ({ claims }) => Promise.resolve(account(claims.sub))],
  ] satisfies [string, AuthOptions['user']][])(
    'maps the token to the user of the application, %s',
    async (_when, user) => {
      expect((await ask(user)).body).toEqual({ isAccount: true, id: 'alice', label: 'acme/alice' });
    },
  );

  it.each([
    ['returns undefined', () => undefined, 401, 'USER_REFUSED'],
    ['returns null later', () => Promise.resolve(null), 401, 'USER_REFUSED'],
    ['returns false', () => false as const, 401, 'USER_REFUSED'],
    [
      'throws an AuthError',
      () => {
        throw new AuthError('POLICY_DENIED');
      },
      403,
      'POLICY_DENIED',
    ],
    ['rejects with an AuthError', () => Promise.reject(new AuthError('TOKEN_REVOKED')), 401, 'TOKEN_REVOKED'],
    ['says that its store is down', () => Promise.reject(new AuthError('STORE_UNAVAILABLE')), 503, 'STORE_UNAVAILABLE'],
  ] satisfies [string, AuthOptions['user'], number, string][])(
    'refuses when it %s',
    async (_how, user, status, code) => {
      const answer = await ask(user);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    },
  );
});
