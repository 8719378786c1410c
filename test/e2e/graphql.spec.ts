import 'reflect-metadata';
import { Agent, request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ApolloDriverConfig } from '@nestjs/apollo';
import { type LoggerService, UseGuards } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { Field, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  AccessToken,
  AuthEvents,
  AuthGuard,
  type AuthOptions,
  CurrentUser,
  fromCookie,
  OptionalAuth,
  Public,
  RequireAcr,
  RequirePolicy,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { bearer, closeApps, hasNest, type Platform, PLATFORMS, startApp } from '../support/app.js';
import { Clock, until } from '../support/guarded-app.js';
import { holdTime, pass } from '../support/held-time.js';
import { issuerWithTokens } from '../support/issuer-with-tokens.js';
import {
  graphqlModule,
  graphqlQueryDriver,
  graphqlSubscriptionDriver,
  type Opening,
} from '../support/transports/graphql.js';
import { authModule, greeting, watchedBy } from '../support/transports/handlers.js';

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

let waiting = 0;
let finish: () => void = () => undefined;
let policyCalls = 0;

const { issuer, tokenOf, TOKENS } = issuerWithTokens();

afterEach(closeApps);

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
  { logger, platform = 'express' }: { logger?: LoggerService; platform?: Platform } = {},
) {
  const imports = [authModule(issuer, new Clock(), options), graphqlModule(graphql)];
  const { app, url } = await startApp(platform, { imports, providers: [OrdersResolver] }, { logger });
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

  it('is authenticated for a reference resolver of federation, which has three arguments', async () => {
    const { app } = await start();
    const resolver = app.get(OrdersResolver);
    // As @nestjs/graphql creates it.
    const enhancers = { guards: true, filters: false, interceptors: false };
    const reference = app.get(ExternalContextCreator).create(
      resolver,
      Reflect.get(resolver, 'issuer') as never,
      // Some versions of Nest keep the parameters of a query under its name.
      'reference',
      '',
      undefined,
      undefined,
      undefined,
      enhancers,
      'graphql',
    );
    const resolve = (headers: object) => reference({ issuer: 'found' }, { req: { method: 'POST', headers } }, {});
    expect(await resolve(bearer(tokenOf()))).toBe('found');
    await expect(resolve({})).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
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

  const keepsFirst = () => {
    let first: unknown;
    // Fastify passes the request itself, Express an object with request and response.
    return (given: { req?: unknown }) => ({ req: (first ??= given.req ?? given) });
  };

  describe.each(PLATFORMS)('and that keeps the request of an earlier operation (%s)', (platform) => {
    it.each<[string, string]>([
      ['a public operation', '{ sample { id } }'],
      ['an answered operation', '{ issuer }'],
    ])('is refused after %s', async (_what, first) => {
      const { query, result } = await start({}, { context: keepsFirst() }, { platform });
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

  // Fastify's request does not show that it was answered.
  it('is refused after an answered operation for which no guard was called (express)', async () => {
    const { query, result } = await start({}, { context: keepsFirst() });
    expect((await query('{ __typename }', tokenOf())).errors).toBeUndefined();
    expect(await result('{ issuer }')).toBe('TOKEN_MISSING');
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
  it.each([
    ['POST', 'websocket', 'keep-alive'],
    ['GET', 'websocket', 'keep-alive'],
    ['POST', 'h2c', 'Upgrade'],
  ])('is not watched: %s with `Upgrade: %s` and `Connection: %s`', async (method, upgrade, connection) => {
    // Node itself does not pass on a request with both headers.
    const context = ({ req }: { req: { headers: object } }) => ({
      req: Object.assign(req, { headers: { ...req.headers, upgrade, connection } }),
    });
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
    const { callWith } = await graphqlSubscriptionDriver.start(issuer);
    expect(await callWith('closed', opening())).toBe(result);
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
