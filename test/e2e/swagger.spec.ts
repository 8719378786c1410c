import { afterEach, describe, expect, it } from '@jest/globals';
import {
  All,
  applyDecorators,
  Controller,
  Get,
  type INestApplication,
  Module,
  Post,
  UseGuards,
  Version,
  VersioningType,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import {
  ApiBearerAuth,
  ApiOperation,
  ApiUnauthorizedResponse,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import {
  AuthGuard,
  AuthModule,
  type AuthOptions,
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
} from '../../src/index.js';
import { AppModule } from '../../demo/app.module.js';
import { serveDocs } from '../../demo/docs.js';
import { authorizeButton, type SecurityOptions, withSecurity } from '../../src/swagger.js';
import { bearer, call, closeApps, hasNest, PLATFORMS, startApp, type RunningApp } from '../support/app.js';
import { pathsOf } from '../support/catching.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { declaredScopes, operation, problemsOf, response, security, statuses } from '../support/openapi.js';

const ISSUER = 'https://issuer.example.com';
const AUTH = { issuer: ISSUER, audience: 'https://api.example.com' };
const OAUTH2 = {
  kind: 'oauth2',
  scheme: 'login',
  authorizationUrl: `${ISSUER}/auth`,
  tokenUrl: `${ISSUER}/token`,
} as const;

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);

function isAdult(): boolean {
  return false;
}

/** A controller with these decorators, whose handlers have their own. */
function controllerOf(
  decorators: readonly ClassDecorator[],
  handlers: Readonly<Record<string, readonly MethodDecorator[]>>,
): new () => object {
  class TestController {
    readonly [handler: string]: unknown;
  }
  const prototype = TestController.prototype as Record<string, unknown>;
  for (const [name, own] of Object.entries(handlers)) {
    prototype[name] = { [name]: () => ({}) }[name];
    Reflect.defineMetadata('design:paramtypes', [], prototype, name);
    applyDecorators(...own)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
  }
  applyDecorators(...decorators)(TestController);
  return TestController;
}

const OrdersController = controllerOf([Controller('orders')], {
  list: [Get(), RequireScopes('read:orders'), ApiBearerAuth('something-else')],
  create: [
    Post(),
    RequireScopes('read:orders', 'write:orders'),
    ApiUnauthorizedResponse({ description: 'Described by the application' }),
  ],
  mine: [Get('mine')],
  health: [Get('health'), Public()],
  catalogue: [Get('catalogue'), OptionalAuth()],
  vip: [Get('vip'), OptionalAuth(), RequireScopes('vip')],
  reported: [
    Get('reported'),
    RequireScopes('reported', { reportOnly: true }),
    RequireRoles('reported', { reportOnly: true }),
  ],
  any: [Get('any'), RequireAnyScope('read:orders', 'admin')],
  role: [Get('role'), RequireAnyRole('clerk', 'auditor')],
  permission: [Get('permission'), RequireAnyPermission('orders`read')],
  fresh: [Get('fresh'), RequireAcr({ maxAgeSeconds: 60 })],
  gold: [Get('gold'), RequireAcr('silver', 'gold')],
  details: [Get('details'), RequireAuthorizationDetails('payment')],
  adults: [Get('adults'), RequirePolicy(isAdult)],
  everything: [
    Get('all/:id'),
    ApiOperation({ operationId: 'all', description: 'Every requirement.' }),
    RequireScopes('all'),
    RequireRoles('auditor', 'clerk'),
    RequirePermissions('orders:read'),
    RequireAuthorizationDetails('payment'),
    RequirePolicy(isAdult),
    RequireAcr('gold', { maxAgeSeconds: 300 }),
  ],
});

/** The application that `documentOf` started last. */
let running: RunningApp;
afterEach(closeApps);

interface Given {
  readonly platform?: (typeof PLATFORMS)[number];
  readonly controllers?: (new () => object)[];
  readonly imports?: NonNullable<Parameters<typeof startApp>[1]['imports']>;
  readonly auth?: Partial<AuthOptions> & { guard?: 'manual' };
  readonly prepare?: (app: INestApplication) => void;
  readonly options?: SecurityOptions;
  readonly openapi?: string;
  readonly swagger?: Parameters<typeof SwaggerModule.createDocument>[2];
  readonly change?: (document: OpenAPIObject) => void;
}

/**
 * The document of an application, created before the application listens, as in `main.ts`. Every document is valid, and a second
 * call, before or after the start, changes nothing.
 */
async function documentOf(given: Given = {}): Promise<OpenAPIObject> {
  let secured: OpenAPIObject | undefined;
  const { platform = 'express', controllers = [OrdersController], imports = [], options = OAUTH2 } = given;
  const auth = { ...AUTH, keys: { from: 'discovery' }, warmUp: 'off', ...given.auth } as AuthOptions;
  running = await startApp(
    platform,
    { imports: [AuthModule.forRoot(auth), ...imports], controllers },
    {
      prepare: (app) => {
        given.prepare?.(app);
        const builder = new DocumentBuilder().setOpenAPIVersion(given.openapi ?? '3.0.0');
        const document = SwaggerModule.createDocument(app, builder.build(), given.swagger);
        given.change?.(document);
        const before = JSON.stringify(document);
        secured = withSecurity(document, app, options);
        expect(JSON.stringify(document)).toBe(before);
        expect(withSecurity(secured, app, options)).toEqual(secured);
      },
    },
  );
  if (secured === undefined) throw new Error('prepare was not called');
  expect(withSecurity(secured, running.app, options)).toEqual(secured);
  expect(problemsOf(secured)).toEqual([]);
  return secured;
}

describe.each(PLATFORMS)('the document of an application on %s', (platform) => {
  it('requires of each operation what its decorators require, and has 401, 403 and 503 where the guard may refuse', async () => {
    const document = await documentOf({ platform });
    const all = Object.keys(document.paths).map((path) => [
      path,
      `${security(document, path)} ${statuses(document, path).join()}`,
    ]);
    expect(Object.fromEntries(all)).toEqual({
      '/orders': 'login(read:orders) 401,403,503',
      '/orders/mine': 'login() 401,503',
      '/orders/health': 'open ',
      '/orders/catalogue': 'guest | login() 401,503',
      // The guard rejects a guest, who has no scope.
      '/orders/vip': 'login(vip) 401,403,503',
      '/orders/reported': 'login() 401,503',
      '/orders/any': 'login(read:orders) | login(admin) 401,403,503',
      '/orders/role': 'login() 401,403,503',
      '/orders/permission': 'login() 401,403,503',
      // RFC 9470 §3: insufficient authentication is 401.
      '/orders/fresh': 'login() 401,503',
      '/orders/gold': 'login() 401,503',
      '/orders/details': 'login() 401,403,503',
      '/orders/adults': 'login() 401,403,503',
      '/orders/all/{id}': 'login(all) 401,403,503',
    });
    expect(security(document, '/orders', 'post')).toBe('login(read:orders write:orders)');
    expect(document.security).toEqual([{ login: [] }]);
  });

  it('finds handlers under a global prefix, versions in the path, RouterModule, and wildcards', async () => {
    const CatsController = controllerOf([Controller({ path: 'cats', version: ['1', '2'] })], {
      one: [Get(':id'), RequireScopes('cats')],
      third: [Get(':id'), Version('3'), Public()],
      files: [All('files/*'), RequireScopes('files')],
    });
    @Module({ controllers: [CatsController] })
    class CatsModule {}
    const HealthController = controllerOf([Controller('health')], { health: [Get(), Public()] });
    const document = await documentOf({
      platform,
      controllers: [HealthController],
      imports: [CatsModule, RouterModule.register([{ path: 'animals', module: CatsModule }])],
      prepare: (app) => {
        app.setGlobalPrefix('api/', { exclude: ['health'] });
        app.enableVersioning({ type: VersioningType.URI });
      },
      change: ({ paths }) => {
        paths['/v3/animals/cats/{id}'] = { get: { responses: {} } };
      },
    });
    expect(security(document, '/health')).toBe('open');
    expect(security(document, '/api/v1/animals/cats/{id}')).toBe('login(cats)');
    expect(security(document, '/api/v2/animals/cats/{id}')).toBe('login(cats)');
    expect(security(document, '/api/v3/animals/cats/{id}')).toBe('open');
    // The other paths have the prefix, so this one is not a path of the application.
    expect(security(document, '/v3/animals/cats/{id}')).toBe('login()');
    const files = Object.keys(document.paths).filter((path) => path.includes('files'));
    expect(files).toHaveLength(2); // of versions 1 and 2
    for (const path of files) {
      const verbs = Object.values(document.paths[path] ?? {}) as { security?: unknown }[];
      expect(verbs.length).toBeGreaterThan(6);
      for (const verb of verbs) expect(verb.security).toEqual([{ login: ['files'] }]);
    }
  });

  it('has the response of each refusal as its example', async () => {
    const document = await documentOf({ platform, auth: { issuer: issuer.url, realm: 'orders' } as never });
    const token = issuer.token(key, 'ES256', { scope: 'other' });
    const expired = issuer.token(key, 'ES256', { iat: 1, exp: 2 });
    for (const [path, credentials, code] of [
      ['/orders', expired, 'TOKEN_EXPIRED'],
      ['/orders', token, 'SCOPE_INSUFFICIENT'],
      ['/orders/vip', token, 'SCOPE_INSUFFICIENT'],
      ['/orders/any', token, 'SCOPE_INSUFFICIENT'],
      ['/orders/catalogue', expired, 'TOKEN_EXPIRED'],
      ['/orders/role', token, 'ROLE_INSUFFICIENT'],
      ['/orders/permission', token, 'PERMISSION_INSUFFICIENT'],
      ['/orders/fresh', token, 'AUTHENTICATION_INSUFFICIENT'],
      ['/orders/gold', token, 'AUTHENTICATION_INSUFFICIENT'],
      ['/orders/details', token, 'AUTHORIZATION_DETAILS_INSUFFICIENT'],
      ['/orders/adults', token, 'POLICY_DENIED'],
    ] as const) {
      const got = await call(running.url + path, bearer(credentials));
      const { headers, content } = response(document, path, got.status);
      expect([path, got.body.code]).toEqual([path, code]);
      expect(content['application/json']?.example).toEqual(got.body);
      expect(headers['WWW-Authenticate']?.example).toBe(got.headers['www-authenticate']);
    }
  });

  it('admits guests where the document does, and refuses them with the members of its schema', async () => {
    const document = await documentOf({ platform, auth: { explainRefusals: true } });
    const schema = document.components?.schemas?.AuthRefusal as { required: string[]; properties: object };
    for (const path of Object.keys(document.paths)) {
      const isOpen = /^(?:open|guest)/.test(security(document, path));
      const { status, body } = await call(running.url + path.replace('{id}', '1'));
      expect([path, status]).toEqual([path, isOpen ? 200 : 401]);
      if (isOpen) continue;
      expect(Object.keys(body).sort()).toEqual(Object.keys(schema.properties).sort());
      expect(Object.keys(body).sort()).toEqual([...schema.required, 'hint'].sort());
    }
  });
});

describe('scopes in the security of an operation', () => {
  it('are at most 8 alternatives, each with the scopes that are always required; otherwise the description lists them', async () => {
    const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] as const;
    const AnyController = controllerOf([Controller('any'), RequireAnyScope('y', 'z')], {
      combined: [Get('combined'), RequireScopes('x'), RequireAnyScope('a', 'b')],
      merged: [Get('merged'), RequireAnyScope('a', 'b', { merge: true })],
      met: [Get('met'), RequireScopes('a', 'b'), RequireAnyScope('a', 'c')],
      eight: [Get('eight'), RequireAnyScope(...(NAMES.slice(0, 8) as ['a']))],
      nine: [Get('nine'), RequireScopes('x'), RequireAnyScope(...NAMES)],
      ten: [Get('ten'), RequireAnyScope('a', 'b', 'c', 'd', 'e', { merge: true })],
    });
    const document = await documentOf({ controllers: [AnyController] });
    const of = (path: string) => [security(document, path), operation(document, path).description];
    expect(of('/any/combined')).toEqual(['login(x a) | login(x b)', undefined]);
    expect(of('/any/merged')).toEqual(['login(y a) | login(y b) | login(z a) | login(z b)', undefined]);
    expect(of('/any/met')).toEqual(['login(a b)', undefined]);
    const eight = NAMES.slice(0, 8).map((name) => `login(${name})`);
    expect(of('/any/eight')).toEqual([eight.join(' | '), undefined]);
    const nine = NAMES.map((name) => `\`${name}\``).join(' or ');
    expect(of('/any/nine')).toEqual(['login(x)', `Requires:\n\n- scope ${nine}`]);
    const ten = 'Requires:\n\n- scope `y` or `z`\n- scope `a` or `b` or `c` or `d` or `e`';
    expect(of('/any/ten')).toEqual(['login()', ten]);
    expect(declaredScopes(document).join('')).toBe('abcdefghixyz');
  });
});

describe('the description and the responses of an operation', () => {
  it('name the requirements that OpenAPI cannot express, after the text of the application', async () => {
    const document = await documentOf();
    const descriptionOf = (path: string) => operation(document, path).description;
    expect(descriptionOf('/orders/all/{id}')?.split('\n')).toEqual([
      'Every requirement.',
      '',
      'Requires:',
      '',
      '- role `auditor` and `clerk`',
      '- permission `orders:read`',
      '- authentication (`acr`) `gold`, at most 300 seconds ago',
      '- authorization details of the type `payment`',
      '- policy `isAdult`',
    ]);
    expect(descriptionOf('/orders/role')).toBe('Requires:\n\n- role `clerk` or `auditor`');
    expect(descriptionOf('/orders/permission')).toBe('Requires:\n\n- permission `` orders`read ``');
    expect(descriptionOf('/orders/fresh')).toBe('Requires:\n\n- authentication, at most 60 seconds ago');
    expect(descriptionOf('/orders/gold')).toBe('Requires:\n\n- authentication (`acr`) `silver` or `gold`');
    expect(descriptionOf('/orders')).toBeUndefined();
    expect(descriptionOf('/orders/reported')).toBeUndefined();
  });

  it('have one example per status, and list other codes of 403', async () => {
    const document = await documentOf();
    expect(response(document, '/orders', 403).description).not.toContain('_');
    const denied = response(document, '/orders/all/{id}', 403);
    expect(denied.content['application/json']?.example).toMatchObject({ code: 'SCOPE_INSUFFICIENT' });
    expect(denied.description).toMatch(
      /\(`SCOPE_.*`, `ROLE_.*`, `PERMISSION_.*`, `AUTHORIZATION_DETAILS_.*`, `POLICY_DENIED`\)$/,
    );
    const challenge = response(document, '/orders/all/{id}', 401).headers['WWW-Authenticate']?.example;
    expect(challenge).toMatch(/acr_values="gold", max_age="300"$/);
    const unavailable = response(document, '/orders', 503);
    expect(unavailable.headers).toMatchObject({ 'Retry-After': { example: 5 } });
    expect(unavailable.content['application/json']).toMatchObject({
      schema: { $ref: '#/components/schemas/AuthRefusal' },
      example: { statusCode: 503, code: 'KEYS_UNAVAILABLE' },
    });
    expect(Object.keys(document.components?.responses ?? {})).toEqual(['AuthUnauthorized', 'AuthUnavailable']);
  });

  it('keep the responses of the application, and its components of the same name', async () => {
    const document = await documentOf({
      change: (original) => {
        original.components = {
          ...original.components,
          schemas: { AuthRefusal: { type: 'string' } },
          responses: { AuthUnauthorized: { description: 'Unauthorized' } },
        };
      },
    });
    const { 401: unauthorized } = operation(document, '/orders', 'post').responses;
    expect(unauthorized).toMatchObject({ description: 'Described by the application' });
    expect(document.components?.schemas?.AuthRefusal).toEqual({ type: 'string' });
    expect(document.components?.schemas?.AuthRefusal2).toMatchObject({ type: 'object' });
    expect(document.components?.responses?.AuthUnauthorized).toEqual({ description: 'Unauthorized' });
    expect(operation(document, '/orders').responses[401]).toEqual({ $ref: '#/components/responses/AuthUnauthorized2' });
    expect(response(document, '/orders', 401).content['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/AuthRefusal2',
    });
  });
});

describe('the requirements of the module', () => {
  const require = { scopes: ['api'], roles: ['user'] };

  it('apply to every operation that is not public, and to tokens of optional operations', async () => {
    const document = await documentOf({ auth: { require } });
    expect(security(document, '/orders/mine')).toBe('login(api)');
    expect(security(document, '/orders')).toBe('login(api read:orders)');
    expect(security(document, '/orders/any')).toBe('login(api read:orders) | login(api admin)');
    expect(security(document, '/orders/health')).toBe('open');
    expect(security(document, '/orders/catalogue')).toBe('guest | login(api)');
    expect(operation(document, '/orders/mine').description).toBe('Requires:\n\n- role `user`');
    expect(operation(document, '/orders/catalogue').description).toBe(
      'Requires, if an access token is sent:\n\n- role `user`',
    );
    expect(statuses(document, '/orders/catalogue')).toEqual(['401', '403', '503']);
    const challenge = response(document, '/orders', 403).headers['WWW-Authenticate']?.example;
    expect(challenge).toMatch(/scope="api read:orders"$/);
  });
});

describe('the security scheme', () => {
  it('oauth2 declares every required scope, with the descriptions that are given', async () => {
    const options = { ...OAUTH2, scopes: { 'read:orders': 'Read orders', openid: 'Sign in' } };
    const document = await documentOf({ options });
    const { authorizationUrl, tokenUrl } = OAUTH2;
    const scopes = { ...options.scopes, admin: '', all: '', vip: '', 'write:orders': '' };
    expect(document.components?.securitySchemes?.login).toEqual({
      type: 'oauth2',
      flows: { authorizationCode: { authorizationUrl, tokenUrl, scopes } },
    });
  });

  it('is openIdConnect at the issuer by default', async () => {
    const accessToken = { type: 'openIdConnect', openIdConnectUrl: `${ISSUER}/.well-known/openid-configuration` };
    const document = await documentOf({ options: {} });
    expect(document.components?.securitySchemes).toEqual({ accessToken });
    expect(security(document, '/orders')).toBe('accessToken(read:orders)');
  });

  it('bearer has no scopes before OpenAPI 3.1, so the description lists them', async () => {
    const before = await documentOf({ options: { kind: 'bearer' } });
    expect(security(before, '/orders')).toBe('accessToken()');
    expect(security(before, '/orders/any')).toBe('accessToken()');
    expect(operation(before, '/orders').description).toBe('Requires:\n\n- scope `read:orders`');
    expect(operation(before, '/orders/any').description).toBe('Requires:\n\n- scope `read:orders` or `admin`');
    const since = await documentOf({ options: { kind: 'bearer' }, openapi: '3.1.0' });
    expect(security(since, '/orders/any')).toBe('accessToken(read:orders) | accessToken(admin)');
    expect(operation(since, '/orders/any').description).toBeUndefined();
  });

  it('may be one of the document, by its name', async () => {
    const securitySchemes = { cookie: { type: 'apiKey', in: 'cookie', name: '__Host-token' } } as const;
    const change = (original: OpenAPIObject) => {
      original.components = { securitySchemes };
    };
    const document = await documentOf({ options: { scheme: 'cookie' }, change });
    expect(document.components?.securitySchemes).toEqual(securitySchemes);
    expect(security(document, '/orders')).toBe('cookie()');
    await expect(documentOf({ options: { scheme: 'cookies' }, change })).rejects.toThrow(/'cookies' is not a scheme/);
  });
});

describe('an operation without a handler', () => {
  it('requires a token, whatever it had; other members of a path stay', async () => {
    const others = { 'x-internal': { responses: { 200: { description: 'OK' } } } };
    const document = await documentOf({
      change: ({ paths }) => {
        paths['/elsewhere'] = { get: { security: [], responses: {} }, put: { responses: {} } };
        paths['/moved'] = { ...paths['/orders/health'], ...others };
        paths['/orders/health'] = { ...paths['/orders/health'], post: { security: [{}], responses: {} } };
      },
    });
    expect(security(document, '/elsewhere')).toBe('login()');
    expect(security(document, '/elsewhere', 'put')).toBe('login()');
    expect(security(document, '/moved')).toBe('login()');
    expect(document.paths['/moved']).toMatchObject(others);
    expect(document.paths['/moved']).not.toHaveProperty('x-internal.security');
    expect(security(document, '/orders/health', 'post')).toBe('login()');
    expect(security(document, '/orders/health')).toBe('open');
    expect(statuses(document, '/elsewhere')).toEqual(['401', '503']);
  });
});

describe('the handler of an operation', () => {
  const PATTERNS = {
    express: `/ /orders /orders/:id /orders/:id/items/:itemId /range/:from-:to /file.:extension /:"quoted"/x /files/*path
      /files{/*path} /maybe{/:id}/x /legacy/* /legacy/(.*) /legacy/*/x /legacy/*/*/x /escaped\\:x /umlaut/:größe`,
    fastify: '/jobs::cancel /jobs/:id[:]cancel /:id(^[0-9]+$)',
  };
  // Before, @nestjs/swagger creates no document for them.
  const SINCE_11_2 = ['/legacy/*/x', '/legacy/*/*/x', '/:id(^[0-9]+$)'];
  const rows = PLATFORMS.flatMap((platform) =>
    PATTERNS[platform]
      .split(/\s+/)
      .filter((pattern) => hasNest('11.2.0') || !SINCE_11_2.includes(pattern))
      .map((pattern) => ({ platform, pattern })),
  );
  it.each(rows)('is found by its path $pattern on $platform', async ({ platform, pattern }) => {
    const controllers = [controllerOf([Controller()], { get: [Get(pattern), RequireScopes('read')] })];
    const document = await documentOf({ platform, controllers });
    expect(Object.keys(document.paths).map((path) => security(document, path))).toEqual(['login(read)']);
  });

  it('is found whatever its operationId is', async () => {
    const document = await documentOf({ swagger: { operationIdFactory: () => 'OrdersController_health' } });
    expect(security(document, '/orders')).toBe('login(read:orders)');
    expect(security(document, '/orders/mine')).toBe('login()');
  });

  it.each(['api', '/api/'])('is found in a document that omits the global prefix %s', async (prefix) => {
    const RootController = controllerOf([Controller()], {
      root: [Get(), Public()],
      apish: [Get('apish'), Public()],
    });
    const document = await documentOf({
      controllers: [OrdersController, RootController],
      prepare: (app) => app.setGlobalPrefix(prefix),
      swagger: { ignoreGlobalPrefix: true },
    });
    expect(security(document, '/orders')).toBe('login(read:orders)');
    expect(security(document, '/orders/health')).toBe('open');
    expect(security(document, '/apish')).toBe('open');
    expect(security(document, '/')).toBe('open');
  });
});

describe('an operation of several handlers, selected by a version in a header', () => {
  const versioned = (controllers: (new () => object)[], auth: Given['auth'] = {}) =>
    documentOf({
      controllers,
      auth,
      prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    });

  const First = controllerOf([Controller({ path: 'cats', version: '1' })], {
    first: [Get(), Public()],
    firstSame: [Get('same'), RequireScopes('cats')],
    firstWrite: [Get('write'), RequireScopes('read')],
    firstMany: [Get('many'), RequireAnyScope('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')],
    firstGuests: [Get('guests'), OptionalAuth()],
  });
  const Second = controllerOf([Controller({ path: 'cats', version: '2' })], {
    second: [Get(), UseGuards(AuthGuard), RequireScopes('cats'), RequireAcr('gold')],
    secondSame: [Get('same'), RequireScopes('cats')],
    secondWrite: [Get('write'), RequireScopes('read', 'write')],
    secondMany: [Get('many'), RequireScopes('i')],
    secondGuests: [Get('guests')],
  });
  it.each([
    ['First, Second', [First, Second]],
    ['Second, First', [Second, First]],
  ])('has the alternatives and refusals of all, and describes each: %s', async (_order, controllers) => {
    const document = await versioned(controllers);
    expect(security(document, '/cats')).toBe('guest | login(cats)');
    expect(statuses(document, '/cats')).toEqual(['401', '403', '503']);
    expect(JSON.stringify(response(document, '/cats', 401))).toContain('AUTHENTICATION_INSUFFICIENT');
    const [heading, , ...lines] = operation(document, '/cats').description?.split('\n') ?? [];
    expect(heading).toBe('The requirements depend on the version or the host:');
    expect(lines.sort()).toEqual([
      '- `TestController.first`: no access token',
      '- `TestController.second`: an access token; scope `cats`; authentication (`acr`) `gold`',
    ]);
    expect(security(document, '/cats/write').split(' | ').sort()).toEqual(['login(read write)', 'login(read)']);
    expect(security(document, '/cats/guests')).toBe('guest | login()');
    expect(operation(document, '/cats/guests').description).toContain(
      '- `TestController.firstGuests`: an optional access token',
    );
    expect(security(document, '/cats/same')).toBe('login(cats)');
    expect(operation(document, '/cats/same').description).toBeUndefined();
  });

  it('requires a token if there are more than 8 alternatives, and declares every scope', async () => {
    const document = await versioned([First, Second]);
    expect(security(document, '/cats/many')).toBe('login()');
    expect(operation(document, '/cats/many').description).toContain(
      '- `TestController.secondMany`: an access token; scope `i`',
    );
    expect(declaredScopes(document)).toEqual(expect.arrayContaining(['a', 'h', 'i']));
  });

  it('is not opened by a handler without AuthGuard', async () => {
    const catsOf = (version: string, name: string, ...decorators: MethodDecorator[]) =>
      controllerOf([Controller({ path: 'cats', version })], { [name]: [Get(), ...decorators] });
    const Guarded = catsOf('1', 'guarded', UseGuards(AuthGuard), RequireScopes('cats'));
    const Unguarded = catsOf('2', 'unguarded');
    const document = await versioned([Unguarded, Guarded], { guard: 'manual' });
    expect(security(document, '/cats')).toBe('login(cats)');
    const { description } = operation(document, '/cats');
    expect(description).toContain('- `TestController.unguarded`: not guarded by `AuthGuard`');
    // Neither handler requires a token.
    const Open = catsOf('1', 'open', Public());
    expect(security(await versioned([Unguarded, Open], { guard: 'manual' }), '/cats')).toBe('open');
  });
});

describe('an operation that AuthGuard does not guard', () => {
  const ManualController = controllerOf([Controller('manual')], {
    guarded: [Get('guarded'), UseGuards(AuthGuard), RequireScopes('read')],
    other: [Get('other'), ApiBearerAuth('key')],
    unguarded: [Get('unguarded')],
  });
  const HooksController = controllerOf([Controller('hooks')], { shipped: [Post()] });

  it.each([
    [undefined, 'open'],
    [[{ key: [] }], 'key()'],
  ])("keeps its security with guard: 'manual', where the document has %j", async (present, expected) => {
    const document = await documentOf({
      controllers: [ManualController],
      auth: { guard: 'manual' },
      change: (original) => {
        original.components = { ...original.components, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } };
        if (present !== undefined) original.security = present;
      },
    });
    expect(security(document, '/manual/guarded')).toBe('login(read)');
    expect(security(document, '/manual/other')).toBe('key()');
    expect(security(document, '/manual/unguarded')).toBe(expected);
    expect(statuses(document, '/manual/unguarded')).toEqual([]);
  });

  it('keeps its security if it is a webhook, which another application serves', async () => {
    const document = await documentOf({
      controllers: [HooksController],
      openapi: '3.1.0',
      // As `@ApiWebhook('orderShipped')` does, which some versions of @nestjs/swagger do not have.
      change(original) {
        original.webhooks = { orderShipped: { ...original.paths['/hooks'] } };
        original.paths = {};
      },
    });
    expect(document.webhooks?.orderShipped?.post?.security).toEqual([]);
    expect(document.webhooks?.orderShipped?.post?.responses).not.toHaveProperty('401');
  });
});

describe('withSecurity', () => {
  it('rejects an application without AuthModule', async () => {
    const { app } = await startApp('express', { controllers: [] });
    const document = { openapi: '3.0.0', info: { title: '', version: '' }, paths: {} };
    expect(pathsOf(() => withSecurity(document, app))).toEqual(['app']);
  });

  it('rejects decorators that contradict each other', async () => {
    const Bad = controllerOf([Controller()], { get: [Get(), Public(), RequireScopes('read')] });
    await expect(documentOf({ controllers: [Bad] })).rejects.toThrow(/TestController\.get: is @Public\(\)/);
  });
});

describe('Swagger UI', () => {
  // Express only: Fastify needs another package for it.
  it('has the authorize button and more options, given to the button or beside it', async () => {
    let url = '';
    const button = { clientId: 'docs', uiUrl: () => `${url}/docs` };
    const more = { persistAuthorization: true };
    running = await startApp(
      'express',
      { imports: [AuthModule.forRoot({ ...AUTH, warmUp: 'off' })], controllers: [OrdersController] },
      {
        prepare: (app) => {
          const document = withSecurity(SwaggerModule.createDocument(app, new DocumentBuilder().build()), app, OAUTH2);
          SwaggerModule.setup('inside', app, document, authorizeButton({ ...button, swaggerOptions: more }));
          SwaggerModule.setup('beside', app, document, {
            swaggerOptions: { ...authorizeButton(button).swaggerOptions, ...more },
          });
        },
      },
    );
    ({ url } = running);
    for (const path of ['inside', 'beside']) {
      const { text } = await call(`${url}/${path}/swagger-ui-init.js`);
      expect(text).toContain('"persistAuthorization": true');
      expect(text).toContain('"usePkceWithAuthorizationCodeGrant": true');
      expect(text).toContain(`"oauth2RedirectUrl": "${url}/docs/oauth2-redirect.html"`);
    }
  });
});

describe('the demo', () => {
  it('accepts an order with an item, as its document describes', async () => {
    const ITEM = { item: 'a lamp' };
    running = await startApp(
      'express',
      { imports: [AppModule.for({ issuer: issuer.url, audience: AUTH.audience })] },
      { prepare: (app) => serveDocs(app) },
    );
    const { url } = running;
    const document = (await call(`${url}/docs-json`)).body as unknown as OpenAPIObject;
    expect(problemsOf(document)).toEqual([]);
    expect(operation(document, '/orders', 'post').requestBody).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/NewOrder' } } },
    });
    expect(document.components?.schemas?.NewOrder).toMatchObject({
      required: ['item'],
      properties: { item: { type: 'string', example: ITEM.item } },
    });

    const headers = bearer(issuer.token(key, 'ES256', { sub: 'alice', scope: 'write:orders' }));
    const post = async (body?: object) => {
      const { status } = await fetch(`${url}/orders`, {
        method: 'POST',
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return status;
    };
    expect(await post(ITEM)).toBe(201);
    for (const body of [undefined, {}, { item: ' ' }, { item: 1 }])
      expect([body, await post(body)]).toEqual([body, 400]);
    expect(statuses(document, '/orders', 'post')).toContain('400');
  });
});
