import { afterEach, describe, expect, it } from '@jest/globals';
import { createPublicKey, verify } from 'node:crypto';
import { Controller, Get, Req, type Type } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import passport from 'passport';
import {
  AccessToken,
  AuthError,
  AuthGuard,
  CurrentUser,
  JwtStrategy,
  OptionalAuth,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import type { HttpRequest } from '../../src/nest/transports/http.js';
import { bearer, closeApps, PLATFORMS, type Platform } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { type OrdersApp, type OrdersOptions, outcomeOf, startOrders } from '../support/orders-app.js';

const key = newKey();
const other = newKey();
const issuer = LocalIssuer.forFile([key, other]);
const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  issuer.token(key, 'RS256', claims, header);

afterEach(closeApps);

@Controller('me')
class MeController {
  @Get()
  me(@CurrentUser() user: unknown, @AccessToken() accessToken?: VerifiedAccessToken) {
    return { user, hasToken: accessToken !== undefined };
  }

  @Get('optional')
  @OptionalAuth()
  optional(@CurrentUser() user: unknown) {
    return { user };
  }

  @Get('scoped')
  @RequireScopes('read')
  scoped() {
    return {};
  }

  @Get('request')
  request(@Req() { user }: { user?: unknown }) {
    return { user };
  }
}

type Start = (strategy: Type<JwtStrategy>, options?: OrdersOptions) => Promise<OrdersApp>;

/** Both ways in which an application installs its own strategy. */
function installations(platform: Platform): readonly (readonly [string, Start])[] {
  const given = { platform, controllers: [MeController] };
  return [
    ['the option `strategy`', (strategy, options) => startOrders(issuer, { ...options, strategy }, given)],
    [
      'overrideProvider',
      (strategy, options) =>
        startOrders(issuer, options, {
          ...given,
          override: (builder) => builder.overrideProvider(JwtStrategy).useClass(strategy),
        }),
    ],
  ];
}

describe.each(PLATFORMS)('A strategy that overrides `validate`, on %s', (platform) => {
  class SyncStrategy extends JwtStrategy {
    override validate({ claims }: VerifiedAccessToken): unknown {
      if (claims.sub === 'mallory') throw new AuthError('POLICY_DENIED');
      return claims.sub === 'nobody' ? undefined : { id: claims.sub };
    }
  }

  class AsyncStrategy extends SyncStrategy {
    override async validate(accessToken: VerifiedAccessToken) {
      await Promise.resolve();
      return super.validate(accessToken);
    }
  }

  describe.each(installations(platform))('installed by %s', (_how, start) => {
    it.each([SyncStrategy, AsyncStrategy])('maps the token to the user: %p', async (strategy) => {
      const { ask } = await start(strategy);
      expect((await ask(bearer(token()), 'me')).body).toEqual({ user: { id: 'alice' }, hasToken: true });
      const refused = await ask(bearer(token({ sub: 'mallory' })), 'me');
      expect([refused.status, refused.body.code]).toEqual([403, 'POLICY_DENIED']);
      const nobody = await ask(bearer(token({ sub: 'nobody' })), 'me');
      expect([nobody.status, nobody.body.code]).toEqual([401, 'USER_REFUSED']);
      expect((await ask({}, 'me')).status).toBe(401);
      expect((await ask(bearer(token({ exp: 1 })), 'me')).body.code).toBe('TOKEN_EXPIRED');
    });
  });
});

describe.each(PLATFORMS)('A strategy that overrides `authenticate`, on %s', (platform) => {
  class TenantStrategy extends JwtStrategy {
    override authenticate(request: HttpRequest): void {
      switch (request.headers['x-tenant']) {
        case 'acme':
          super.authenticate(request);
          return;
        case 'undecided':
          this.pass();
          return;
        case 'no user':
          this.success(null);
          return;
        case 'own user':
          this.success({ sub: 'of the strategy' });
          return;
        default:
          this.fail('no tenant', 401);
      }
    }
  }

  describe.each(installations(platform))('installed by %s', (_how, start) => {
    it('decides, and can delegate to JwtStrategy', async () => {
      const { ask } = await start(TenantStrategy);
      const outcome = async (tenant: string, path = 'me', headers = bearer(token())) =>
        outcomeOf(await ask({ ...headers, 'x-tenant': tenant }, path));
      expect(await outcome('acme')).toBe('200');
      expect(await outcome('acme', 'me', bearer('x'))).toBe('401 TOKEN_MALFORMED');
      expect(await outcome('acme', 'me', {} as never)).toBe('401 TOKEN_MISSING');
      for (const tenant of ['unknown', 'undecided', 'no user'])
        expect([tenant, await outcome(tenant)]).toEqual([tenant, '401 TOKEN_MISSING']);
      expect((await ask({ 'x-tenant': 'own user' }, 'me')).body).toEqual({
        user: { sub: 'of the strategy' },
        hasToken: false,
      });
    });

    it('that rejects is not overruled by a handleRequest that returns no user', async () => {
      class LenientGuard extends AuthGuard {
        override handleRequest<User>(_error: unknown, user: User): User {
          return (user || undefined) as User;
        }
      }
      const { ask } = await start(TenantStrategy, { guard: LenientGuard });
      expect(outcomeOf(await ask({ 'x-tenant': 'unknown' }, 'me'))).toBe('401 TOKEN_MISSING');
    });

    it('that delegates leaves requirements to the guard', async () => {
      const { ask } = await start(TenantStrategy);
      const outcome = async (claims: Record<string, unknown>) =>
        outcomeOf(await ask({ ...bearer(token(claims)), 'x-tenant': 'acme' }, 'me/scoped'));
      expect(await outcome({ scope: 'read' })).toBe('200');
      expect(await outcome({ scope: 'write' })).toBe('403 SCOPE_INSUFFICIENT');
    });

    it('admits a guest by pass() to an optional route, but not by fail()', async () => {
      const { ask } = await start(TenantStrategy);
      const guest = await ask({ 'x-tenant': 'undecided' }, 'me/optional');
      expect([guest.status, guest.body]).toEqual([200, {}]);
      expect(outcomeOf(await ask({ 'x-tenant': 'unknown' }, 'me/optional'))).toBe('401 TOKEN_MISSING');
      expect(outcomeOf(await ask({ 'x-tenant': 'acme' }, 'me/optional'))).toBe('200');
    });

    it('that delegates answers 503 while the issuer is unreachable', async () => {
      const stopped = await LocalIssuer.start([key]);
      const headers = { ...bearer(stopped.token(key, 'RS256')), 'x-tenant': 'acme' };
      await stopped.stop();
      const { ask } = await start(TenantStrategy, { issuer: stopped.url });
      const answer = await ask(headers, 'me');
      expect([answer.status, answer.body.code, answer.headers['www-authenticate']]).toEqual([
        503,
        'KEYS_UNAVAILABLE',
        undefined,
      ]);
    });
  });

  it.each([TenantStrategy, JwtStrategy])(
    'is not replaced by the default strategy of a PassportModule: %p',
    async (strategy) => {
      const admitAnyone = {
        name: 'anyone',
        authenticate(this: { success(user: unknown): void }) {
          this.success({ sub: 'anyone' });
        },
      };
      passport.use('anyone', admitAnyone as never);
      const defaults = { ...PassportModule.register({ defaultStrategy: 'anyone', property: 'other' }), global: true };
      const { ask } = await startOrders(issuer, strategy === JwtStrategy ? {} : { strategy }, {
        platform,
        imports: [defaults],
        controllers: [MeController],
      });
      expect(outcomeOf(await ask({ 'x-tenant': 'acme' }, 'me'))).toBe('401 TOKEN_MISSING');
      const answer = await ask({ ...bearer(token()), 'x-tenant': 'acme' }, 'me');
      expect(answer.body).toMatchObject({ user: { sub: 'alice' }, hasToken: true });
      const { body } = await ask({ ...bearer(token()), 'x-tenant': 'acme' }, 'me/request');
      expect(body).toMatchObject({ user: { sub: 'alice' } });
      passport.unuse('anyone');
    },
  );
});

describe('The secret provider of JwtStrategy', () => {
  interface SecretProvider {
    _secretOrKeyProvider(request: unknown, token: string, done: (error: unknown, secret?: string) => void): void;
  }

  const secretFor = async (sent: string, options: OrdersOptions = {}) => {
    const { app } = await startOrders(issuer, options);
    return new Promise<{ error: unknown; secret?: string }>((resolve) => {
      app.get<SecretProvider>(JwtStrategy)._secretOrKeyProvider({}, sent, (error, secret) => {
        resolve({ error, secret });
      });
    });
  };

  it.each([
    ['with `kid`', {}],
    ['without `kid`', { kid: undefined }],
  ])("answers with the PEM of the issuer's key for a token %s", async (_what, header) => {
    for (const signer of [key, other]) {
      const sent = issuer.token(signer, 'RS256', {}, header);
      const { error, secret = '' } = await secretFor(sent);
      expect([error, secret.startsWith('-----BEGIN PUBLIC KEY-----')]).toEqual([null, true]);
      const [head = '', payload = '', signature = ''] = sent.split('.');
      const input = Buffer.from(`${head}.${payload}`);
      expect(verify('sha256', input, createPublicKey(secret), Buffer.from(signature, 'base64url'))).toBe(true);
    }
  });

  it.each<[string, string, () => string, OrdersOptions]>([
    ['an untrusted issuer', 'ISSUER_UNTRUSTED', () => token({ iss: 'https://evil.example.com' }), {}],
    ['an algorithm that is not allowed', 'ALGORITHM_NOT_ALLOWED', () => token(), { algorithms: ['ES256'] }],
    ['an HMAC algorithm', 'ALGORITHM_NOT_ALLOWED', () => token().replace(/^[^.]*/, encode({ alg: 'HS256' })), {}],
    ['an expired token', 'TOKEN_EXPIRED', () => token({ exp: 1 }), {}],
    ['no token', 'TOKEN_MALFORMED', () => 'token', {}],
  ])('rejects %s without a fetch (%s)', async (_what, code, make, options) => {
    issuer.requests.length = 0;
    expect(await secretFor(make(), options)).toEqual({ error: expect.objectContaining({ code }), secret: undefined });
    expect(issuer.requests).toEqual([]);
  });

  it.each([
    ['KEY_UNKNOWN', () => token({}, { kid: 'unknown' })],
    ['SIGNATURE_INVALID', () => issuer.token(newKey(), 'RS256', {}, { kid: undefined })],
    ['KEY_UNSUITABLE', () => issuer.token({ ...newKey('p-256'), kid: key.kid }, 'ES256')],
  ])('rejects a token without a suitable key (%s)', async (code, make) => {
    expect(await secretFor(make())).toEqual({ error: expect.objectContaining({ code }), secret: undefined });
  });
});

function encode(header: object): string {
  return Buffer.from(JSON.stringify(header)).toString('base64url');
}
