import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  All,
  Body,
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
  ApiWebhook,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from '@nestjs/swagger';
import {
  AuthGuard,
  AuthModule,
  type AuthOptions,
  ConfigurationError,
  OptionalAuth,
  Public,
  RequireAcr,
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
import { authorizeButton, withSecurity } from '../../src/swagger.js';
import type { SecurityOptions } from '../../src/swagger.js';
import { bearer, call, closeApps, PLATFORMS, startApp, type RunningApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { problemsOf } from '../support/openapi.js';

const ISSUER = 'https://issuer.example.com';
const AUTH = { issuer: ISSUER, audience: 'https://api.example.com' };
const OAUTH2 = {
  kind: 'oauth2',
  scheme: 'login',
  authorizationUrl: `${ISSUER}/auth`,
  tokenUrl: `${ISSUER}/token`,
} as const;

function isAdult(): boolean {
  return true;
}

@Controller('orders')
class OrdersController {
  @Get()
  @RequireScopes('read:orders')
  @ApiBearerAuth('something-else')
  list() {
    return [];
  }

  @Post()
  @RequireScopes('read:orders', 'write:orders')
  @ApiUnauthorizedResponse({ description: 'Told by the application' })
  create() {
    return {};
  }

  @Get('any')
  @RequireAnyScope('read:orders', 'admin')
  any() {
    return {};
  }

  @Get('mine')
  mine() {
    return {};
  }

  @Get('health')
  @Public()
  health() {
    return {};
  }

  @Get('catalogue')
  @OptionalAuth()
  catalogue() {
    return {};
  }

  @Get('vip')
  @OptionalAuth()
  @RequireScopes('vip')
  vip() {
    return {};
  }

  @Get('tried')
  @RequireScopes('tried', { reportOnly: true })
  @RequireRoles('tried', { reportOnly: true })
  tried() {
    return {};
  }

  @Get('words/:id')
  @ApiOperation({ operationId: 'words', description: 'Everything there is.' })
  @RequireRoles('auditor', 'clerk')
  @RequireAnyRole('eu')
  @RequirePermissions('orders:read')
  @RequireAuthorizationDetails('payment')
  @RequirePolicy(isAdult)
  @RequireAcr('gold', { maxAgeSeconds: 300 })
  words() {
    return {};
  }

  @Get('fresh')
  @RequireAcr({ maxAgeSeconds: 60 })
  fresh() {
    return {};
  }
}

/** What `documentOf` started last. */
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

/** The document as `main.ts` makes it: before the application listens. */
async function documentOf(given: Given = {}): Promise<OpenAPIObject> {
  let secured: OpenAPIObject | undefined;
  const { platform = 'express', controllers = [OrdersController], imports = [], options = OAUTH2 } = given;
  running = await startApp(
    platform,
    {
      imports: [
        AuthModule.forRoot({ ...AUTH, keys: { from: 'discovery' }, warmUp: 'off', ...given.auth } as AuthOptions),
        ...imports,
      ],
      controllers,
    },
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

type Verb = 'get' | 'post' | 'put';

function operation(document: OpenAPIObject, path: string, verb: Verb = 'get') {
  const found = document.paths[path]?.[verb];
  if (found === undefined) throw new Error(`No ${verb} ${path} among ${Object.keys(document.paths).join(', ')}`);
  return found;
}

/** `login(a b) | guest`; open as `open`. */
function security(document: OpenAPIObject, path: string, verb: Verb = 'get'): string {
  const requirements = operation(document, path, verb).security;
  if (requirements === undefined) return 'nothing said';
  if (requirements.length === 0) return 'open';
  return requirements
    .map((requirement) => {
      const [entry] = Object.entries(requirement);
      return entry === undefined ? 'guest' : `${entry[0]}(${entry[1].join(' ')})`;
    })
    .join(' | ');
}

const statuses = (document: OpenAPIObject, path: string, verb: Verb = 'get') =>
  Object.keys(operation(document, path, verb).responses).filter((status) => Number(status) >= 400);

describe.each(PLATFORMS)('the document of an application on %s', (platform) => {
  it('asks of each operation what its decorators ask', async () => {
    const document = await documentOf({ platform });
    const all = Object.keys(document.paths).map((path) => [path, security(document, path)]);
    expect(Object.fromEntries(all)).toEqual({
      '/orders': 'login(read:orders)',
      '/orders/any': 'login(read:orders) | login(admin)',
      '/orders/mine': 'login()',
      '/orders/health': 'open',
      '/orders/catalogue': 'guest | login()',
      // A guest is refused there: he has no scope.
      '/orders/vip': 'login(vip)',
      '/orders/tried': 'login()',
      '/orders/words/{id}': 'login()',
      '/orders/fresh': 'login()',
    });
    expect(security(document, '/orders', 'post')).toBe('login(read:orders write:orders)');
    expect(document.security).toEqual([{ login: [] }]);
  });

  it('finds handlers under a global prefix, versions in the path, RouterModule, and wildcards', async () => {
    @Controller({ path: 'cats', version: ['1', '2'] })
    class CatsController {
      @Get(':id')
      @RequireScopes('cats')
      one() {
        return {};
      }

      @Get(':id')
      @Version('3')
      @Public()
      third() {
        return {};
      }

      @All('files/*')
      @RequireScopes('files')
      files() {
        return {};
      }
    }
    @Module({ controllers: [CatsController] })
    class CatsModule {}
    @Controller('health')
    class HealthController {
      @Get()
      @Public()
      health() {
        return {};
      }
    }
    const document = await documentOf({
      platform,
      controllers: [HealthController],
      imports: [CatsModule, RouterModule.register([{ path: 'animals', module: CatsModule }])],
      prepare: (app) => {
        app.setGlobalPrefix('api/', { exclude: ['health'] });
        app.enableVersioning({ type: VersioningType.URI });
      },
    });
    expect(security(document, '/health')).toBe('open');
    expect(security(document, '/api/v1/animals/cats/{id}')).toBe('login(cats)');
    expect(security(document, '/api/v2/animals/cats/{id}')).toBe('login(cats)');
    expect(security(document, '/api/v3/animals/cats/{id}')).toBe('open');
    const files = Object.keys(document.paths).filter((path) => path.includes('files'));
    expect(files).toHaveLength(2); // of versions 1 and 2
    for (const path of files) {
      const verbs = Object.values(document.paths[path] ?? {}) as { security?: unknown }[];
      expect(verbs.length).toBeGreaterThan(6);
      for (const verb of verbs) expect(verb.security).toEqual([{ login: ['files'] }]);
    }
  });

  it('answers as the document says', async () => {
    const issuer = await LocalIssuer.start();
    try {
      const key = newKey('p-256');
      issuer.keys = [key.jwk];
      const document = await documentOf({ platform, auth: { issuer: issuer.url } as never });
      const { url } = running;
      const token = issuer.token(key, 'ES256', { scope: 'read:orders' });
      for (const [path, item] of Object.entries(document.paths)) {
        if (item.get === undefined) continue;
        const address = url + path.replace('{id}', '1');
        const mayGuests = item.get.security?.length === 0 || item.get.security?.some((one) => !('login' in one));
        const guest = await call(address);
        expect([path, guest.status]).toEqual([path, mayGuests === true ? 200 : 401]);
        expect(Object.keys(item.get.responses)).toContain(String(guest.status));
        const caller = await call(address, bearer(token));
        expect(Object.keys(item.get.responses)).toContain(String(caller.status));
        if (caller.status === 200) continue;
        expect(Object.keys(caller.body).sort()).toEqual(refusalMembers(document).required);
      }
    } finally {
      await issuer.stop();
    }
  });

  it('challenges as the document says', async () => {
    @Controller('cats')
    class CatsController {
      @Get()
      @RequireScopes('cats', 'read')
      list() {
        return [];
      }

      @Get('secret')
      @RequireAcr('gold', { maxAgeSeconds: 60 })
      secret() {
        return {};
      }

      @Get('roles')
      @RequireRoles('vet')
      roles() {
        return {};
      }
    }
    const issuer = await LocalIssuer.start();
    try {
      const key = newKey('p-256');
      issuer.keys = [key.jwk];
      const auth = { issuer: issuer.url, realm: 'cats' } as never;
      const document = await documentOf({ platform, controllers: [CatsController], auth });
      const token = issuer.token(key, 'ES256', { scope: 'other' });
      const expired = issuer.token(key, 'ES256', { iat: 1, exp: 2 });
      for (const [path, credentials, code] of [
        ['/cats', undefined, 'TOKEN_MISSING'],
        ['/cats', expired, 'TOKEN_EXPIRED'],
        ['/cats', token, 'SCOPE_INSUFFICIENT'],
        ['/cats/secret', expired, 'TOKEN_EXPIRED'],
        ['/cats/secret', token, 'AUTHENTICATION_INSUFFICIENT'],
        ['/cats/roles', token, 'ROLE_INSUFFICIENT'],
      ] as const) {
        const got = await call(running.url + path, credentials === undefined ? {} : bearer(credentials));
        const { headers, content } = response(document, path, got.status);
        expect(got.body).toEqual(content['application/json']?.examples[code]?.value);
        expect(got.headers['www-authenticate']).toBe(headers['WWW-Authenticate']?.examples?.[code]?.value);
      }
      expect(response(document, '/cats', 401).content['application/json']?.examples).not.toHaveProperty(
        'AUTHENTICATION_INSUFFICIENT',
      );
    } finally {
      await issuer.stop();
    }
  });

  it('explains refusals in a member that the document has', async () => {
    const document = await documentOf({ platform, auth: { explainRefusals: true } });
    const { body } = await call(`${running.url}/orders`);
    expect(Object.keys(body).sort()).toEqual(refusalMembers(document).all);
  });
});

function refusalMembers(document: OpenAPIObject): { readonly all: string[]; readonly required: string[] } {
  const schema = document.components?.schemas?.AuthRefusal as { required: string[]; properties: object };
  return { all: Object.keys(schema.properties).sort(), required: [...schema.required].sort() };
}

interface DocumentedResponse {
  readonly headers: Record<string, { examples?: Record<string, { value: unknown }>; example?: unknown }>;
  readonly content: Record<string, { schema: unknown; examples: Record<string, { value: object }> }>;
}

/** Behind its reference. */
function response(document: OpenAPIObject, path: string, status: number): DocumentedResponse {
  const { $ref } = operation(document, path).responses[String(status)] as { $ref: string };
  return document.components?.responses?.[$ref.split('/').at(-1) ?? ''] as unknown as DocumentedResponse;
}

describe('what an operation says beside its scopes', () => {
  it('names what OpenAPI has no word for in the description, after that of the application', async () => {
    const document = await documentOf();
    expect(operation(document, '/orders/words/{id}').description).toBe(
      [
        'Everything there is.',
        '',
        'Requires:',
        '',
        '- all of the roles `auditor`, `clerk`',
        '- role `eu`',
        '- permission `orders:read`',
        '- authentication (`acr`) as `gold`, at most 300 seconds ago',
        '- authorization details of the type `payment`',
        '- policy `isAdult`',
      ].join('\n'),
    );
    expect(operation(document, '/orders/fresh').description).toBe(
      'Requires:\n\n- authentication, at most 60 seconds ago',
    );
    expect(operation(document, '/orders').description).toBeUndefined();
    expect(operation(document, '/orders/tried').description).toBeUndefined();
  });

  it('has 401 and 503 wherever a token is looked at, 403 only where something is required', async () => {
    const document = await documentOf();
    expect(statuses(document, '/orders')).toEqual(['401', '403', '503']);
    expect(statuses(document, '/orders/mine')).toEqual(['401', '503']);
    expect(statuses(document, '/orders/catalogue')).toEqual(['401', '503']);
    expect(statuses(document, '/orders/tried')).toEqual(['401', '503']);
    expect(statuses(document, '/orders/words/{id}')).toEqual(['401', '403', '503']);
    // A want of authentication is told with 401 (RFC 9470 §3).
    expect(statuses(document, '/orders/fresh')).toEqual(['401', '503']);
    expect(statuses(document, '/orders/health')).toEqual([]);
  });

  it('has the challenge, the time to wait and the body in its responses', async () => {
    const document = await documentOf();
    const unauthorized = response(document, '/orders', 401);
    expect(Object.keys(unauthorized.headers)).toEqual(['WWW-Authenticate']);
    expect(Object.keys(response(document, '/orders', 403).headers)).toEqual(['WWW-Authenticate']);
    expect(response(document, '/orders', 503).headers).toMatchObject({ 'Retry-After': { example: 5 } });
    const json = unauthorized.content['application/json'];
    expect(json?.schema).toEqual({ $ref: '#/components/schemas/AuthRefusal' });
    expect(json?.examples.TOKEN_MISSING?.value).toEqual({
      statusCode: 401,
      message: 'An access token is required',
      error: 'Unauthorized',
      code: 'TOKEN_MISSING',
    });
  });

  it('has the step-up as a response only where an operation may ask for it', async () => {
    const names = (document: OpenAPIObject) => Object.keys(document.components?.responses ?? {});
    expect(names(await documentOf())).toEqual(['AuthUnauthorized', 'AuthStepUp', 'AuthForbidden', 'AuthUnavailable']);
    await running.close();
    @Controller()
    class Plain {
      @Get()
      get() {
        return {};
      }
    }
    const plain = await documentOf({ controllers: [Plain] });
    expect(names(plain)).toEqual(['AuthUnauthorized', 'AuthForbidden', 'AuthUnavailable']);
  });

  it('leaves a response that the application has described', async () => {
    const { 401: refused } = operation(await documentOf(), '/orders', 'post').responses;
    expect(refused).toMatchObject({ description: 'Told by the application' });
  });

  it('leaves components of the application that have the same name', async () => {
    const document = await documentOf({
      change: (made) => {
        made.components = { ...made.components, schemas: { AuthRefusal: { type: 'string' } } };
      },
    });
    expect(document.components?.schemas).toMatchObject({
      AuthRefusal: { type: 'string' },
      AuthRefusal2: { type: 'object' },
    });
    expect(JSON.stringify(document.components?.responses)).toContain('#/components/schemas/AuthRefusal2');
  });
});

describe('what the module requires', () => {
  const require = { scopes: ['api'], roles: ['user'] };

  it('is required of every operation but public ones, and of guests nothing', async () => {
    const document = await documentOf({ auth: { require } });
    expect(security(document, '/orders/mine')).toBe('login(api)');
    expect(security(document, '/orders')).toBe('login(api read:orders)');
    expect(security(document, '/orders/any')).toBe('login(api read:orders) | login(api admin)');
    expect(security(document, '/orders/health')).toBe('open');
    expect(security(document, '/orders/catalogue')).toBe('guest | login(api)');
    expect(operation(document, '/orders/mine').description).toBe('Requires:\n\n- role `user`');
    expect(operation(document, '/orders/catalogue').description).toBe(
      'A token, if one is sent, needs:\n\n- role `user`',
    );
    expect(statuses(document, '/orders/catalogue')).toEqual(['401', '403', '503']);
  });

  it('is not required where it is only reported', async () => {
    const document = await documentOf({ auth: { require: { ...require, reportOnly: true } } });
    expect(security(document, '/orders/mine')).toBe('login()');
    expect(operation(document, '/orders/mine').description).toBeUndefined();
  });
});

describe('the scheme', () => {
  const schemes = async (given: Given) => (await documentOf(given)).components?.securitySchemes;

  it('of oauth2 has every scope that is required, and the descriptions that are given', async () => {
    expect(
      await schemes({ options: { ...OAUTH2, scopes: { 'read:orders': 'Read orders', openid: 'Who you are' } } }),
    ).toEqual({
      login: {
        type: 'oauth2',
        flows: {
          authorizationCode: {
            authorizationUrl: `${ISSUER}/auth`,
            tokenUrl: `${ISSUER}/token`,
            scopes: {
              'read:orders': 'Read orders',
              openid: 'Who you are',
              admin: '',
              vip: '',
              'write:orders': '',
            },
          },
        },
      },
    });
  });

  it('is by default openIdConnect, at the address of the issuer', async () => {
    const accessToken = { type: 'openIdConnect', openIdConnectUrl: `${ISSUER}/.well-known/openid-configuration` };
    const document = await documentOf({ options: {} });
    expect(document.components?.securitySchemes).toEqual({ accessToken });
    expect(security(document, '/orders')).toBe('accessToken(read:orders)');
  });

  it('is by default bearer when the options do not tell where the metadata are', async () => {
    const resolver = { issuer: undefined, audience: undefined, keys: undefined, issuers: () => undefined };
    expect(await schemes({ options: {}, auth: resolver })).toEqual({
      accessToken: { type: 'http', scheme: 'bearer' },
    });
  });

  it('of bearer has no scopes before OpenAPI 3.1: they stand in the description', async () => {
    const before = await documentOf({ options: { kind: 'bearer' } });
    expect(security(before, '/orders')).toBe('accessToken()');
    expect(security(before, '/orders/any')).toBe('accessToken()');
    expect(operation(before, '/orders/any').description).toBe(
      'Requires:\n\n- one of the scopes `read:orders`, `admin`',
    );
    const since = await documentOf({ options: { kind: 'bearer' }, openapi: '3.1.0' });
    expect(security(since, '/orders/any')).toBe('accessToken(read:orders) | accessToken(admin)');
    expect(operation(since, '/orders/any').description).toBeUndefined();
  });

  it('may be one that the document has already', async () => {
    const cookie = { type: 'apiKey', in: 'cookie', name: '__Host-token' } as const;
    const document = await documentOf({
      options: { scheme: 'cookie' },
      change: (made) => {
        made.components = { ...made.components, securitySchemes: { cookie } };
      },
    });
    expect(document.components?.securitySchemes).toEqual({ cookie });
    expect(security(document, '/orders')).toBe('cookie()');
  });

  it('is none that the document does not have', async () => {
    await expect(documentOf({ options: { scheme: 'cookie' } })).rejects.toThrow(/scheme: there is no 'cookie'/);
  });
});

describe('an operation that is not found', () => {
  it('is closed, whatever it said', async () => {
    const document = await documentOf({
      change: (made) => {
        made.paths['/elsewhere'] = { get: { security: [], responses: {} }, put: { responses: {} } };
        made.paths['/orders/health'] = { ...made.paths['/orders/health'], post: { security: [{}], responses: {} } };
      },
    });
    expect(security(document, '/elsewhere')).toBe('login()');
    expect(security(document, '/elsewhere', 'put')).toBe('login()');
    expect(security(document, '/orders/health', 'post')).toBe('login()');
    expect(security(document, '/orders/health')).toBe('open');
    expect(statuses(document, '/elsewhere')).toEqual(['401', '503']);
  });

  it('is closed when it was moved to a path that the application does not have', async () => {
    const document = await documentOf({
      change: (made) => {
        made.paths = { '/moved': made.paths['/orders/health'] ?? {} };
      },
    });
    expect(security(document, '/moved')).toBe('login()');
  });
});

describe('operations are matched to handlers', () => {
  it('whatever their operationId is', async () => {
    const document = await documentOf({ swagger: { operationIdFactory: () => 'OrdersController_health' } });
    expect(security(document, '/orders')).toBe('login(read:orders)');
    expect(security(document, '/orders/mine')).toBe('login()');
  });

  it('when the document leaves the global prefix out', async () => {
    const document = await documentOf({
      prepare: (app) => app.setGlobalPrefix('api'),
      swagger: { ignoreGlobalPrefix: true },
    });
    expect(security(document, '/orders')).toBe('login(read:orders)');
    expect(security(document, '/orders/health')).toBe('open');
  });

  it('and not to one with another prefix when the document has it', async () => {
    @Controller()
    class Both {
      @Get('status')
      @Public()
      open() {
        return {};
      }
    }
    const document = await documentOf({
      controllers: [Both],
      prepare: (app) => app.setGlobalPrefix('api'),
      change: (made) => {
        made.paths['/status'] = { get: { responses: {} } };
      },
    });
    expect(security(document, '/api/status')).toBe('open');
    expect(security(document, '/status')).toBe('login()');
  });

  it('all of them, where the version in a header selects one of several that do not ask for the same', async () => {
    @Controller({ path: 'cats', version: '1' })
    class First {
      @Get()
      @Public()
      list() {
        return {};
      }

      @Get('same')
      @RequireScopes('cats')
      same() {
        return {};
      }
    }
    @Controller({ path: 'cats', version: '2' })
    class Second {
      @Get()
      @RequireScopes('cats')
      list() {
        return {};
      }

      @Get('same')
      @RequireScopes('cats')
      same() {
        return {};
      }
    }
    for (const controllers of [
      [First, Second],
      [Second, First],
    ]) {
      const document = await documentOf({
        controllers,
        prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
      });
      expect(security(document, '/cats')).toBe('guest | login(cats)');
      expect(statuses(document, '/cats')).toEqual(['401', '403', '503']);
      const lines = operation(document, '/cats').description?.split('\n');
      expect(lines?.[0]).toBe('What is required depends on the version or the host:');
      expect(lines).toContain('- `First.list`: no token');
      expect(lines).toContain('- `Second.list`: a token; scope `cats`');
      expect(security(document, '/cats/same')).toBe('login(cats)');
      expect(operation(document, '/cats/same').description).toBeUndefined();
    }
  });

  it('and have every scope declared, of whichever of several handlers', async () => {
    @Controller({ path: 'cats', version: '1' })
    class First {
      @Get()
      @RequireScopes('cats')
      list() {
        return {};
      }
    }
    @Controller({ path: 'cats', version: '2' })
    class Second {
      @Get()
      @RequireAnyScope('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q')
      list() {
        return {};
      }
    }
    const document = await documentOf({
      controllers: [First, Second],
      prepare: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    });
    const { flows } = document.components?.securitySchemes?.login as {
      flows: { authorizationCode: { scopes: object } };
    };
    expect(Object.keys(flows.authorizationCode.scopes).join('')).toBe('abccatsdefghijklmnopq');
  });

  it('by each of several paths and of an inherited method', async () => {
    abstract class Base {
      @Get(['one', 'two/:id'])
      get() {
        return {};
      }
    }
    @Controller('reader')
    @RequireScopes('read')
    class Reader extends Base {}
    @Controller('open')
    @Public()
    class Open extends Base {}
    const document = await documentOf({ controllers: [Reader, Open] });
    expect(security(document, '/reader/one')).toBe('login(read)');
    expect(security(document, '/reader/two/{id}')).toBe('login(read)');
    expect(security(document, '/open/two/{id}')).toBe('open');
  });
});

describe("with guard: 'manual'", () => {
  @Controller('manual')
  class ManualController {
    @Get('ours')
    @UseGuards(AuthGuard)
    @RequireScopes('read')
    ours() {
      return {};
    }

    @Get('theirs')
    @ApiBearerAuth('key')
    theirs() {
      return {};
    }

    @Get('nobodys')
    nobodys() {
      return {};
    }
  }

  it('an operation that no guard of ours is asked about stays as it was', async () => {
    const document = await documentOf({
      controllers: [ManualController],
      auth: { guard: 'manual' },
      change: (made) => {
        made.components = { ...made.components, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } };
      },
    });
    expect(security(document, '/manual/ours')).toBe('login(read)');
    expect(security(document, '/manual/theirs')).toBe('key()');
    expect(security(document, '/manual/nobodys')).toBe('open');
    expect(statuses(document, '/manual/nobodys')).toEqual([]);
  });

  it('an operation that was closed by what the whole document says stays closed', async () => {
    const document = await documentOf({
      controllers: [ManualController],
      auth: { guard: 'manual' },
      change: (made) => {
        made.components = { ...made.components, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } };
        made.security = [{ key: [] }];
      },
    });
    expect(security(document, '/manual/nobodys')).toBe('key()');
  });
});

describe('webhooks', () => {
  @Controller('hooks')
  class HooksController {
    @Post()
    @ApiWebhook('orderShipped')
    shipped(@Body() _body: object) {
      return {};
    }
  }

  it('are calls that others answer, and stay as they were', async () => {
    const document = await documentOf({ controllers: [HooksController], openapi: '3.1.0' });
    expect(document.webhooks?.orderShipped?.post?.security).toEqual([]);
    expect(document.webhooks?.orderShipped?.post?.responses).not.toHaveProperty('401');
  });
});

describe('the page of Swagger UI', () => {
  // On Express alone: Fastify serves it with a package of its own.
  it('has the login beside more options, given to the button or put to its own', async () => {
    let url = '';
    const button = { clientId: 'docs', uiUrl: () => `${url}/docs` };
    const more = { persistAuthorization: true };
    running = await startApp(
      'express',
      { imports: [AuthModule.forRoot({ ...AUTH, warmUp: 'off' })], controllers: [OrdersController] },
      {
        prepare: (app) => {
          const document = withSecurity(SwaggerModule.createDocument(app, new DocumentBuilder().build()), app, OAUTH2);
          SwaggerModule.setup('given', app, document, authorizeButton({ ...button, swaggerOptions: more }));
          SwaggerModule.setup('put', app, document, {
            swaggerOptions: { ...authorizeButton(button).swaggerOptions, ...more },
          });
        },
      },
    );
    ({ url } = running);
    for (const path of ['given', 'put']) {
      const { text } = await call(`${url}/${path}/swagger-ui-init.js`);
      expect(text).toContain('"persistAuthorization": true');
      expect(text).toContain('"usePkceWithAuthorizationCodeGrant": true');
      expect(text).toContain(`"oauth2RedirectUrl": "${url}/docs/oauth2-redirect.html"`);
    }
  });
});

describe('the demo', () => {
  const ITEM = { item: 'a lamp' };
  let issuer: LocalIssuer;
  beforeEach(async () => {
    issuer = await LocalIssuer.start();
  });
  afterEach(() => issuer.stop());

  it('takes an order with an item, and has its document say so', async () => {
    const key = newKey('p-256');
    issuer.keys = [key.jwk];
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
      const answer = await fetch(`${url}/orders`, {
        method: 'POST',
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return answer.status;
    };
    expect(await post(ITEM)).toBe(201);
    for (const body of [undefined, {}, { item: ' ' }, { item: 1 }])
      expect([body, await post(body)]).toEqual([body, 400]);
    expect(statuses(document, '/orders', 'post')).toContain('400');
  });
});

describe('withSecurity', () => {
  it('refuses an application without AuthModule', async () => {
    const { app } = await startApp('express', { controllers: [] });
    const document = { openapi: '3.0.0', info: { title: '', version: '' }, paths: {} };
    expect(() => withSecurity(document, app)).toThrow(ConfigurationError);
    expect(() => withSecurity(document, app)).toThrow(/has no AuthModule/);
  });

  it('refuses decorators that contradict each other', async () => {
    @Controller('bad')
    class Bad {
      @Get()
      @Public()
      @RequireScopes('read')
      get() {
        return {};
      }
    }
    await expect(documentOf({ controllers: [Bad] })).rejects.toThrow(/Bad\.get: is @Public\(\)/);
  });
});
