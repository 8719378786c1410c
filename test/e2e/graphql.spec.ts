import 'reflect-metadata';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { type ApolloDriverConfig, ApolloFederationDriver } from '@nestjs/apollo';
import { type INestApplication, Logger, type Type, UseGuards } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import {
  Directive,
  Field,
  type GqlModuleOptions,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  ResolveReference,
  Resolver,
} from '@nestjs/graphql';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { GraphQLInterfaceType, GraphQLString } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  AccessToken,
  AuthEvents,
  AuthGuard,
  authHook,
  AuthMiddleware,
  type AuthOptions,
  CurrentUser,
  fromCookie,
  openRoutes,
  OptionalAuth,
  Public,
  RequireAcr,
  RequirePolicy,
  RequireScopes,
  routeReport,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { bearer, closeApps, hasNest, type Platform, PLATFORMS, startApp } from '../support/app.js';
import { Clock } from '../support/guarded-app.js';
import { until } from '../support/until.js';
import { holdTime, pass } from '../support/held-time.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import {
  graphqlModule,
  graphqlQueryDriver,
  graphqlSubscriptionDriver,
  mercuriusSubscriptionDriver,
  type Opening,
  yogaSubscriptionDriver,
} from '../support/transports/graphql.js';
import { authModule, decorateMethod, greeting, watchedBy } from '../support/transports/handlers.js';

@ObjectType()
class Order {
  @Field()
  id!: string;

  @Field()
  note!: string;

  @Field()
  counted!: string;
}

@Resolver(() => Order)
class OrdersResolver {
  @Query(() => [Order])
  orders() {
    return ['1', '2', '3'].map((id) => ({ id }));
  }

  @Public()
  @Query(() => Order)
  sample() {
    return { id: '0' };
  }

  @OptionalAuth()
  @Query(() => Order)
  maybe() {
    return { id: '0' };
  }

  @Query(() => String)
  issuer(@AccessToken() token: VerifiedAccessToken) {
    return token.issuer;
  }

  @Query(() => String)
  async slow(@CurrentUser('sub') sub?: string) {
    await new Promise<void>((resolve) => {
      finish = resolve;
      waiting += 1;
    });
    return greeting(sub);
  }

  @Mutation(() => String)
  @RequireScopes('write')
  create(@CurrentUser('sub') sub?: string) {
    return greeting(sub);
  }

  @Query(() => String)
  @RequireAcr('urn:example:mfa')
  secret() {
    return 'secret';
  }

  @ResolveField(() => String)
  @UseGuards(AuthGuard)
  @RequirePolicy(async () => {
    await Promise.resolve();
    policyCalls += 1;
    return true;
  })
  async counted() {
    return await Promise.resolve('counted');
  }

  @ResolveField(() => String)
  @RequireScopes('read:notes')
  note(@Parent() order: Order, @CurrentUser('sub') sub?: string) {
    return `${order.id} of ${String(sub)}`;
  }
}

@ObjectType()
@Directive('@key(fields: "id")')
class User {
  @Field()
  id!: string;

  @Field()
  email!: string;
}

/** A resolver of a subgraph. @param decorators of its reference. */
function usersResolver(...decorators: MethodDecorator[]): Type {
  @Resolver(() => User)
  class UsersResolver {
    @Query(() => User)
    me(@CurrentUser('sub') id: string) {
      return { id };
    }

    @ResolveReference()
    find(@Parent() { id }: User, @CurrentUser('sub') sub?: string) {
      return { id, email: `${id} for ${String(sub)}` };
    }

    @ResolveField(() => String)
    orders() {
      return 'all';
    }
  }
  for (const decorator of decorators) decorateMethod(UsersResolver, 'find', decorator);
  return UsersResolver;
}

let waiting = 0;
let finish: () => void = () => undefined;
let policyCalls = 0;

const { issuer, tokenOf, TOKENS } = issuerWithTokens();

let isShared = false;

afterEach(async () => {
  if (!isShared) await closeApps();
});

/** Starts an application for all tests of the `describe` that calls this. */
function shared<App>(start: () => Promise<App>): () => App {
  let app: App;
  beforeAll(async () => {
    app = await start();
    isShared = true;
  });
  afterAll(async () => {
    isShared = false;
    await closeApps();
  });
  return () => app;
}

interface GraphqlResult {
  readonly data: Record<string, unknown> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path: readonly unknown[];
    readonly extensions: Record<string, unknown>;
  }[];
}

async function start(
  options: Partial<AuthOptions> = {},
  graphql: Partial<ApolloDriverConfig> = {},
  {
    platform = 'express',
    providers = [OrdersResolver],
    ...rest
  }: { platform?: Platform; providers?: Type[] } & Parameters<typeof startApp>[2] = {},
) {
  const imports = [authModule(issuer, new Clock(), options), graphqlModule(graphql)];
  const { app, url } = await startApp(platform, { imports, providers }, rest);
  const post = async (body: unknown, token?: string): Promise<unknown> => {
    const headers = { 'content-type': 'application/json', ...(token !== undefined && bearer(token)) };
    const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.json();
  };
  const query = async (text: string, token?: string) => (await post({ query: text }, token)) as GraphqlResult;
  return {
    app,
    query,
    /** Resolves to the code of the first error, or to the data. */
    result: async (text: string, token?: string) => {
      const { data, errors } = await query(text, token);
      return errors?.[0]?.extensions.code ?? data;
    },
    batch: (queries: readonly string[], token?: string) =>
      post(
        queries.map((text) => ({ query: text })),
        token,
      ),
  };
}

/** The documentation states these facts. If one fails because Nest or Apollo closes more now, change docs/guides/graphql.md. */
describe('Introspection without a token', () => {
  const QUERY = '{ __schema { queryType { name } } }';
  const ANSWER = { __schema: { queryType: { name: 'Query' } } };

  it.each(PLATFORMS)('is answered by default, and over HTTP not with `introspection: false` (%s)', async (platform) => {
    expect(await (await start({}, {}, { platform })).result(QUERY)).toEqual(ANSWER);
    const { result } = await start({}, { introspection: false }, { platform });
    expect(await result(QUERY)).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('is answered over a socket also with `introspection: false`', async () => {
    const { app } = await start({}, { introspection: false });
    const client = createClient({
      url: `${(await app.getUrl()).replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
    });
    expect((await client.iterate({ query: QUERY }).next()).value).toEqual({ data: ANSWER });
    await client.dispose();
  });

  it.each(PLATFORMS)('is refused if AuthMiddleware guards the endpoint (%s)', async (platform) => {
    const prepare = (app: INestApplication) => {
      if (platform === 'express') app.use('/graphql', app.get(AuthMiddleware).use);
      else
        (app as NestFastifyApplication).getHttpAdapter().getInstance().addHook('onRequest', authHook(app, '/graphql'));
    };
    const { app, result } = await start({}, {}, { platform, prepare });
    const url = `${await app.getUrl()}/graphql`;
    for (const path of [`?query=${encodeURIComponent(QUERY)}`, '']) {
      const body = path === '' ? { method: 'POST', body: JSON.stringify({ query: QUERY }) } : {};
      const response = await fetch(url + path, { ...body, headers: { 'content-type': 'application/json' } });
      expect([response.status, await response.json()]).toEqual([
        401,
        expect.objectContaining({ code: 'TOKEN_MISSING' }),
      ]);
    }
    expect(await result(QUERY, TOKENS.good())).toEqual(ANSWER);
  });
});

describe('A refused GraphQL operation', () => {
  it.each<[string, string, Record<string, unknown>, Partial<AuthOptions>, Record<string, unknown>]>([
    [
      'the code, the status and the challenge of an HTTP refusal',
      'mutation { create }',
      { scope: 'read' },
      {},
      {
        code: 'SCOPE_INSUFFICIENT',
        statusCode: 403,
        challenge:
          'Bearer error="insufficient_scope", error_description="The access token lacks a required scope", scope="write"',
      },
    ],
    [
      'the authentication that the client has to step up to',
      '{ secret }',
      {},
      {},
      {
        code: 'AUTHENTICATION_INSUFFICIENT',
        challenge: expect.stringContaining('acr_values="urn:example:mfa"'),
      },
    ],
    [
      'a retry time in seconds while the keys are unavailable',
      '{ issuer }',
      {},
      { keys: { from: 'jwks', uri: 'http://127.0.0.1:9/nowhere' } },
      { code: 'KEYS_UNAVAILABLE', statusCode: 503, retryAfterSeconds: expect.any(Number) },
    ],
  ])('has %s', async (_what, text, claims, options, extensions) => {
    const { query } = await start(options);
    const { data, errors } = await query(text, tokenOf(claims));
    expect(data).toBeNull();
    expect(errors?.[0]).toMatchObject({ message: expect.stringMatching(/./), extensions });
  });

  it('logs no error', async () => {
    const logged: unknown[] = [];
    const logger = { log: () => undefined, warn: () => undefined, error: (...parts: unknown[]) => logged.push(parts) };
    const { query } = await start({}, {}, { logger });
    await query('{ issuer }');
    await query('mutation { create }', tokenOf());
    expect(logged).toEqual([]);
  });

  it.each([false, true])('is refused if the context has no request; explainRefusals: %s', async (explainRefusals) => {
    const { result } = await start({ explainRefusals }, { context: () => ({ req: { method: 'POST' } }) });
    expect(await result('{ issuer }', tokenOf())).toBe('TOKEN_MISSING');
  });
});

describe('A GraphQL operation', () => {
  it('has the same caller in queries, mutations and fields', async () => {
    const { result } = await start();
    const token = tokenOf({ scope: 'write read:notes' });
    expect(await result('mutation { create }', token)).toEqual({ create: 'ok alice' });
    expect(await result('{ issuer sample { note } }', token)).toEqual({
      issuer: issuer.url,
      sample: { note: '0 of alice' },
    });
  });

  it.each<[string, string, string, (string | number)[], string]>([
    ['a caller who lacks its scope', 'good', 'orders', ['orders', 0, 'note'], 'SCOPE_INSUFFICIENT'],
    ['a guest, below a public query', 'none', 'sample', ['sample', 'note'], 'TOKEN_MISSING'],
    ['a guest, below a query that admits guests', 'none', 'maybe', ['maybe', 'note'], 'TOKEN_MISSING'],
  ])('refuses a protected field to %s, and returns the others', async (_who, token, name, path, code) => {
    const { query } = await start();
    const sent = TOKENS[token as keyof typeof TOKENS]();
    expect((await query(`{ ${name} { id } }`, sent)).errors).toBeUndefined();
    const { errors } = await query(`{ ${name} { id note } }`, sent);
    expect(errors?.map((error) => [error.path, error.extensions.code])).toEqual([[path, code]]);
  });

  it('calls `user` once for all fields, and has one policy check and one event for each, whatever guards a field has', async () => {
    let userCalls = 0;
    const { app, result } = await start({
      user: ({ claims }) => {
        userCalls += 1;
        return claims;
      },
    });
    const events: string[] = [];
    app.get(AuthEvents).subscribe(({ handler, durationMs }) => {
      expect(durationMs).toBeLessThan(1_000);
      events.push(handler);
    });
    policyCalls = 0;
    expect(await result('{ orders { counted } }', tokenOf())).toEqual({
      orders: ['1', '2', '3'].map(() => ({ counted: 'counted' })),
    });
    expect([userCalls, policyCalls]).toEqual([1, 3]);
    expect(events).toEqual(['OrdersResolver.orders', ...['1', '2', '3'].map(() => 'OrdersResolver.counted')]);
  });

  it.each(PLATFORMS)('shares the request of its batch (%s)', async (platform) => {
    const { batch } = await start({}, { allowBatchedHttpRequests: true }, { platform });
    const token = tokenOf({ scope: 'write' });
    expect(await batch(['{ issuer }', '{ issuer }', 'mutation { create }'], token)).toEqual([
      { data: { issuer: issuer.url } },
      { data: { issuer: issuer.url } },
      { data: { create: 'ok alice' } },
    ]);
  });

  it('is authenticated for the resolver of a type, which has no arguments of a field', async () => {
    const { app } = await start();
    const resolver = app.get(OrdersResolver);
    // As @nestjs/graphql creates it for `@ResolveField('__resolveType')`, which needs a schema file.
    const enhancers = { guards: true, filters: false, interceptors: false };
    const resolveType = app.get(ExternalContextCreator).create(
      resolver,
      Reflect.get(resolver, 'issuer') as never,
      // Some versions of Nest keep the parameters of a query under its name.
      'resolveType',
      '',
      undefined,
      undefined,
      undefined,
      enhancers,
      'graphql',
    );
    const type = new GraphQLInterfaceType({ name: 'Order', fields: { id: { type: GraphQLString } } });
    const resolve = (headers: object) =>
      resolveType({ issuer: 'found' }, { req: { method: 'POST', headers } }, {}, type);
    expect(await resolve(bearer(tokenOf()))).toBe('found');
    await expect(resolve({})).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });
});

// Earlier versions of @nestjs/graphql create no schema with the installed version of @apollo/subgraph.
const describeSubgraph = hasNest('14.0.3', '@nestjs/graphql') ? describe : describe.skip;

describeSubgraph.each(PLATFORMS)('A federated subgraph (%s)', (platform) => {
  const reference = (fields: string) =>
    `{ _entities(representations: [{ __typename: "User", id: "1" }, { __typename: "User", id: "2" }]) { ... on User { ${fields} } } }`;
  const startSubgraph = (fieldResolverEnhancers: ApolloDriverConfig['fieldResolverEnhancers'], resolver: Type) => {
    // It would log a line.
    const plugins = [ApolloServerPluginInlineTraceDisabled()];
    const autoSchemaFile = { federation: 2 } as const;
    const graphql = { driver: ApolloFederationDriver, autoSchemaFile, fieldResolverEnhancers, plugins };
    return start({}, graphql, { platform, providers: [resolver] });
  };

  it('resolves references only with a valid token that has the scopes of the resolver', async () => {
    const { app, result } = await startSubgraph(['guards'], usersResolver(RequireScopes('read:users')));
    const emails = reference('id email');
    expect(await result(emails)).toBe('TOKEN_MISSING');
    expect(await result(emails, TOKENS.forged())).toBe('SIGNATURE_INVALID');
    expect(await result(emails, tokenOf())).toBe('SCOPE_INSUFFICIENT');
    expect(await result(emails, tokenOf({ scope: 'read:users' }))).toEqual({
      _entities: ['1', '2'].map((id) => ({ id, email: `${id} for alice` })),
    });
    expect([openRoutes(app), routeReport(app).warnings]).toEqual([[], []]);
  });

  it('resolves public references for anyone, and guards the fields of their types', async () => {
    const { app, query } = await startSubgraph(['guards'], usersResolver(Public()));
    expect((await query(reference('id'))).errors).toBeUndefined();
    expect((await query(reference('orders'))).errors).toMatchObject(
      [0, 1].map((index) => ({ path: ['_entities', index, 'orders'], extensions: { code: 'TOKEN_MISSING' } })),
    );
    expect(openRoutes(app)).toEqual(['reference User']);
  });

  it('reports references and fields that `_entities` returns to anyone without fieldResolverEnhancers', async () => {
    const { app, result } = await startSubgraph([], usersResolver());
    expect(await result(reference('email orders'))).toEqual({
      _entities: ['1', '2'].map((id) => ({ email: `${id} for undefined`, orders: 'all' })),
    });
    expect(openRoutes(app)).toEqual(['field User.orders', 'reference User']);
    expect(routeReport(app).warnings).toEqual([
      "No AuthGuard protects UsersResolver.find (reference User): give GraphQLModule fieldResolverEnhancers: ['guards'].",
      "No AuthGuard protects UsersResolver.orders (field User.orders): give GraphQLModule fieldResolverEnhancers: ['guards'].",
    ]);
  });

  it('does not start if a reference has requirements that no guard checks', async () => {
    await expect(startSubgraph([], usersResolver(RequireScopes('read:users')))).rejects.toThrow(
      "UsersResolver.find: has requirements, but no AuthGuard that checks them: give GraphQLModule fieldResolverEnhancers: ['guards']",
    );
  });
});

describe('A GraphQL context that the application reuses', () => {
  it('has the caller of the last request if the application replaces the request in it', async () => {
    const shared: Record<string, unknown> = {};
    const context = ({ req }: { req: unknown }) => Object.assign(shared, { req });
    const { result } = await start({}, { context });
    const [alice, bob] = [tokenOf({ scope: 'write' }), TOKENS.bob()];
    for (const [token, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
      [alice, 'alice'],
    ] as const)
      expect(await result('mutation { create }', token)).toEqual({ create: `ok ${name}` });
    expect(await result('mutation { create }')).toBe('TOKEN_MISSING');
  });

  const keepsFirst = (isCopied = false) => {
    let first: unknown;
    return (given: { req?: { headers: unknown }; headers?: unknown }) => {
      // Fastify passes the request itself, Express an object with request and response.
      const request = given.req ?? given;
      return { req: (first ??= isCopied ? { headers: request.headers } : request) };
    };
  };

  describe.each(PLATFORMS)('and that keeps the request of an earlier operation (%s)', (platform) => {
    it.each<[string, string, boolean]>([
      ['a public operation', '{ sample { id } }', false],
      ['an answered operation', '{ issuer }', false],
      ['an answered operation for which no guard was called', '{ __typename }', false],
      ['an answered operation for which no guard was called, as a copy', '{ __typename }', true],
    ])('is refused after %s', async (_what, first, isCopied) => {
      const { query, result } = await start({}, { context: keepsFirst(isCopied) }, { platform });
      expect((await query(first, tokenOf())).errors).toBeUndefined();
      expect(await result('{ issuer }')).toBe('TOKEN_MISSING');
    });

    it('is refused while that operation is still in progress', async () => {
      const { result } = await start({}, { context: keepsFirst() }, { platform });
      const before = waiting;
      const alice = result('{ slow }', tokenOf());
      await until(() => waiting > before);
      expect(await result('{ issuer }')).toBe('TOKEN_MISSING');
      finish();
      expect(await alice).toEqual({ slow: 'ok alice' });
    });
  });

  it('is copied for each operation if it is an object; before @nestjs/graphql 14 the application does not start', async () => {
    const starting = start({}, { context: { tenant: 'acme' } });
    if (!hasNest('14.0.0', '@nestjs/graphql')) {
      await expect(starting).rejects.toThrow('GraphQLModule.context: is one object for all requests');
      return;
    }
    const { result } = await starting;
    expect(await result('{ issuer }', tokenOf())).toEqual({ issuer: issuer.url });
    expect(await result('{ issuer }')).toBe('TOKEN_MISSING');
    // Before, Nest keeps the first request in the object, so that the guard refuses every later operation.
    const isCopied = hasNest('14.0.3', '@nestjs/apollo');
    expect(await result('{ issuer }', tokenOf())).toEqual(isCopied ? { issuer: issuer.url } : 'TOKEN_MISSING');
  });
});

describe('A GraphQL query whose headers claim that it opens a socket', () => {
  // Node states in `upgrade` whether it passed on a request to open a socket; a copy of the request does not.
  it.each([
    ['POST', 'websocket', 'keep-alive', false],
    ['GET', 'websocket', 'keep-alive', false],
    ['GET', 'websocket', 'keep-upgraded', false],
    ['GET', 'no-websocket', 'Upgrade', false],
    ['POST', 'h2c', 'Upgrade', false],
    ['POST', 'websocket', 'Upgrade', false],
    ['GET', 'websocket', 'Upgrade', true],
  ])('is not watched: %s with `Upgrade: %s` and `Connection: %s`', async (method, upgrade, connection, isOriginal) => {
    const context = ({ req }: { req: IncomingMessage }) => {
      const headers = { ...req.headers, upgrade, connection };
      return {
        req: isOriginal ? Object.assign(req, { headers }) : { method: req.method, headers, socket: req.socket },
      };
    };
    const { app, url } = await graphqlQueryDriver('express').start(issuer, {}, { context });
    // Leaves the connection open. A watch of it would end with it.
    const agent = new Agent({ keepAlive: true });
    const status = await new Promise((resolve, reject) => {
      const path = method === 'GET' ? `${url}/graphql?query={closed}` : `${url}/graphql`;
      const headers = { ...bearer(tokenOf()), 'content-type': 'application/json' };
      const request = httpRequest(path, { method, headers, agent }, (response) => {
        response.resume().on('end', () => {
          resolve(response.statusCode);
        });
      });
      request.on('error', reject).end(method === 'POST' ? JSON.stringify({ query: '{ closed }' }) : undefined);
    });
    expect([status, watchedBy(app)]).toEqual([200, 0]);
    agent.destroy();
  });
});

describe('The token of a subscription (graphql-ws)', () => {
  const app = shared(() => graphqlSubscriptionDriver.start(issuer));
  const authorization = () => `Bearer ${TOKENS.good()}`;

  it.each<[string, () => Opening, string]>([
    [
      'in `Authorization` of connectionParams',
      () => ({ connectionParams: { Authorization: authorization() } }),
      'ok alice',
    ],
    [
      'beside another member of connectionParams',
      () => ({ connectionParams: { authorization: authorization(), locale: 'en' } }),
      'ok alice',
    ],
    ['in the header of the upgrade', () => ({ headers: { authorization: authorization() } }), 'ok alice'],
    ['that is null in connectionParams', () => ({ connectionParams: { authorization: null } }), 'TOKEN_MISSING'],
    [
      'in the header, beside null in connectionParams',
      () => ({ connectionParams: { authorization: null }, headers: { authorization: authorization() } }),
      'ok alice',
    ],
    [
      'in `headers` of connectionParams',
      () => ({ connectionParams: { headers: { Authorization: authorization() } } }),
      'ok alice',
    ],
    [
      'that is not a string',
      () => ({ connectionParams: { authorization: { token: TOKENS.good() } } }),
      'TOKEN_MALFORMED',
    ],
    ['of another scheme', () => ({ connectionParams: { authorization: 'Basic YTpi' } }), 'SCHEME_UNSUPPORTED'],
    [
      'that is sent twice',
      () => ({ connectionParams: { authorization: authorization() }, headers: { authorization: authorization() } }),
      'TOKEN_MULTIPLE',
    ],
  ])('%s', async (_where, opening, result) => {
    expect(await app().callWith('closed', opening())).toBe(result);
  });
});

describe('The token of a subscription (Mercurius)', () => {
  const app = shared(() => mercuriusSubscriptionDriver.start(issuer));
  const authorization = () => `Bearer ${TOKENS.good()}`;

  it.each<[string, () => Opening, string]>([
    [
      'in `Authorization` of connectionParams',
      () => ({ connectionParams: { Authorization: authorization() } }),
      'ok alice',
    ],
    [
      'in `headers` of connectionParams',
      () => ({ connectionParams: { headers: { AUTHORIZATION: authorization() } } }),
      'ok alice',
    ],
    ['in the header of the upgrade', () => ({ headers: { authorization: authorization() } }), 'ok alice'],
    ['that is not a string', () => ({ connectionParams: { headers: { authorization: 1 } } }), 'TOKEN_MALFORMED'],
    [
      'that is sent twice in connectionParams',
      () => ({ connectionParams: { authorization: authorization(), headers: { authorization: authorization() } } }),
      'TOKEN_MULTIPLE',
    ],
    [
      'that is in the header as well',
      () => ({ connectionParams: { authorization: authorization() }, headers: { authorization: authorization() } }),
      'TOKEN_MULTIPLE',
    ],
  ])('%s', async (_where, opening, result) => {
    expect(await app().callWith('closed', opening())).toBe(result);
  });

  it('is not read from a cookie that the page of another site caused to be sent (ORIGIN_UNTRUSTED)', async () => {
    const { url, callWith } = await mercuriusSubscriptionDriver.start(issuer, { tokenFrom: [fromCookie('token')] });
    const cookie = `token=${TOKENS.good()}`;
    expect(await callWith('closed', { headers: { cookie, origin: new URL(url).origin } })).toBe('ok alice');
    // Mercurius copies them to the headers of the upgrade.
    const connectionParams = { 'sec-fetch-site': 'same-origin' };
    const other = { connectionParams, headers: { cookie, origin: 'https://other.example.com' } };
    expect(await callWith('closed', other)).toBe('ORIGIN_UNTRUSTED');
  });
});

describe('A socket of graphql-ws', () => {
  it('is watched once, however many subscriptions it has', async () => {
    const { app, open } = await graphqlSubscriptionDriver.start(issuer);
    const socket = await open(tokenOf({ scope: 'write' }));
    expect(await socket.subscribe('scoped')).toBe('ok alice');
    expect(await socket.subscribe('inherits')).toBe('SCOPE_INSUFFICIENT');
    expect(watchedBy(app)).toBe(1);
    socket.leave();
  });
});

describe.each(PLATFORMS)('A subscription over HTTP (%s)', (platform) => {
  holdTime();

  const startEndless = async (accept: string, graphql?: Partial<GqlModuleOptions>) => {
    const { app, subscribeOver } = await yogaSubscriptionDriver(platform).start(issuer, { clock: Date.now }, graphql);
    const { closed } = await subscribeOver('endless', tokenOf({ exp: Date.now() / 1000 + 10 }), accept);
    expect(watchedBy(app)).toBe(1);
    await pass(10);
    return closed;
  };

  it.each(['text/event-stream', '*/*'])(
    'ends with the error and without `complete`, so that its client connects again with a new token (Accept: %s)',
    async (accept) => {
      expect(await startEndless(accept)).toMatch(
        /\n\nevent: next\ndata: {"errors":\[{"message":"[^"]+","extensions":{.*"code":"TOKEN_EXPIRED"}}\]}\n\n$/,
      );
    },
  );

  it('ends without a message in a format that is not known', async () => {
    // Yoga has no other format: the response only claims to have one.
    const context = ({ res, reply }: { res?: object; reply?: { raw: object } }) => {
      Object.assign(res ?? reply?.raw ?? {}, { getHeader: () => 'multipart/mixed' });
      return {};
    };
    expect(await startEndless('*/*', { context } as never)).toMatch(/"ok alice"}}\n\n$/);
  });
});

describe('A subscription whose context has no connection', () => {
  it('is named in the log, because it does not end with its token', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const context = ({ connectionParams }: { connectionParams?: { authorization?: string } }) => {
      return { req: { headers: { authorization: connectionParams?.authorization } } };
    };
    const { callWith } = await graphqlSubscriptionDriver.start(issuer, {}, { context });
    const opening = { connectionParams: { authorization: `Bearer ${TOKENS.good()}` } };
    expect(await callWith('closed', opening)).toBe('ok alice');
    await callWith('closed', opening);
    const lines = warn.mock.calls.flat().filter((line) => String(line).includes('does not end when its token expires'));
    expect(lines).toHaveLength(1);
    warn.mockRestore();
  });
});

describe('A subscription whose context has only the request of the upgrade', () => {
  holdTime();

  const context = ({ req, extra }: { req?: unknown; extra?: { request: { headers: Record<string, string> } } }) => {
    // Firefox sends a list.
    if (extra !== undefined) extra.request.headers.connection = 'keep-alive, Upgrade';
    return { req: req ?? extra?.request };
  };

  it('reads the token in its header and is closed when the token expires', async () => {
    const { app, openWith } = await graphqlSubscriptionDriver.start(issuer, { clock: Date.now }, { context });
    const headers = bearer(tokenOf({ exp: Date.now() / 1000 + 10 }));
    const { closed } = await openWith({ headers });
    await pass(9.9);
    expect(watchedBy(app)).toBe(1);
    await pass(0.1);
    // The protocol of the socket is unknown, so the connection is cut.
    expect(await closed).toBe('1006');
  });

  it('rejects a cookie that the page of another site caused to be sent (ORIGIN_UNTRUSTED)', async () => {
    const options = { tokenFrom: [fromCookie('token')] };
    const { url, callWith } = await graphqlSubscriptionDriver.start(issuer, options, { context });
    const cookie = `token=${TOKENS.good()}`;
    expect(await callWith('closed', { headers: { cookie, origin: new URL(url).origin } })).toBe('ok alice');
    const other = { cookie, origin: 'https://other.example.com' };
    expect(await callWith('closed', { headers: other })).toBe('ORIGIN_UNTRUSTED');
  });
});
