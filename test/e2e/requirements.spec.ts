import { afterAll, describe, expect, it } from '@jest/globals';
import {
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  Scope,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  type AccessPolicy,
  allOf,
  anyOf,
  AuthError,
  type AuthOptions,
  ConfigurationError,
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
import { bearer, closeApps, PLATFORMS } from '../support/app.js';
import { LocalIssuer, newKey, AUDIENCE } from '../support/local-issuer.js';
import { type OrdersApp, type OrdersOptions, outcomeOf, startOrders } from '../support/orders-app.js';
import { Measured, routesController } from '../support/decorated-class.js';

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);
const other = LocalIssuer.forFile([key]);

afterAll(closeApps);

const AuthoritiesController = routesController('AuthoritiesController', 'authorities', {
  scopes: [RequireScopes('read', 'list')],
  'any-scope': [RequireAnyScope('read', 'admin')],
  roles: [RequireRoles('staff', 'buyer')],
  'any-role': [RequireAnyRole('buyer', 'seller')],
  permissions: [RequirePermissions('order:read', 'order:write')],
  'any-permission': [RequireAnyPermission('order:read', 'order:write')],
  several: [RequireScopes('read'), RequireScopes('write'), RequireAnyScope('a', 'b'), RequireRoles('buyer')],
  merged: [RequireAnyRole('buyer', { merge: true })],
  optional: [OptionalAuth(), RequireScopes('read')],
  public: [Public()],
});
RequireAnyRole('staff', 'admin')(AuthoritiesController);

const PlainController = routesController('PlainController', 'plain', {
  closed: [],
  optional: [OptionalAuth()],
  public: [Public()],
  mfa: [RequireAcr('urn:example:mfa', 'phr', { maxAgeSeconds: 60 })],
  recent: [RequireAcr({ maxAgeSeconds: 60 })],
});

const PaymentsController = routesController('PaymentsController', 'payments/:amount', {
  pay: [
    RequireAuthorizationDetails('payment', (detail, context) => {
      const { params } = context.switchToHttp().getRequest<{ params: { amount: string } }>();
      return typeof detail.limit === 'number' && Number(params.amount) <= detail.limit;
    }),
  ],
});

interface OrderRequest {
  params: { id: string };
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
    const { params } = context.switchToHttp().getRequest<OrderRequest>();
    return claims.sub !== undefined && (await this.orders.ownerOf(params.id)) === claims.sub;
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScoped implements AccessPolicy {
  constructor(@Inject(REQUEST) private readonly request: OrderRequest) {}

  allows(): boolean {
    return this.request.params.id === '1';
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class Transient implements AccessPolicy {
  private calls = 0;

  allows(): boolean {
    this.calls += 1;
    return this.calls === 1;
  }
}

const isAdmin = ({ roles }: VerifiedAccessToken) => roles.includes('admin');
const returnsNothing = (() => undefined) as never;
const throwing = (error: Error) => () => {
  throw error;
};

const PoliciesController = routesController('PoliciesController', 'policies/:id', {
  owner: [RequirePolicy(OrderOwner)],
  request: [RequirePolicy(RequestScoped)],
  transient: [RequirePolicy(Transient)],
  function: [RequirePolicy((token) => Promise.resolve(isAdmin(token)))],
  all: [RequirePolicy(allOf(OrderOwner, isAdmin))],
  any: [RequirePolicy(anyOf(OrderOwner, isAdmin))],
  not: [RequirePolicy(not(OrderOwner))],
  two: [RequirePolicy(OrderOwner), RequirePolicy(isAdmin)],
  nothing: [RequirePolicy(returnsNothing)],
  'not-nothing': [RequirePolicy(not(returnsNothing))],
  refusal: [RequirePolicy(throwing(new AuthError('ROLE_INSUFFICIENT', { role: 'of my own' })))],
  down: [RequirePolicy(() => Promise.reject(new Error('the database is down')))],
  exception: [RequirePolicy(throwing(new ForbiddenException('closed on Sundays')))],
  guest: [OptionalAuth(), RequirePolicy(() => true)],
});

@Controller('replaced')
class ReplacedController {
  constructor() {
    this.bound = this.bound.bind(this);
    const wrapped = this.wrapped.bind(this);
    this.wrapped = () => wrapped();
  }

  @Get('aliased')
  @RequireScopes('admin')
  aliased() {
    return 'aliased';
  }

  @Get('bound')
  @RequireScopes('admin')
  bound() {
    return 'bound';
  }

  @Get('wrapped')
  @RequireScopes('admin')
  wrapped() {
    return 'wrapped';
  }

  @Get('measured')
  @Measured()
  @RequireScopes('admin')
  measured() {
    return 'measured';
  }

  @Get('public')
  @Measured()
  @Public()
  public() {
    return 'public';
  }
}

@Controller('overriding')
class OverridingController extends ReplacedController {
  @Get('bound')
  override bound() {
    return super.bound();
  }

  @Get('public')
  override public() {
    return super.public();
  }
}

@Controller({ path: 'per-request', scope: Scope.REQUEST })
class PerRequestController extends ReplacedController {
  constructor() {
    super();
    Object.assign(this, { aliased: Reflect.get(this, 'public') });
  }
}

const METADATA: ModuleMetadata = {
  controllers: [
    AuthoritiesController,
    PlainController,
    PaymentsController,
    PoliciesController,
    ReplacedController,
    OverridingController,
    PerRequestController,
  ],
  providers: [Orders, OrderOwner, RequestScoped, Transient],
};

describe.each(PLATFORMS)('On %s', (platform) => {
  const launch = async (options: OrdersOptions = {}, metadata: ModuleMetadata = METADATA) => {
    const { ask }: OrdersApp = await startOrders(issuer, options, { platform, ...metadata });
    const askAs = (path: string, claims?: Record<string, unknown>, by = issuer) =>
      ask(claims === undefined ? {} : bearer(by.token(key, 'ES256', claims)), path);
    return { ask: askAs, outcome: async (...sent: Parameters<typeof askAs>) => outcomeOf(await askAs(...sent)) };
  };
  let shared: ReturnType<typeof launch> | undefined;
  /** The application without options is shared by all tests. */
  const start = (...given: Parameters<typeof launch>) => (given.length > 0 ? launch(...given) : (shared ??= launch()));

  const ALL = { scope: 'read list write a', roles: ['staff', 'buyer'], permissions: ['order:read', 'order:write'] };

  describe('a requirement of authorities', () => {
    it.each<[string, Record<string, unknown>, string]>([
      ['scopes', { scope: 'read' }, '403 SCOPE_INSUFFICIENT'],
      ['scopes', { scope: 'readlist' }, '403 SCOPE_INSUFFICIENT'],
      ['scopes', { scope: undefined }, '403 SCOPE_INSUFFICIENT'],
      ['scopes', { scope: undefined, scp: ['list', 'read'] }, '200'],
      ['scopes', { scope: ['read'], scp: 'list' }, '200'],
      ['scopes', { roles: ['buyer'] }, '403 ROLE_INSUFFICIENT'],
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
      ['public', { roles: [] }, '200'],
      ['optional', { exp: 1_000 }, '401 TOKEN_EXPIRED'],
      ['optional', { scope: 'x' }, '403 SCOPE_INSUFFICIENT'],
    ])('%s answers a token with %j: %s', async (path, claims, expected) => {
      const { outcome } = await start();
      expect(await outcome(`authorities/${path}`, { ...ALL, ...claims })).toBe(expected);
      expect(await outcome(`authorities/${path}`, ALL)).toBe('200');
    });

    it.each([
      ['scopes', { scope: 'read' }, 'The access token lacks a required scope', 'read list'],
      ['any-scope', { scope: 'x' }, 'The access token lacks a required scope', 'read admin'],
      ['several', { scope: 'read write' }, 'The access token lacks a required scope', 'read write a b'],
      ['roles', { roles: ['staff'] }, 'A required role is missing', undefined],
      ['permissions', { permissions: [] }, 'A required permission is missing', undefined],
    ])('%s that is not met answers with the challenge of RFC 6750', async (path, claims, description, scope) => {
      const { ask } = await start({ realm: 'orders' });
      const { status, body, headers } = await ask(`authorities/${path}`, { ...ALL, ...claims });
      expect([status, body.message, body.error]).toEqual([403, description, 'Forbidden']);
      expect(headers['www-authenticate']).toBe(
        `Bearer realm="orders", error="insufficient_scope", error_description="${description}"` +
          (scope === undefined ? '' : `, scope="${scope}"`),
      );
    });

    it('reads roles from the `claimPaths` of the issuer of the token only', async () => {
      const claimPaths = { roles: ['realm_access.roles', 'cognito:groups'] };
      const { outcome } = await start({
        issuer: undefined,
        audience: undefined,
        issuers: [
          { issuer: issuer.url, audience: AUDIENCE, claimPaths },
          { issuer: other.url, audience: AUDIENCE },
        ],
      });
      const nested = { realm_access: { roles: ['staff'] }, 'cognito:groups': ['buyer'] };
      const plain = { roles: ['staff', 'buyer'] };
      expect(await outcome('authorities/roles', nested)).toBe('200');
      expect(await outcome('authorities/roles', plain)).toBe('403 ROLE_INSUFFICIENT');
      expect(await outcome('authorities/roles', nested, other)).toBe('403 ROLE_INSUFFICIENT');
      expect(await outcome('authorities/roles', plain, other)).toBe('200');
    });

    it.each<[string, AuthOptions['scopeImplications'], Record<string, unknown>, string]>([
      ['a scope', { admin: ['read', 'list'] }, { scope: 'admin' }, '200'],
      [
        'a scope, through another',
        { root: ['admin'], admin: ['read'], read: ['list', 'root'] },
        { scope: 'root' },
        '200',
      ],
      ['a scope, partly', { admin: ['read'] }, { scope: 'admin' }, '403 SCOPE_INSUFFICIENT'],
      ['a scope that the token lacks', { admin: ['read', 'list'] }, { scope: 'administer' }, '403 SCOPE_INSUFFICIENT'],
      [
        'a role',
        ({ roles }) => (roles.includes('seller') ? ['read', 'list'] : []),
        { roles: ['seller', 'buyer', 'staff'], scope: '' },
        '200',
      ],
      ['a permission', ({ permissions }) => permissions.slice(0, 1), { permissions: ['read'], scope: 'list' }, '200'],
      [
        'a claim',
        ({ claims }) => (claims.sub === 'admin' ? ['read', 'list'] : []),
        { sub: 'bob', scope: '' },
        '403 SCOPE_INSUFFICIENT',
      ],
      ['a function that returns no list', () => 'read list' as never, {}, '500'],
    ])('of scopes is met by scopes that follow from %s', async (_what, scopeImplications, claims, expected) => {
      const { outcome } = await start({ scopeImplications });
      // A second time for the remembered token.
      for (let turn = 0; turn < 2; turn += 1)
        expect(await outcome('authorities/scopes', { ...ALL, ...claims })).toBe(expected);
    });

    it('refuses a guest even on an @OptionalAuth() route, and is not checked on a public one', async () => {
      const { ask, outcome } = await start();
      const { status, body, headers } = await ask('authorities/optional');
      expect([status, body.code, headers['www-authenticate']]).toEqual([401, 'TOKEN_MISSING', 'Bearer']);
      expect(await outcome('authorities/public')).toBe('200');
    });
  });

  describe('a requirement holds for the function that Nest calls instead of the method', () => {
    it.each([
      ['replaced/bound', 'the constructor bound it'],
      ['replaced/wrapped', 'the constructor wrapped it'],
      ['replaced/measured', 'a decorator above wrapped it'],
      ['overriding/bound', 'a subclass overrides it without the decorator'],
      ['per-request/bound', 'the constructor binds it for each request'],
      ['per-request/wrapped', 'the constructor wraps it for each request'],
      ['per-request/aliased', 'the constructor puts another method in its place for each request'],
      ['per-request/measured', 'a decorator above wrapped it, and the controller is created for each request'],
    ])('at %s: %s', async (path) => {
      const { outcome } = await start();
      expect(await outcome(path, { scope: 'read' })).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome(path, { scope: 'admin' })).toBe('200');
    });

    it('whereas an override is not public because the overridden method is', async () => {
      const { outcome } = await start();
      expect(await outcome('replaced/public')).toBe('200');
      expect(await outcome('overriding/public')).toBe('401 TOKEN_MISSING');
    });
  });

  it('cannot be avoided by an object that the constructor returns for each request', async () => {
    @Controller('open')
    @Public()
    class OpenController {
      @Get()
      read() {
        return 'open';
      }
    }
    @Controller({ path: 'facade', scope: Scope.REQUEST })
    @RequireScopes('admin')
    class FacadeController {
      constructor() {
        return { read: () => 'secret' };
      }

      @Get()
      read() {
        return 'never called';
      }
    }
    @Controller({ path: 'other', scope: Scope.REQUEST })
    @RequireScopes('admin')
    class OtherController {
      constructor() {
        return new OpenController();
      }

      @Get()
      read() {
        return 'never called';
      }
    }
    const { ask } = await start({}, { controllers: [FacadeController, OtherController, OpenController] });
    for (const path of ['facade', 'other']) expect((await ask(path, {})).status).toBe(500);
    expect((await ask('open')).status).toBe(200);
  });

  describe('a policy', () => {
    it.each<[string, Record<string, unknown>, string]>([
      ['1/owner', { sub: 'alice' }, '200'],
      ['2/owner', { sub: 'alice' }, '403 POLICY_DENIED'],
      ['3/owner', { sub: undefined }, '403 POLICY_DENIED'],
      ['1/function', { roles: ['admin'] }, '200'],
      ['1/function', {}, '403 POLICY_DENIED'],
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
      ['1/nothing', {}, '403 POLICY_DENIED'],
      ['1/not-nothing', {}, '403 POLICY_DENIED'],
      ['1/refusal', {}, '403 ROLE_INSUFFICIENT'],
      ['1/guest', {}, '200'],
    ])('at %s decides about a token with %j: %s', async (path, claims, expected) => {
      const { outcome } = await start();
      expect(await outcome(`policies/${path}`, claims)).toBe(expected);
    });

    it('is the one that the module of the handler provides', async () => {
      @Injectable()
      class HasRole implements AccessPolicy {
        constructor(@Inject('role') private readonly role: string) {}

        allows({ roles }: VerifiedAccessToken) {
          return roles.includes(this.role);
        }
      }
      const area = (path: string, scope?: Scope) => {
        const AreaController = routesController('AreaController', path, { read: [RequirePolicy(HasRole)] });
        const providers = [
          { provide: HasRole, useClass: HasRole, scope },
          { provide: 'role', useValue: path },
        ];
        @Module({ controllers: [AreaController], providers })
        class AreaModule {}
        return AreaModule;
      };
      const imports = [area('admin'), area('editor', Scope.REQUEST), area('user')];
      const { outcome } = await start({}, { imports });
      const answers = (roles: string[]) =>
        Promise.all(['admin', 'editor', 'user'].map((path) => outcome(`${path}/read`, { roles })));
      expect(await answers(['user'])).toEqual(['403 POLICY_DENIED', '403 POLICY_DENIED', '200']);
      expect(await answers(['admin'])).toEqual(['200', '403 POLICY_DENIED', '403 POLICY_DENIED']);
      expect(await answers(['editor'])).toEqual(['403 POLICY_DENIED', '200', '403 POLICY_DENIED']);
      const ambiguous = start({ require: { policy: HasRole } }, { imports });
      await expect(ambiguous).rejects.toThrow('HasRole: is a policy that several modules provide');
    });

    it('that denies answers with the challenge, without a reason', async () => {
      const { ask } = await start();
      const { headers, body } = await ask('policies/2/owner', {});
      expect(headers['www-authenticate']).toBe(
        'Bearer error="insufficient_scope", error_description="Access is denied"',
      );
      expect(body).toEqual({ statusCode: 403, error: 'Forbidden', message: 'Access is denied', code: 'POLICY_DENIED' });
    });

    it('that throws keeps the error of the application', async () => {
      const { ask } = await start();
      const down = await ask('policies/1/down', {});
      expect([down.status, down.headers['www-authenticate']]).toStrictEqual([500, undefined]);
      expect(down.text).not.toContain('database');
      const { status, body } = await ask('policies/1/exception', {});
      expect([status, body.message]).toEqual([403, 'closed on Sundays']);
    });

    it('is not evaluated for a guest, who is refused', async () => {
      const { outcome } = await start();
      expect(await outcome('policies/1/guest')).toBe('401 TOKEN_MISSING');
    });

    it('can be request-scoped, for concurrent requests, or transient', async () => {
      const { outcome } = await start();
      const ids = ['1', '2', '1', '2', '1', '2'];
      const outcomes = await Promise.all(ids.map((id) => outcome(`policies/${id}/request`, {})));
      expect(outcomes).toEqual(ids.map((id) => (id === '1' ? '200' : '403 POLICY_DENIED')));
      for (const id of ['1', '2', '1']) expect(await outcome(`policies/${id}/transient`, {})).toBe('200');
    });

    it('can be a provider of any module, and prevents the start if it is none', async () => {
      @Module({ ...METADATA, controllers: [PoliciesController] })
      class PoliciesModule {}
      const { outcome } = await start({}, { imports: [PoliciesModule] });
      expect(await outcome('policies/1/owner', { sub: 'alice' })).toBe('200');
      expect(await outcome('policies/2/owner', { sub: 'alice' })).toBe('403 POLICY_DENIED');
      expect(await outcome('policies/2/request', {})).toBe('403 POLICY_DENIED');
      await expect(start({}, { ...METADATA, providers: [] })).rejects.toThrow(ConfigurationError);
    });
  });

  describe('the option `require`', () => {
    it('applies to every token on every route, in addition to the decorators', async () => {
      const { ask, outcome } = await start({ require: { scopes: ['api'] } });
      expect(await outcome('plain/closed', { scope: 'api' })).toBe('200');
      expect(await outcome('plain/closed', { scope: 'read' })).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome('authorities/scopes', { ...ALL, scope: 'api read' })).toBe('403 SCOPE_INSUFFICIENT');
      expect(await outcome('authorities/scopes', { ...ALL, scope: 'api read list' })).toBe('200');
      const { status, headers } = await ask('authorities/scopes', ALL);
      expect([status, headers['www-authenticate']]).toEqual([403, expect.stringContaining('scope="api read list"')]);
    });

    it('does not apply to guests and public routes', async () => {
      const { outcome } = await start({ require: { scopes: ['api'] } });
      expect(await outcome('plain/optional')).toBe('200');
      expect(await outcome('plain/optional', {})).toBe('403 SCOPE_INSUFFICIENT');
      for (const claims of [undefined, {}]) expect(await outcome('plain/public', claims)).toBe('200');
      for (const path of ['authorities/optional', 'plain/closed'])
        expect(await outcome(path)).toBe('401 TOKEN_MISSING');
    });

    it('can be a policy, which is evaluated after all other requirements', async () => {
      const handlers: string[] = [];
      const policy = ({ claims }: VerifiedAccessToken, context: ExecutionContext) => {
        handlers.push(context.getHandler().name);
        return claims.sub === 'alice';
      };
      const { outcome } = await start({ require: { policy } });
      expect(await outcome('authorities/scopes', { ...ALL, scope: '' })).toBe('403 SCOPE_INSUFFICIENT');
      expect(handlers).toStrictEqual([]);
      expect(await outcome('authorities/scopes', ALL)).toBe('200');
      expect(await outcome('authorities/scopes', { ...ALL, sub: 'bob' })).toBe('403 POLICY_DENIED');
      expect(handlers).toEqual(['scopes', 'scopes']);
    });
  });

  describe('@RequireAcr (RFC 9470)', () => {
    const now = Math.floor(Date.now() / 1000);

    it.each<[string, Record<string, unknown>, string]>([
      ['mfa', { acr: 'urn:example:mfa', auth_time: now }, '200'],
      ['mfa', { acr: 'phr', auth_time: now - 90 }, '200'],
      ['mfa', { acr: 'pwd', auth_time: now }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { auth_time: now }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { acr: 'phr', auth_time: now - 91 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['mfa', { acr: 'phr' }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', { auth_time: now }, '200'],
      ['recent', { auth_time: now - 91 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', { auth_time: now * 1000 }, '401 AUTHENTICATION_INSUFFICIENT'],
      ['recent', {}, '401 AUTHENTICATION_INSUFFICIENT'],
    ])('%s answers a token with %j, with the clock tolerance of its issuer: %s', async (path, claims, expected) => {
      const { outcome } = await start({ clock: () => now * 1000, clockToleranceSeconds: 30 });
      expect(await outcome(`plain/${path}`, { iat: now, ...claims })).toBe(expected);
    });

    it('states in the challenge what the client must request', async () => {
      const { ask } = await start();
      const challenge = async (path: string) => (await ask(`plain/${path}`, {})).headers['www-authenticate'];
      const common =
        'Bearer error="insufficient_user_authentication", ' +
        'error_description="A stronger or more recent authentication is required"';
      expect(await challenge('mfa')).toBe(`${common}, acr_values="urn:example:mfa phr", max_age="60"`);
      expect(await challenge('recent')).toBe(`${common}, max_age="60"`);
    });
  });

  describe('@RequireAuthorizationDetails (RFC 9396)', () => {
    const payment = (limit?: number) => ({ type: 'payment', ...(limit !== undefined && { limit }) });

    it.each<[number, unknown, string]>([
      [10, [payment(10)], '200'],
      [10, [payment(), payment(10)], '200'],
      [11, [payment(10), payment(1)], '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [10, [{ type: 'account', limit: 10 }], '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [10, payment(10), '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
      [10, undefined, '403 AUTHORIZATION_DETAILS_INSUFFICIENT'],
    ])('answers a payment of %d with %j: %s', async (amount, details, expected) => {
      const { outcome } = await start();
      expect(await outcome(`payments/${String(amount)}/pay`, { authorization_details: details })).toBe(expected);
    });
  });
});
