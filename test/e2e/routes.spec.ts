import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, type PipeTransform, SetMetadata } from '@nestjs/common';
import { AuthError, type AuthOptions, CurrentUser, Public } from '../../src/index.js';
import { bearer, PLATFORMS } from '../support/app.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import { HalfOpenController, OpenController, OrdersController } from '../support/orders.js';
import { type OrdersApp, startOrders } from '../support/orders-app.js';

const { issuer, good, TOKENS } = issuerWithTokens();

@Controller('foreign')
@SetMetadata('isPublic', true)
class ForeignMetadataController {
  @Get()
  @SetMetadata('public', true)
  read() {
    return 'closed';
  }
}

class Inherited {
  @Get()
  read() {
    return 'inherited';
  }
}

@Controller('heir-closed')
class ClosedHeir extends Inherited {}

@Public()
@Controller('heir-open')
class OpenHeir extends Inherited {}

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

describe.each(PLATFORMS)('On %s', (platform) => {
  let app: OrdersApp;

  beforeAll(async () => {
    const heirs = [OpenHeir, ClosedHeir];
    const controllers = [OrdersController, OpenController, HalfOpenController, ForeignMetadataController, ...heirs];
    app = await startOrders(issuer, {}, { platform, controllers: [...controllers, PipedController] });
  });

  afterAll(() => app.close());

  it.each<[path: string, guest: number, withGood: number, withForged: number, why: string]>([
    ['orders', 401, 200, 401, 'no decorator'],
    ['orders/public', 200, 200, 200, '@Public(): no token is read'],
    ['orders/optional', 200, 200, 401, '@OptionalAuth(): a token that is sent must be valid'],
    ['open', 200, 200, 200, '@Public() on the class'],
    ['open/optional', 200, 200, 401, '@OptionalAuth() on a handler overrides @Public() on the class'],
    ['half-open', 200, 200, 401, '@OptionalAuth() on the class'],
    ['half-open/public', 200, 200, 200, '@Public() on a handler overrides @OptionalAuth() on the class'],
    ['heir-open', 200, 200, 200, '@Public() on one of two classes that inherit the same method'],
    ['heir-closed', 401, 200, 401, 'the other one of them'],
    ['foreign', 401, 200, 401, 'metadata of other packages has no effect'],
  ])('/%s answers %i to a guest, %i to a valid token and %i to a forged one (%s)', async (path, ...expected) => {
    const answers = [{}, good(), bearer(TOKENS.forged())].map((headers) => app.ask(headers, path));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(expected.slice(0, 3));
  });

  it('@CurrentUser() receives the verified claims, or one own property of them, through pipes', async () => {
    const claims = issuer.claims({ roles: ['a'] });
    expect((await app.ask(good(claims))).body).toEqual({ user: claims });
    expect((await app.ask(good(), 'orders/sub')).body).toEqual({ sub: 'alice' });
    expect((await app.ask(good(), 'orders/inherited')).body).toEqual({ isUndefined: true });
    expect((await app.ask(good(), 'piped')).body).toEqual({
      sub: 'ALICE',
      names: ['iss', 'aud', 'sub', 'iat', 'exp'],
    });
  });

  it('@CurrentUser() and @AccessToken() are undefined on a public route and for a guest', async () => {
    expect((await app.ask(good(), 'orders/public')).body).toEqual({ user: 'nobody' });
    expect((await app.ask({}, 'orders/optional')).body).toEqual({ sub: 'guest', hasToken: false });
    expect((await app.ask({ authorization: '' }, 'orders/optional')).body).toEqual({ sub: 'guest', hasToken: false });
    expect((await app.ask(good(), 'orders/optional')).body).toEqual({ sub: 'alice', hasToken: true });
  });

  it('@AccessToken() receives the verified token', async () => {
    const claims = { scope: 'read write', scp: ['extra'], roles: ['admin'], permissions: ['p:1'] };
    expect((await app.ask(good(claims), 'orders/token')).body).toEqual({
      issuer: issuer.url,
      scopes: ['read', 'write', 'extra'],
      roles: ['admin'],
      permissions: ['p:1'],
      alg: 'RS256',
      isWhole: true,
    });
  });

  it.each(['user', 'validate'] as const)(
    '@OptionalAuth() admits no guest whose token `%s` rejects with TOKEN_MISSING',
    async (option) => {
      const reject = () => {
        throw new AuthError('TOKEN_MISSING');
      };
      const { ask, close } = await startOrders(issuer, { [option]: reject }, { platform });
      const [refused, guest] = [await ask(good(), 'orders/optional'), await ask({}, 'orders/optional')];
      await close();
      expect([refused.status, refused.body.code]).toEqual([401, 'TOKEN_MISSING']);
      expect([guest.status, guest.body.sub]).toEqual([200, 'guest']);
    },
  );

  describe('the `user` option', () => {
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

    const askWith = async (user: AuthOptions['user']) => {
      const { ask, close } = await startOrders(issuer, { user }, { platform, controllers: [MeController] });
      const answer = await ask(good(), 'me');
      await close();
      return answer;
    };
    const account = (sub: string | undefined) => new Account(sub ?? '', 'acme');

    it.each<AuthOptions['user']>([
      ({ claims }) => account(claims.sub),
      ({ claims }) => Promise.resolve(account(claims.sub)),
    ])('maps the token to the user of the application: %p', async (user) => {
      expect((await askWith(user)).body).toEqual({ isAccount: true, id: 'alice', label: 'acme/alice' });
    });

    it.each<[string, AuthOptions['user'], number, string]>([
      ['returns undefined', () => undefined, 401, 'USER_REFUSED'],
      ['resolves to null', () => Promise.resolve(null), 401, 'USER_REFUSED'],
      ['returns an empty string', () => '', 401, 'USER_REFUSED'],
      ['rejects with an AuthError', () => Promise.reject(new AuthError('POLICY_DENIED')), 403, 'POLICY_DENIED'],
    ])('refuses the call if it %s', async (_how, user, status, code) => {
      const answer = await askWith(user);
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    });
  });
});
