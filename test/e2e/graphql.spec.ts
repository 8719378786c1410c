import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { LoggerService } from '@nestjs/common';
import manifest from '@nestjs/graphql/package.json' with { type: 'json' };
import { Field, GraphQLModule, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  AccessToken,
  type AuthOptions,
  CurrentUser,
  OptionalAuth,
  Public,
  RequireAcr,
  RequireScopes,
  type VerifiedAccessToken,
} from '../../src/index.js';
import { bearer, closeApps, type Platform, PLATFORMS, startApp } from '../support/app.js';
import { Clock, until } from '../support/guarded-app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { authModule, greeting } from '../support/transports/doors.js';

@ObjectType()
class Order {
  @Field()
  id!: string;

  @Field()
  note!: string;
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
  @RequireScopes('read:notes')
  note(@Parent() order: Order, @CurrentUser('sub') sub?: string) {
    return `${order.id} of ${String(sub)}`;
  }
}

let waiting = 0;
let finish: () => void = () => undefined;

const key = newKey();
const issuer = LocalIssuer.forFile([key]);

afterEach(closeApps);

const tokenOf = (claims: Record<string, unknown> = {}) =>
  issuer.token(key, 'RS256', { iat: Math.floor(Date.now() / 1000) - 60, ...claims });

interface GraphqlAnswer {
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
  const module = GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    graphiql: false,
    fieldResolverEnhancers: ['guards'],
    ...graphql,
  });
  const imports = [authModule(issuer, new Clock(), options), module];
  const { url } = await startApp(platform, { imports, providers: [OrdersResolver] }, { logger });
  const post = async (body: unknown, token?: string) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && bearer(token)) },
      body: JSON.stringify(body),
    });
    return { status: response.status, answer: await response.json() };
  };
  return Object.assign(
    async (query: string, token?: string) => {
      const { status, answer } = await post({ query }, token);
      return { status, ...(answer as GraphqlAnswer) };
    },
    {
      batch: (queries: readonly string[], token?: string) =>
        post(
          queries.map((query) => ({ query })),
          token,
        ),
    },
  );
}

describe('A GraphQL operation', () => {
  it('is refused with what the body and the challenge of an HTTP refusal say', async () => {
    const ask = await start();
    const { data, errors } = await ask('mutation { create }', tokenOf({ scope: 'read' }));
    expect(data).toBeNull();
    expect(errors?.[0]).toMatchObject({
      message: 'The access token lacks a required scope',
      extensions: {
        code: 'SCOPE_INSUFFICIENT',
        statusCode: 403,
        challenge:
          'Bearer error="insufficient_scope", error_description="The access token lacks a required scope", scope="write"',
      },
    });
  });

  it('leaves no error in the log when it is refused', async () => {
    const logged: unknown[] = [];
    const logger = { log: () => undefined, warn: () => undefined, error: (...parts: unknown[]) => logged.push(parts) };
    const ask = await start({}, {}, { logger });
    await ask('{ issuer }');
    await ask('mutation { create }', tokenOf());
    expect(logged).toEqual([]);
  });

  it('tells a client what to step up to', async () => {
    const ask = await start();
    const { errors } = await ask('{ secret }', tokenOf());
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'AUTHENTICATION_INSUFFICIENT',
      challenge: expect.stringContaining('acr_values="urn:example:mfa"'),
    });
  });

  it('tells in seconds when to come again while the keys cannot be had', async () => {
    const ask = await start({ keys: { from: 'jwks', uri: `${issuer.url}/nowhere` } });
    const { errors } = await ask('{ issuer }', tokenOf());
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'KEYS_UNAVAILABLE',
      statusCode: 503,
      retryAfterSeconds: expect.any(Number),
    });
  });

  it('knows who is calling in queries, mutations and fields', async () => {
    const ask = await start();
    const token = tokenOf({ scope: 'write read:notes' });
    expect((await ask('mutation { create }', token)).data).toEqual({ create: 'ok alice' });
    expect((await ask('{ issuer sample { note } }', token)).data).toEqual({
      issuer: issuer.url,
      sample: { note: '0 of alice' },
    });
  });

  it('answers fields that may be read beside those that may not', async () => {
    const ask = await start();
    const { data, errors } = await ask('{ issuer }', tokenOf());
    expect([data, errors]).toEqual([{ issuer: issuer.url }, undefined]);
    const refused = await ask('{ orders { id note } }', tokenOf());
    expect(refused.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['orders', 0, 'note'], 'SCOPE_INSUFFICIENT'],
    ]);
  });

  it.each(['sample', 'maybe'])(
    'does not let a guest read a closed field below a query that is open to him: %s',
    async (name) => {
      const ask = await start();
      expect((await ask(`{ ${name} { id } }`)).data).toEqual({ [name]: { id: '0' } });
      const { errors } = await ask(`{ ${name} { id note } }`);
      expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
        [[name, 'note'], 'TOKEN_MISSING'],
      ]);
    },
  );

  it('asks the application once who is calling, however many fields there are', async () => {
    let asked = 0;
    const ask = await start({
      user: ({ claims }) => {
        asked += 1;
        return claims;
      },
    });
    const { data } = await ask('{ orders { id note } a: orders { note } }', tokenOf({ scope: 'read:notes' }));
    expect(data?.a).toEqual(['1', '2', '3'].map((id) => ({ note: `${id} of alice` })));
    expect(asked).toBe(1);
  });

  it('keeps callers apart, also where an application has one context object for all requests', async () => {
    const shared: Record<string, unknown> = {};
    const ask = await start(
      {},
      {
        context: ({ req }: { req: unknown }) => Object.assign(shared, { req }),
      },
    );
    const [alice, bob] = [tokenOf({ scope: 'write' }), tokenOf({ sub: 'bob', scope: 'write' })];
    for (const [token, name] of [
      [alice, 'alice'],
      [bob, 'bob'],
      [alice, 'alice'],
    ] as const)
      expect((await ask('mutation { create }', token)).data).toEqual({ create: `ok ${name}` });
    expect((await ask('mutation { create }')).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
  });

  describe.each(PLATFORMS)('whose context has kept the request of somebody else (%s)', (platform) => {
    const keepsFirst = () => {
      let first: unknown;
      // Fastify's request comes as it is, Express's beside the response.
      return (given: { req?: unknown }) => ({ req: (first ??= given.req ?? given) });
    };

    it('is refused, also where nobody was asked about that request', async () => {
      const ask = await start({}, { context: keepsFirst() }, { platform });
      expect((await ask('{ sample { id } }', tokenOf())).data).toEqual({ sample: { id: '0' } });
      expect((await ask('{ issuer }')).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
    });

    it('is refused, also while that request is not answered yet', async () => {
      const ask = await start({}, { context: keepsFirst() }, { platform });
      const before = waiting;
      const alice = ask('{ slow }', tokenOf());
      await until(() => waiting > before);
      expect((await ask('{ issuer }')).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
      finish();
      expect((await alice).data).toEqual({ slow: 'ok alice' });
      expect((await ask('{ issuer }')).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
    });
  });

  it.each(PLATFORMS)('is answered in a batch like the others of it (%s)', async (platform) => {
    const ask = await start({}, { allowBatchedHttpRequests: true }, { platform });
    const { answer } = await ask.batch(
      ['{ issuer }', '{ issuer }', 'mutation { create }'],
      tokenOf({ scope: 'write' }),
    );
    expect(answer).toEqual([
      { data: { issuer: issuer.url } },
      { data: { issuer: issuer.url } },
      { data: { create: 'ok alice' } },
    ]);
  });

  it('has a context of its own where the application gives an object; before @nestjs/graphql 14 that does not start', async () => {
    const starting = start({}, { context: { tenant: 'acme' } });
    if (Number.parseInt(manifest.version, 10) < 14) {
      await expect(starting).rejects.toThrow('GraphQLModule.context: is one object for all requests');
      return;
    }
    const ask = await starting;
    expect((await ask('{ issuer }', tokenOf())).data).toEqual({ issuer: issuer.url });
    expect((await ask('{ issuer }')).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
    expect((await ask('{ issuer }', tokenOf())).data).toEqual({ issuer: issuer.url });
  });

  it('is refused where the context has no request', async () => {
    const ask = await start({}, { context: () => ({ req: { method: 'POST' } }) });
    expect((await ask('{ issuer }', tokenOf())).errors?.[0]?.extensions.code).toBe('TOKEN_MISSING');
  });
});
