import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Param,
  Scope,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  type AccessPolicy,
  allOf,
  anyOf,
  AuthError,
  AuthModule,
  ConfigurationError,
  type AuthOptions,
  CurrentUser,
  not,
  OptionalAuth,
  Public,
  RequireAcr,
  RequireAnyPermission,
  RequireAnyRole,
  RequireAnyScope,
  RequireAuthorizationDetails,
  RequirePermissions,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { type Answer, bearer, call, closeApps, PLATFORMS, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';

const AUDIENCE = 'https://api.example.com';
const key = newKey('p-256');
let issuer: LocalIssuer;
let other: LocalIssuer;

beforeAll(async () => {
  [issuer, other] = await Promise.all([LocalIssuer.start([key]), LocalIssuer.start([key])]);
});

afterAll(() => Promise.all([issuer.stop(), other.stop()]));

afterAll(closeApps);

@Controller('grants')
@RequireAnyRole('staff', 'admin')
class GrantsController {
  @Get('scopes')
  @RequireScopes('read', 'list')
  scopes() {
    return {};
  }

  @Get('any-scope')
  @RequireAnyScope('read', 'admin')
  anyScope() {
    return {};
  }

  @Get('roles')
  @RequireRoles('staff', 'buyer')
  roles() {
    return {};
  }

  @Get('any-role')
  @RequireAnyRole('buyer', 'seller')
  anyRole() {
    return {};
  }

  @Get('permissions')
  @RequirePermissions('order:read', 'order:write')
  permissions() {
    return {};
  }

  @Get('any-permission')
  @RequireAnyPermission('order:read', 'order:write')
  anyPermission() {
    return {};
  }

  @Get('several')
  @RequireScopes('read')
  @RequireScopes('write')
  @RequireAnyScope('a', 'b')
  @RequireRoles('buyer')
  several() {
    return {};
  }

  @Get('merged')
  @RequireAnyRole('buyer', { merge: true })
  merged() {
    return {};
  }

  @Get('optional')
  @OptionalAuth()
  @RequireScopes('read')
  optional() {
    return {};
  }

  @Get('public')
  @Public()
  public() {
    return {};
  }
}

@Controller('plain')
class PlainController {
  @Get()
  plain() {
    return {};
  }

  @Get('optional')
  @OptionalAuth()
  optional(@CurrentUser('sub') sub?: string) {
    return { sub: sub ?? 'guest' };
  }

  @Get('public')
  @Public()
  public() {
    return {};
  }

  @Get('mfa')
  @RequireAcr('urn:example:mfa', 'phr', { maxAgeSeconds: 60 })
  mfa() {
    return {};
  }

  @Get('recent')
  @RequireAcr({ maxAgeSeconds: 60 })
  recent() {
    return {};
  }

  @Get('payments/:amount')
  @RequireAuthorizationDetails('payment', (detail, context) => {
    const { params } = context.switchToHttp().getRequest<{ params: { amount: string } }>();
    return typeof detail.limit === 'number' && Number(params.amount) <= detail.limit;
  })
  pay(@Param('amount') amount: string) {
    return { amount };
  }
}

interface Loaded {
  params: { id: string };
  headers: Record<string, string>;
}

@Injectable()
class Orders {
  async ownerOf(id: string): Promise<string | undefined> {
    await Promise.resolve();
    return { 1: 'alice', 2: 'bob' }[id];
  }
}

@Injectable()
class OrderOwner implements AccessPolicy {
  constructor(@Inject(Orders) private readonly orders: Orders) {}

  async allows({ claims }: VerifiedAccessToken, context: ExecutionContext): Promise<boolean> {
    const { params } = context.switchToHttp().getRequest<Loaded>();
    return claims.sub !== undefined && (await this.orders.ownerOf(params.id)) === claims.sub;
  }
}

@Injectable({ scope: Scope.REQUEST })
class OfTheRequest implements AccessPolicy {
  constructor(@Inject(REQUEST) private readonly request: Loaded) {}

  allows(): boolean {
    return this.request.params.id === '1';
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Fresh implements AccessPolicy {
  private calls = 0;

  allows(): boolean {
    this.calls += 1;
    return this.calls === 1;
  }
}

const isAdmin = ({ roles }: VerifiedAccessToken) => roles.includes('admin');
const forgets = (() => undefined) as never;

@Controller('policies/:id')
class PoliciesController {
  @Get('owner')
  @RequirePolicy(OrderOwner)
  owner() {
    return {};
  }

  @Get('request')
  @RequirePolicy(OfTheRequest)
  request() {
    return {};
  }

  @Get('fresh')
  @RequirePolicy(Fresh)
  fresh() {
    return {};
  }

  @Get('function')
  @RequirePolicy(isAdmin)
  function() {
    return {};
  }

  @Get('async-function')
  @RequirePolicy((token) => Promise.resolve(isAdmin(token)))
  asyncFunction() {
    return {};
  }

  @Get('all')
  @RequirePolicy(allOf(OrderOwner, isAdmin))
  all() {
    return {};
  }

  @Get('any')
  @RequirePolicy(anyOf(OrderOwner, isAdmin))
  any() {
    return {};
  }

  @Get('not')
  @RequirePolicy(not(OrderOwner))
  not() {
    return {};
  }

  @Get('two')
  @RequirePolicy(OrderOwner)
  @RequirePolicy(isAdmin)
  two() {
    return {};
  }

  @Get('forgets')
  @RequirePolicy(forgets)
  forgets() {
    return {};
  }

  @Get('forgets-not')
  @RequirePolicy(not(forgets))
  forgetsNot() {
    return {};
  }

  @Get('own-refusal')
  @RequirePolicy(() => {
    throw new AuthError('ROLE_INSUFFICIENT', { role: 'of my own' });
  })
  ownRefusal() {
    return {};
  }

  @Get('down')
  @RequirePolicy(() => Promise.reject(new Error('the database is down')))
  down() {
    return {};
  }

  @Get('exception')
  @RequirePolicy(() => {
    throw new ForbiddenException('closed on Sundays');
  })
  exception() {
    return {};
  }

  @Get('guest')
  @OptionalAuth()
  @RequirePolicy(() => true)
  guest() {
    return {};
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const launch = async (options: Partial<AuthOptions> = {}, metadata: ModuleMetadata = {}) => {
    const app = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions)],
      controllers: [GrantsController, PlainController, PoliciesController],
      providers: [Orders, OrderOwner, OfTheRequest, Fresh],
      ...metadata,
    });
    return (path: string, claims?: Record<string, unknown>, by = issuer): Promise<Answer> =>
      call(`${app.url}/${path}`, claims === undefined ? {} : bearer(by.token(key, 'ES256', claims)));
  };
  let usual: ReturnType<typeof launch> | undefined;
  /** One application for all tests that have no options of their own. */
  const start = (...given: Parameters<typeof launch>) => (given.length > 0 ? launch(...given) : (usual ??= launch()));
  const outcome = async (answer: Promise<Answer>) => {
    const { status, body } = await answer;
    return typeof body.code === 'string' ? `${String(status)} ${body.code}` : String(status);
  };

  const ALL = {
    scope: 'read list write a',
    roles: ['staff', 'buyer'],
    permissions: ['order:read', 'order:write'],
  };

  describe('a requirement of names', () => {
    it.each<[string, Record<string, unknown>, string]>([
      ['scopes', { scope: 'read' }, '403 SCOPE_INSUFFICIENT'],
      ['scopes', { scope: 'readlist' }, '403 SCOPE_INSUFFICIENT'],
      ['scopes', { scope: undefined }, '403 SCOPE_INSUFFICIENT'],
      ['any-scope', { scope: 'list' }, '403 SCOPE_INSUFFICIENT'],
      ['any-scope', { scope: 'admin' }, '200'],
      ['roles', { roles: ['staff'] }, '403 ROLE_INSUFFICIENT'],
      ['any-role', { roles: ['staff'] }, '403 ROLE_INSUFFICIENT'],
      ['any-role', { roles: ['seller'] }, '200'],
      ['permissions', { permissions: ['order:read'] }, '403 PERMISSION_INSUFFICIENT'],
      ['any-permission', { permissions: ['order'] }, '403 PERMISSION_INSUFFICIENT'],
      ['any-permission', { permissions: 'order:write' }, '200'],
      ['several', { scope: 'read a' }, '403 SCOPE_INSUFFICIENT'],
      ['several', { scope: 'write a' }, '403 SCOPE_INSUFFICIENT'],
      ['several', { scope: 'read write' }, '403 SCOPE_INSUFFICIENT'],
      ['several', { roles: ['staff'] }, '403 ROLE_INSUFFICIENT'],
      ['several', { roles: ['buyer'] }, '403 ROLE_INSUFFICIENT'],
      ['merged', { roles: ['staff'] }, '403 ROLE_INSUFFICIENT'],
      ['merged', { roles: ['buyer'] }, '403 ROLE_INSUFFICIENT'],
      ['scopes', { roles: ['buyer'] }, '403 ROLE_INSUFFICIENT'],
    ])('is held against the token: %s with %j: %s', async (path, claims, expected) => {
      const ask = await start();
      expect(await outcome(ask(`grants/${path}`, { ...ALL, ...claims }))).toBe(expected);
      expect(await outcome(ask(`grants/${path}`, ALL))).toBe('200');
    });

    it.each([
      ['scopes', { scope: 'read' }, 'The access token lacks a required scope', 'read list'],
      ['any-scope', { scope: 'x' }, 'The access token lacks a required scope', 'read admin'],
      ['several', { scope: 'read write' }, 'The access token lacks a required scope', 'read write a b'],
      ['roles', { roles: ['staff'] }, 'A required role is missing', undefined],
      ['permissions', { permissions: [] }, 'A required permission is missing', undefined],
    ])('that is not met answers with the challenge of RFC 6750: %s', async (path, claims, description, scope) => {
      const ask = await start({ realm: 'orders' });
      const { status, body, headers } = await ask(`grants/${path}`, { ...ALL, ...claims });
      expect([status, body.message, body.error]).toEqual([403, description, 'Forbidden']);
      expect(headers['www-authenticate']).toBe(
        `Bearer realm="orders", error="insufficient_scope", error_description="${description}"` +
          (scope === undefined ? '' : `, scope="${scope}"`),
      );
    });

    it.each<[string, Record<string, unknown>]>([
      ['a string', { scope: 'list read' }],
      ['a list', { scope: ['read', 'list'] }],
      ['scp, a string', { scp: 'read list' }],
      ['scp, a list', { scp: ['list', 'read'] }],
      ['both', { scope: 'read', scp: ['list'] }],
    ])('of scopes reads them from %s', async (_what, claims) => {
      const ask = await start();
      expect(await outcome(ask('grants/scopes', { roles: ['staff'], ...claims }))).toBe('200');
    });

    it.each<[NonNullable<AuthOptions['claimPaths']>['roles'], Record<string, unknown>]>([
      [['realm_access.roles'], { realm_access: { roles: ['staff', 'buyer'] } }],
      [
        [['resource_access', 'my.client', 'roles']],
        { resource_access: { 'my.client': { roles: ['staff', 'buyer'] } } },
      ],
      [['https://example.com/roles'], { 'https://example.com/roles': ['staff', 'buyer'] }],
      [['cognito:groups'], { 'cognito:groups': ['staff', 'buyer'] }],
      [['realm_access.roles', 'cognito:groups'], { realm_access: { roles: ['staff'] }, 'cognito:groups': ['buyer'] }],
    ])('of roles reads them at %j, for the issuer that has them there', async (roles, claims) => {
      const ask = await start({
        issuer: undefined,
        audience: undefined,
        issuers: [
          { issuer: issuer.url, audience: AUDIENCE, claimPaths: { roles } },
          { issuer: other.url, audience: AUDIENCE },
        ],
      });
      expect(await outcome(ask('grants/roles', claims))).toBe('200');
      expect(await outcome(ask('grants/roles', { roles: ['staff', 'buyer'] }))).toBe('403 ROLE_INSUFFICIENT');
      expect(await outcome(ask('grants/roles', claims, other))).toBe('403 ROLE_INSUFFICIENT');
      expect(await outcome(ask('grants/roles', { roles: ['staff', 'buyer'] }, other))).toBe('200');
    });

    it('is no affair of a public handler, whatever its class requires', async () => {
      const ask = await start();
      expect(await outcome(ask('grants/public'))).toBe('200');
      expect(await outcome(ask('grants/public', { roles: [] }))).toBe('200');
    });

    it('lets no guest in where guests are let in otherwise, and no bad token', async () => {
      const ask = await start();
      const { status, body, headers } = await ask('grants/optional');
      expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'TOKEN_MISSING', 'Bearer']);
      expect(await outcome(ask('grants/optional', { ...ALL, exp: 1_000 }))).toBe('401 TOKEN_EXPIRED');
      expect(await outcome(ask('grants/optional', { ...ALL, scope: 'x' }))).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(ask('grants/optional', ALL))).toBe('200');
    });
  });

  describe('a policy', () => {
    it.each<[string, Record<string, unknown>, string]>([
      ['1/owner', { sub: 'alice' }, '200'],
      ['2/owner', { sub: 'alice' }, '403 POLICY_DENIED'],
      ['3/owner', { sub: undefined }, '403 POLICY_DENIED'],
      ['1/request', {}, '200'],
      ['2/request', {}, '403 POLICY_DENIED'],
      ['1/function', { roles: ['admin'] }, '200'],
      ['1/function', {}, '403 POLICY_DENIED'],
      ['1/async-function', { roles: ['admin'] }, '200'],
      ['1/async-function', {}, '403 POLICY_DENIED'],
      ['1/all', { roles: ['admin'] }, '200'],
      ['1/all', {}, '403 POLICY_DENIED'],
      ['2/all', { roles: ['admin'] }, '403 POLICY_DENIED'],
      ['1/any', {}, '200'],
      ['2/any', { roles: ['admin'] }, '200'],
      ['2/any', {}, '403 POLICY_DENIED'],
      ['1/not', {}, '403 POLICY_DENIED'],
      ['2/not', {}, '200'],
      ['1/two', { roles: ['admin'] }, '200'],
      ['1/two', {}, '403 POLICY_DENIED'],
      ['2/two', { roles: ['admin'] }, '403 POLICY_DENIED'],
      ['1/forgets', {}, '403 POLICY_DENIED'],
      ['1/forgets-not', {}, '403 POLICY_DENIED'],
      ['1/own-refusal', {}, '403 ROLE_INSUFFICIENT'],
      ['1/guest', {}, '200'],
    ])('decides about the call: %s with %j: %s', async (path, claims, expected) => {
      const ask = await start();
      expect(await outcome(ask(`policies/${path}`, claims))).toBe(expected);
    });

    it('that denies says so in the challenge, and not why', async () => {
      const ask = await start();
      const { headers, body } = await ask('policies/2/owner', {});
      expect(headers['www-authenticate']).toBe(
        'Bearer error="insufficient_scope", error_description="Access is denied"',
      );
      expect(body).toEqual({ statusCode: 403, error: 'Forbidden', message: 'Access is denied', code: 'POLICY_DENIED' });
    });

    it('that cannot decide is no fault of the caller', async () => {
      const ask = await start();
      const down = await ask('policies/1/down', {});
      expect([down.status, down.headers['www-authenticate']]).toStrictEqual([500, undefined]);
      expect(down.text).not.toContain('database');
      const { status, body } = await ask('policies/1/exception', {});
      expect([status, body.message]).toEqual([403, 'closed on Sundays']);
    });

    it('is not asked about a guest, who is refused', async () => {
      const ask = await start();
      expect(await outcome(ask('policies/1/guest'))).toBe('401 TOKEN_MISSING');
    });

    it('is the one of the request where it is made for one: calls at the same time do not meet', async () => {
      const ask = await start();
      const ids = ['1', '2', '1', '2', '1', '2'];
      const outcomes = await Promise.all(ids.map((id) => outcome(ask(`policies/${id}/request`, {}))));
      expect(outcomes).toEqual(ids.map((id) => (id === '1' ? '200' : '403 POLICY_DENIED')));
    });

    it('is made anew for each call where it is transient', async () => {
      const ask = await start();
      for (const id of ['1', '2', '1']) expect(await outcome(ask(`policies/${id}/fresh`, {}))).toBe('200');
    });

    it('may come from any module of the application', async () => {
      @Module({ providers: [Orders, OrderOwner, OfTheRequest, Fresh], controllers: [PoliciesController] })
      class PoliciesModule {}
      const imports = [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE }), PoliciesModule];
      const ask = await start({}, { imports, controllers: [], providers: [] });
      expect(await outcome(ask('policies/1/owner', { sub: 'alice' }))).toBe('200');
      expect(await outcome(ask('policies/2/owner', { sub: 'alice' }))).toBe('403 POLICY_DENIED');
      expect(await outcome(ask('policies/1/request', {}))).toBe('200');
      expect(await outcome(ask('policies/2/request', {}))).toBe('403 POLICY_DENIED');
    });

    it('that nobody provides keeps the application from starting', async () => {
      await expect(start({}, { providers: [] })).rejects.toThrow(ConfigurationError);
    });
  });

  describe('what the module requires', () => {
    it('holds for each token on each route, beside what the route requires', async () => {
      const ask = await start({ require: { scopes: ['api'] } });
      expect(await outcome(ask('plain', { scope: 'api' }))).toBe('200');
      expect(await outcome(ask('plain', { scope: 'read' }))).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(ask('grants/scopes', ALL))).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(ask('grants/scopes', { ...ALL, scope: 'api read' }))).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(ask('grants/scopes', { ...ALL, scope: 'api read list' }))).toBe('200');
      const { headers } = await ask('grants/scopes', ALL);
      expect(headers['www-authenticate']).toContain('scope="api read list"');
    });

    it('lets guests through where they may come, and asks nothing on public routes', async () => {
      const ask = await start({ require: { scopes: ['api'] } });
      const guest = await ask('plain/optional');
      expect([guest.status, guest.body]).toEqual([200, { sub: 'guest' }]);
      expect(await outcome(ask('plain/optional', {}))).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(ask('plain/optional', { scope: 'api' }))).toBe('200');
      expect(await outcome(ask('plain/public'))).toBe('200');
      expect(await outcome(ask('plain/public', {}))).toBe('200');
      expect(await outcome(ask('grants/optional'))).toBe('401 TOKEN_MISSING');
      expect(await outcome(ask('plain'))).toBe('401 TOKEN_MISSING');
    });

    it('may be a policy, which is asked after all else', async () => {
      const asked: string[] = [];
      const policy = ({ claims }: VerifiedAccessToken, context: ExecutionContext) => {
        asked.push(context.getHandler().name);
        return claims.sub === 'alice';
      };
      const ask = await start({ require: { policy } });
      expect(await outcome(ask('grants/scopes', { ...ALL, scope: '' }))).toBe('403 SCOPE_INSUFFICIENT');
      expect(asked).toStrictEqual([]);
      expect(await outcome(ask('grants/scopes', ALL))).toBe('200');
      expect(await outcome(ask('grants/scopes', { ...ALL, sub: 'bob' }))).toBe('403 POLICY_DENIED');
      expect(asked).toEqual(['scopes', 'scopes']);
    });
  });

  describe('a step-up (RFC 9470)', () => {
    const now = Math.floor(Date.now() / 1000);

    it.each<[string, Record<string, unknown>, string]>([
      ['mfa', { acr: 'urn:example:mfa', auth_time: now }, '200'],
      ['mfa', { acr: 'phr', auth_time: now - 50 }, '200'],
      ['mfa', { acr: 'pwd', auth_time: now }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { auth_time: now }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { acr: 'phr', auth_time: now - 66 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { acr: 'phr' }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', { auth_time: now }, '200'],
      ['recent', { auth_time: now - 66 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', { auth_time: now * 1000 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', {}, '401 AUTHENTICATION_INSUFFICIENT'],
    ])('%s with %j: %s', async (path, claims, expected) => {
      const ask = await start({ clock: () => now * 1000 });
      expect(await outcome(ask(`plain/${path}`, { iat: now, ...claims }))).toBe(expected);
    });

    it('tells the client what to ask the authorization server for', async () => {
      const ask = await start();
      const challenge = async (path: string) => (await ask(`plain/${path}`, {})).headers['www-authenticate'];
      const common =
        'Bearer error="insufficient_user_authentication", ' +
        'error_description="A stronger or more recent authentication is required"';
      expect(await challenge('mfa')).toBe(`${common}, acr_values="urn:example:mfa phr", max_age="60"`);
      expect(await challenge('recent')).toBe(`${common}, max_age="60"`);
    });

    it('takes the clock of the issuer for as wrong as it may be', async () => {
      const ask = await start({ clock: () => now * 1000, clockToleranceSeconds: 30 });
      expect(await outcome(ask('plain/recent', { auth_time: now - 90 }))).toBe('200');
      expect(await outcome(ask('plain/recent', { auth_time: now - 91 }))).toBe('401 AUTHENTICATION_INSUFFICIENT');
    });
  });

  describe('authorization details (RFC 9396)', () => {
    it.each<[number, unknown, string]>([
      [10, [{ type: 'payment', limit: 10 }], '200'],
      [11, [{ type: 'payment', limit: 10 }], '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [
        11,
        [
          { type: 'payment', limit: 10 },
          { type: 'payment', limit: 1 },
        ],
        '403 AUTHORIZATION_DETAILS_INSUFFICIENT',
      ],
      [10, [{ type: 'payment' }, { type: 'payment', limit: 10 }], '200'],
      [10, [{ type: 'account', limit: 10 }], '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [10, { type: 'payment', limit: 10 }, '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [10, undefined, '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
    ])('allow a payment of %d with %j: %s', async (amount, details, expected) => {
      const ask = await start();
      const answer = ask(`plain/payments/${String(amount)}`, { authorization_details: details });
      expect(await outcome(answer)).toBe(expected);
    });
  });
});
