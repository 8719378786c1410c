import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Scope, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Field, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { customFetch, processResourceDiscoveryResponse, resourceDiscoveryRequest } from 'oauth4webapi';
import type { TestingModuleBuilder } from '@nestjs/testing';
import {
  AccessTokenVerifier,
  AuthMiddleware,
  AuthModule,
  type AuthOptions,
  fromCookie,
  fromFormBody,
  fromQuery,
  OptionalAuth,
  Public,
  RequireAnyScope,
  RequireAuthorizationDetails,
  RequireRoles,
  RequireScopes,
  Resource,
  type VerificationContext,
} from '../../src/index.js';
import { withSecurity } from '../../src/swagger.js';
import { bearer, call, closeApps, type Platform, PLATFORMS } from '../support/app.js';
import { problemsOf } from '../support/catching.js';
import { resolveOptions } from '../../src/options/resolve-options.js';
import { routesController } from '../support/decorated-class.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';
import { guardedGateway } from '../support/transports/gateways.js';
import { graphqlModule, mercuriusModule } from '../support/transports/graphql.js';
import { SOCKET_KINDS } from '../support/transports/sockets.js';
import { verifierOf } from '../support/verifier.js';
import { type OrdersOptions, outcomeOf, startOrders } from '../support/orders-app.js';

const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);
const API = 'https://api.example.com';
const MCP = 'https://api.example.com/mcp';
const WELL_KNOWN = '.well-known/oauth-protected-resource';

const OrdersController = routesController('OrdersController', 'orders', {
  list: [RequireScopes('orders:read')],
  write: [RequireScopes('orders:read', 'orders:write', 'offline_access')],
  any: [RequireAnyScope('orders:admin', 'orders:read')],
  trial: [RequireScopes('orders:trial', { reportOnly: true })],
  pay: [RequireAuthorizationDetails('payment')],
  staff: [RequireRoles('staff')],
  guest: [OptionalAuth(), RequireScopes('orders:guest')],
  open: [Public()],
});
const ToolsController = routesController('ToolsController', 'mcp', { call: [RequireScopes('tools:call')], '': [] });

@Controller('elsewhere')
@Resource('/mcp')
class ElsewhereController {
  @Get('tool')
  @RequireScopes('tools:elsewhere')
  tool() {
    return 'tool';
  }

  @Get('api')
  @Resource('/other')
  other() {
    return 'other';
  }
}

const controllers = [OrdersController, ToolsController, ElsewhereController];

afterEach(closeApps);

const OPTIONS: OrdersOptions = {
  audience: undefined,
  publicUrl: API,
  resource: {},
  resources: { '/mcp': { name: 'Tools' } },
};

describe.each(PLATFORMS)('On %s', (platform) => {
  const start = async (options: OrdersOptions = {}, prepare?: (app: INestApplication) => void) => {
    const app = await startOrders(issuer, { ...OPTIONS, ...options } as OrdersOptions, {
      platform,
      controllers,
      prepare,
    });
    const tokenFor = (aud: unknown, claims = {}) => bearer(issuer.token(key, 'ES256', { aud, ...claims }));
    const outcome = async (path: string, aud: unknown, claims = {}) =>
      outcomeOf(await app.ask(tokenFor(aud, claims), path));
    const challenge = async (path: string, headers = {}) => (await app.ask(headers, path)).headers['www-authenticate'];
    return { ...app, tokenFor, outcome, challenge };
  };

  it('serves the metadata of each resource, without a token, to pages of any origin, and lets clients keep them', async () => {
    const app = await start();
    const { status, headers, body } = await app.ask({}, WELL_KNOWN);
    expect([status, headers['content-type'], headers['access-control-allow-origin'], headers['cache-control']]).toEqual(
      [200, expect.stringMatching(/^application\/json/), '*', 'public, max-age=3600'],
    );
    expect(body).toEqual({
      resource: API,
      authorization_servers: [issuer.url],
      scopes_supported: ['orders:read', 'orders:write', 'orders:admin', 'orders:guest'],
      bearer_methods_supported: ['header'],
      authorization_details_types_supported: ['payment'],
    });
    expect((await app.ask({}, `${WELL_KNOWN}/mcp/?x=1`)).body).toEqual({
      resource: MCP,
      authorization_servers: [issuer.url],
      scopes_supported: ['tools:call', 'tools:elsewhere'],
      bearer_methods_supported: ['header'],
      resource_name: 'Tools',
    });
    expect((await app.ask({}, `${WELL_KNOWN}/other`)).body).toMatchObject({ resource: `${API}/other` });
    expect((await app.ask({}, `${WELL_KNOWN}/unknown`)).status).toBe(404);
  });

  it.each(['', '/mcp'])('answers the preflight of the metadata%s', async (path) => {
    const app = await start();
    const response = await fetch(`${app.url}/${WELL_KNOWN}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://page.example.com',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    const allowed = ['origin', 'methods', 'headers'].map((name) =>
      response.headers.get(`access-control-allow-${name}`),
    );
    expect([response.status, ...allowed]).toEqual([204, '*', 'GET', '*']);
  });

  it('serves them at the same address with a global prefix, versions, CORS and middleware that requires a token', async () => {
    const options = {
      resources: { '/api/v1/mcp': { identifier: MCP } },
      publicUrl: undefined,
      resource: { identifier: API },
    };
    const app = await start(
      {
        ...options,
        resources: { ...options.resources, '/mcp': { identifier: `${MCP}/2` }, '/other': { identifier: `${MCP}/3` } },
      },
      (created) => {
        created.setGlobalPrefix('api');
        created.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        created.enableCors({ origin: 'https://page.example.com' });
        created.use(created.get(AuthMiddleware).use);
      },
    );
    expect((await app.ask({}, WELL_KNOWN)).body).toMatchObject({ resource: API });
    const { body } = await app.ask({}, `${WELL_KNOWN}/mcp`);
    expect(body).toMatchObject({ resource: MCP, scopes_supported: ['tools:call'] });
    expect((await app.ask({}, 'api/v1/mcp/call')).status).toBe(401);
    expect((await app.ask({}, WELL_KNOWN)).headers['access-control-allow-origin']).toBeDefined();
  });

  it('serves them at the path of a public address behind a proxy, and never guesses it from the request', async () => {
    const app = await start({ publicUrl: 'https://www.example.com/shop/', resources: { '/mcp': {}, '/other': {} } });
    const headers = { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' };
    expect((await app.ask(headers, `${WELL_KNOWN}/shop`)).body.resource).toBe('https://www.example.com/shop/');
    expect((await app.ask(headers, WELL_KNOWN)).body.resource).toBe('https://www.example.com/shop/');
    expect((await app.ask(headers, `${WELL_KNOWN}/shop/mcp`)).body.resource).toBe('https://www.example.com/shop/mcp');
    expect((await app.ask(headers, `${WELL_KNOWN}/mcp`)).status).toBe(404);
    expect(await app.challenge('mcp/call', headers)).toContain(
      `resource_metadata="https://www.example.com/${WELL_KNOWN}/shop/mcp"`,
    );
  });

  it('rejects a token for one resource at the others', async () => {
    const app = await start();
    const scope = { scope: 'orders:read tools:call tools:elsewhere' };
    for (const [path, accepted] of [
      ['orders/list', API],
      ['mcp/call', MCP],
      ['mcp', MCP],
      ['elsewhere/tool', MCP],
      ['elsewhere/api', `${API}/other`],
    ] as const)
      for (const aud of [API, MCP, `${API}/other`])
        // Several times, because an accepted token is remembered.
        for (let turn = 0; turn < 3; turn += 1)
          expect([path, aud, await app.outcome(path, aud, scope)]).toEqual([
            path,
            aud,
            aud === accepted ? '200' : '401 AUDIENCE_MISMATCH',
          ]);
    const both = app.tokenFor([API, MCP], scope);
    for (const path of ['orders/list', 'mcp/call', 'orders/list']) expect((await app.ask(both, path)).status).toBe(200);
    expect((await app.ask(both, 'elsewhere/api')).status).toBe(401);
  });

  it('gives each resource the routes below its path, whatever their patterns are', async () => {
    const wildcard = platform === 'fastify' ? 'mcp*' : 'mcp{/*path}';
    @Controller()
    class Wildcard {
      @Get(wildcard)
      all() {
        return 'all';
      }
    }
    const app = await startOrders(issuer, OPTIONS, { platform, controllers: [Wildcard] });
    for (const path of ['mcp', 'mcp/a/b'])
      for (const [aud, status] of [
        [API, 401],
        [MCP, 200],
      ] as const) {
        const answer = await app.ask(bearer(issuer.token(key, 'ES256', { aud })), path);
        if (answer.status !== 404) expect([path, aud, answer.status]).toEqual([path, aud, status]);
      }
  });

  it('judges a call by the routes of the start, also after a Swagger document or report that was made before', async () => {
    @Controller({ path: 'mcp', scope: Scope.REQUEST })
    class PerRequest {
      @Get('call')
      @RequireScopes('tools:call')
      call() {
        return 'call';
      }
    }
    const logger = new LogRecorder();
    const prepare = (app: INestApplication) => {
      withSecurity({ openapi: '3.0.0', info: { title: 'Orders', version: '1' }, paths: {} }, app, { kind: 'bearer' });
      app.setGlobalPrefix('api');
    };
    const options = { ...OPTIONS, resources: { '/api/mcp': {} } };
    const app = await startOrders(issuer, options, { platform, controllers: [PerRequest], prepare, logger });
    for (const [aud, outcome] of [
      [API, '401 AUDIENCE_MISMATCH'],
      [`${API}/api/mcp`, '200'],
    ] as const) {
      const token = bearer(issuer.token(key, 'ES256', { aud, scope: 'tools:call' }));
      expect([aud, outcomeOf(await app.ask(token, 'api/mcp/call'))]).toEqual([aud, outcome]);
    }
    const { body } = await app.ask({}, `${WELL_KNOWN}/api/mcp`);
    expect(body.scopes_supported).toEqual(['tools:call']);
    expect(logger.lines.filter((line) => line.startsWith('warn'))).toEqual([]);

    // Without the prefix, it would have a route of each of two resources, or be below one that it is not below with the prefix.
    const Both = routesController('Both', ['mcp', 'orders'] as never, { a: [] });
    const resources = { '/mcp': {} };
    await startOrders(issuer, { ...OPTIONS, resources }, { platform, controllers: [Both], prepare, logger });
    expect(logger.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('No route is below /mcp'),
    ]);
  });

  it('passes the audience to a verifier that the application replaces', async () => {
    const own = verifierOf({ ...OPTIONS, issuer: issuer.url } as AuthOptions);
    const verify = (token: string, context?: VerificationContext) => own.verify(token, context);
    const override = (builder: TestingModuleBuilder) =>
      builder.overrideProvider(AccessTokenVerifier).useValue({ verify });
    const app = await startOrders(issuer, OPTIONS, { platform, controllers, override });
    for (const [aud, status] of [
      [API, 401],
      [MCP, 200],
    ] as const) {
      const answer = await app.ask(bearer(issuer.token(key, 'ES256', { aud, scope: 'tools:call' })), 'mcp/call');
      expect([aud, answer.status]).toEqual([aud, status]);
    }
  });

  it('checks each GraphQL field for its own resource, also while others wait', async () => {
    @ObjectType()
    class Order {
      @Field(() => String)
      readonly id: string = '1';
    }
    @Resolver(() => Order)
    class Orders {
      @Query(() => Order)
      order() {
        return new Order();
      }

      @ResolveField(() => String, { nullable: true })
      @Resource('/mcp')
      secret() {
        return 'secret';
      }

      @Query(() => String, { nullable: true })
      @Resource('/mcp')
      admin() {
        return 'admin';
      }
    }
    const graphql = platform === 'express' ? graphqlModule() : mercuriusModule();
    const validate = () => new Promise<boolean>((resolve) => setImmediate(resolve, true));
    const app = await startOrders(
      issuer,
      { ...OPTIONS, validate },
      {
        platform,
        controllers,
        imports: [graphql],
        providers: [Orders],
      },
    );
    const ask = async (query: string, aud: unknown) => {
      const headers = { ...bearer(issuer.token(key, 'ES256', { aud })), 'content-type': 'application/json' };
      return (await call(`${app.url}/graphql`, headers, 'POST', JSON.stringify({ query }))).text;
    };
    for (const query of ['{ order { secret } }', '{ order { secret } admin }', '{ admin order { secret } }'])
      expect(await ask(query, API)).not.toContain('"secret":"secret"');
    expect(await ask('{ order { secret } admin }', [API, MCP])).toContain('"secret":"secret"');
  });

  it('compares an audience that is not the identifier, and rejects tokens that also name others', async () => {
    const app = await start({ resources: { '/mcp': { audience: ['client-1', 'tools'], exclusiveAudience: true } } });
    const scope = { scope: 'tools:call' };
    expect(await app.outcome('mcp/call', 'client-1', scope)).toBe('200');
    expect(await app.outcome('mcp/call', ['client-1', 'tools'], scope)).toBe('200');
    expect(await app.outcome('mcp/call', MCP, scope)).toBe('401 AUDIENCE_MISMATCH');
    expect(await app.outcome('mcp/call', ['client-1', API], scope)).toBe('401 AUDIENCE_MISMATCH');
    expect(await app.outcome('orders/staff', [API, 'client-1'], { roles: ['staff'] })).toBe('200');
    const { body } = await app.ask({}, `${WELL_KNOWN}/mcp`);
    expect(body.resource).toBe(MCP);
  });

  it('names the metadata in each challenge, and all scopes of the handler in that of a first request', async () => {
    const app = await start();
    const metadata = `resource_metadata="${API}/${WELL_KNOWN}"`;
    const scope = 'scope="orders:read orders:write"';
    expect(await app.challenge('orders/write')).toBe(`Bearer ${scope}, ${metadata}`);
    const expired = app.tokenFor(API, { exp: 1_000 });
    const error = (code: string, description: string) => `error="${code}", error_description="${description}"`;
    expect(await app.challenge('orders/write', expired)).toBe(
      `Bearer ${error('invalid_token', 'The access token expired')}, ${scope}, ${metadata}`,
    );
    const insufficient = error('insufficient_scope', 'The access token lacks a required scope');
    expect(await app.challenge('orders/write', app.tokenFor(API, { scope: 'orders:write' }))).toBe(
      `Bearer ${insufficient}, ${scope}, ${metadata}`,
    );
    expect(await app.challenge('orders/any')).toBe(`Bearer scope="orders:admin orders:read", ${metadata}`);
    expect(await app.challenge('orders/staff')).toBe(`Bearer ${metadata}`);
    expect(await app.challenge('orders/staff', app.tokenFor(API))).toBe(
      `Bearer ${error('insufficient_scope', 'A required role is missing')}, ${metadata}`,
    );
    expect(await app.challenge('mcp/call')).toBe(
      `Bearer scope="tools:call", resource_metadata="${API}/${WELL_KNOWN}/mcp"`,
    );
  });

  it('publishes what other options say: scopes that include others, places of the token, and other servers', async () => {
    const app = await start({
      scopeImplications: { 'orders:all': ['orders:read', 'orders:write'], unrelated: ['other'] },
      tokenFrom: [fromQuery(), fromFormBody(), fromCookie('token'), () => undefined],
      resource: {
        name: 'Orders',
        documentation: 'https://docs.example.com/',
        policyUri: 'https://example.com/policy',
        tosUri: 'https://example.com/terms',
        scopes: ['profile', 'offline_access', 'orders:read'],
        authorizationServers: ['https://login.example.com'],
      },
    });
    expect((await app.ask({}, WELL_KNOWN)).body).toEqual({
      resource: API,
      authorization_servers: ['https://login.example.com'],
      scopes_supported: ['orders:read', 'orders:write', 'orders:admin', 'orders:guest', 'profile', 'orders:all'],
      bearer_methods_supported: ['query', 'body'],
      authorization_details_types_supported: ['payment'],
      resource_name: 'Orders',
      resource_documentation: 'https://docs.example.com/',
      resource_policy_uri: 'https://example.com/policy',
      resource_tos_uri: 'https://example.com/terms',
    });
    expect(await app.outcome('orders/list', API, { scope: 'orders:all' })).toBe('401 TOKEN_MISSING');
  });

  it('publishes a signature of the application, or answers 503 if it fails', async () => {
    let calls = 0;
    const jwt = issuer.token(key, 'ES256', { iss: API });
    let signature: () => string = () => jwt;
    const signedMetadata = (metadata: object) => {
      calls += 1;
      expect(metadata).toMatchObject({ resource: API });
      return signature();
    };
    const app = await start({ resource: { signedMetadata } });
    for (let turn = 0; turn < 2; turn += 1)
      expect((await app.ask({}, WELL_KNOWN)).body).toMatchObject({ resource: API, signed_metadata: jwt });
    expect(calls).toBe(1);
    await app.close();
    for (const fault of ['no JWT', issuer.token(key, 'ES256', { iss: undefined })]) {
      signature = () => fault;
      const failing = await start({ resource: { signedMetadata } });
      expect((await failing.ask({}, WELL_KNOWN)).status).toBe(503);
      signature = () => jwt;
      expect((await failing.ask({}, WELL_KNOWN)).status).toBe(200);
    }
  });
});

const DEPLOYMENTS = ['', 'api'].flatMap((prefix) =>
  [false, true].flatMap((isVersioned) => ['', '/shop'].map((base) => [prefix, isVersioned, base] as const)),
);

describe.each(PLATFORMS)('A client of RFC 9728 (oauth4webapi) on %s', (platform) => {
  it.each(DEPLOYMENTS)(
    'accepts the metadata of two resources: prefix "%s", versions %s, behind a proxy at "%s"',
    async (prefix, isVersioned, base) => {
      const path = ['', ...(prefix === '' ? [] : [prefix]), ...(isVersioned ? ['v1'] : []), 'mcp'].join('/');
      const publicUrl = `https://www.example.com${base}`;
      const options = { ...OPTIONS, publicUrl, resources: { [path]: {} } };
      const app = await startOrders(issuer, options, {
        platform,
        controllers: [ToolsController],
        prepare: (created) => {
          if (prefix !== '') created.setGlobalPrefix(prefix);
          if (isVersioned) created.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
        },
      });
      // The proxy removes its own path, except from well-known addresses.
      const viaProxy = (address: string) =>
        fetch(address.replace(publicUrl, app.url).replace('https://www.example.com', app.url));
      for (const [identifier, scopes] of [
        [publicUrl, undefined],
        [publicUrl + path, ['tools:call']],
      ] as const) {
        const url = new URL(identifier);
        const response = await resourceDiscoveryRequest(url, { [customFetch]: viaProxy });
        const metadata = await processResourceDiscoveryResponse(new URL(identifier), response);
        expect(metadata).toEqual({
          resource: identifier,
          authorization_servers: [issuer.url],
          scopes_supported: scopes,
          bearer_methods_supported: ['header'],
        });
      }
      const { headers } = await app.ask({}, `${path.slice(1)}/call`);
      expect(headers['www-authenticate']).toContain(
        `resource_metadata="https://www.example.com/${WELL_KNOWN}${base}${path}"`,
      );
    },
  );
});

it.each(PLATFORMS)(
  'An application of NestFactory on %s serves the metadata before its own catch-all route',
  async (platform: Platform) => {
    @Controller()
    class CatchAll {
      @Get(platform === 'fastify' ? '*' : '*path')
      all() {
        return 'page';
      }
    }
    class CatchAllModule extends Object {}
    const options = { issuer: issuer.url, resource: { identifier: API } };
    const module = { module: CatchAllModule, imports: [AuthModule.forRoot(options)], controllers: [CatchAll] };
    const adapter = platform === 'fastify' ? [new FastifyAdapter()] : [];
    const app = await NestFactory.create(module, ...(adapter as []), { logger: false });
    await app.listen(0, '127.0.0.1');
    expect((await call(`${await app.getUrl()}/${WELL_KNOWN}`, {})).body).toMatchObject({ resource: API });
    await app.close();
  },
);

describe('The options of resources', () => {
  const base = { issuer: 'https://issuer.example.com' };
  it.each<[object, string, string]>([
    [{ resource: {} }, 'resource.identifier', 'has no identifier'],
    [{ resource: { identifier: 'http://api.example.com' } }, 'resource.identifier', 'Set it to an https address'],
    [{ resource: { identifier: `${API}/#a` } }, 'resource.identifier', 'Set it to an https address'],
    [{ resource: { identifier: `${API}/?a` } }, 'resource.identifier', 'Set it to an https address'],
    [{ resource: { identifier: `${API}/a%20b` } }, 'resource.identifier', 'Set it to an https address'],
    [{ resource: { identifier: API, audience: 'a' } }, 'resource.audience', 'is unknown'],
    [{ resource: { identifier: API, docs: 'a' } }, 'resource.docs', 'is unknown'],
    [{ resource: { identifier: API, scopes: ['a b'] } }, 'resource.scopes', 'RFC 6749'],
    [{ resource: { identifier: API, documentation: 'docs' } }, 'resource.documentation', 'Set it to an https address'],
    [{ publicUrl: 'api.example.com', resource: {} }, 'publicUrl', 'Set it to an https address'],
    [{ publicUrl: API, audience: 'a', resources: { mcp: {} } }, 'resources."mcp"', 'is not a path'],
    [{ publicUrl: API, audience: 'a', resources: { '/mcp/': {} } }, 'resources."/mcp/"', 'is not a path'],
    [{ audience: 'a', resources: { '/mcp': {} } }, 'resources./mcp', 'has no identifier'],
    [
      { audience: 'a', resources: { '/mcp': { identifier: API }, '/b': { identifier: `${API}/` } } },
      'resources',
      'host or case',
    ],
    [{ publicUrl: API, resources: { '/mcp': {} } }, 'audience', 'is missing'],
  ])('%j are reported at %s: %s', (options, path, message) => {
    const problems = problemsOf(() => resolveOptions({ ...base, ...options } as AuthOptions));
    expect(problems).toContainEqual({ path, message: expect.stringContaining(message) });
  });

  it('may be http on loopback, for development', () => {
    const options = { ...base, resource: { identifier: 'http://localhost:3000' } };
    expect(resolveOptions(options).issuers).toMatchObject([{ audience: ['http://localhost:3000'] }]);
  });

  it('are warned of if `issuers` is a function and no authorization server is named', async () => {
    const issuers = () => Promise.resolve(undefined);
    const warnings = async (resource: object) => {
      const logger = new LogRecorder();
      const options = { ...OPTIONS, issuer: undefined, issuers, resource, resources: {} };
      await startOrders(issuer, options as OrdersOptions, { controllers: [OrdersController], logger });
      return logger.lines.filter((line) => line.includes('authorization server'));
    };
    expect(await warnings({})).toEqual([
      expect.stringContaining(`The metadata of ${API} names no authorization server`),
    ]);
    expect(await warnings({ authorizationServers: [issuer.url] })).toEqual([]);
  });

  it.each(['mcp', '/mcp/', '', 7])('refuse @Resource(%j), which is no path', (path) => {
    expect(problemsOf(() => Resource(path as string))).toMatchObject([
      { message: expect.stringContaining('not a path') },
    ]);
  });

  it('refuse a path of @Resource() whose identifier is unknown, and a handler with routes of several resources', async () => {
    const problems = (options: OrdersOptions, controller: new () => object) =>
      startOrders(issuer, options, { controllers: [controller] }).catch(
        (error: unknown) => (error as { problems: unknown }).problems,
      );
    expect(await problems({}, ElsewhereController)).toContainEqual({
      path: 'ElsewhereController.tool',
      message: expect.stringContaining('which is not in `resources`'),
    });
    const Both = routesController('Both', ['mcp', 'orders'] as never, { a: [] });
    expect(await problems({ publicUrl: API, resources: { '/mcp': {} } }, Both)).toEqual([
      { path: 'Both.a', message: expect.stringContaining('routes of several resources') },
    ]);
  });
});

describe.each(SOCKET_KINDS)('A gateway on $name', (kind) => {
  it('of a resource admits only tokens for that resource, also later ones', async () => {
    const sockets = await kind.start(issuer, { ...OPTIONS, clock: Date.now }, (place) => [
      guardedGateway(place('guarded'), Resource('/mcp')),
    ]);
    const token = (aud: string) => issuer.token(key, 'ES256', { aud, sub: 'alice' });
    const refused = sockets.open('guarded', token(API));
    expect(await refused.ask('closed')).toBe('AUDIENCE_MISMATCH');
    const admitted = sockets.open('guarded', token(MCP));
    expect(await admitted.ask('closed')).toBe('ok alice');
    expect(await admitted.authenticate(token(API))).toMatchObject({ code: 'AUDIENCE_MISMATCH' });
    expect(await admitted.authenticate(token(MCP))).toMatchObject({ expiresAt: expect.any(Number) });
  });
});
