import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Args, GraphQLModule, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { createClient } from 'graphql-ws';
import { Public, RequirePolicy } from 'nestjs-resource-server';
import { AuthTestingModule, type TestIssuer, type TokenRequest } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { WebSocket } from 'ws';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule, Order, OrdersResolver } from '../src/app.module.js';
import { hideSchema } from '../src/hide-schema.js';
import { LoadedOrder, OrderQueryAccess, ownsParent } from '../src/order.policies.js';
import { Orders } from '../src/orders.js';
import { UsersSubgraphModule } from '../src/users-subgraph.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

async function start(metadata: (issuer: TestIssuer) => ModuleMetadata): Promise<void> {
  ({ app, issuer } = await createPageApp(metadata(issuer)));
  await app.listen(0, '127.0.0.1');
}

afterEach(() => app.close());

const query = async (text: string, headers: Record<string, string>) => {
  const { status, body } = await request(app.getHttpServer()).post('/graphql').set(headers).send({ query: text });
  return { status, ...(body as { data: unknown; errors?: readonly { extensions: object }[] }) };
};

const first = async (text: string, connectionParams: Record<string, unknown> = {}) => {
  const url = `${(await app.getUrl()).replace('http', 'ws')}/graphql`;
  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams });
  const { value } = await client
    .iterate({ query: text })
    .next()
    .finally(() => client.dispose());
  return value as unknown;
};

it('guards queries and fields', async () => {
  await start(() => ({ imports: [AppModule] }));
  const alice = await issuer.as({ sub: 'alice', scopes: ['read:orders'] });
  expect(await query('{ orders { id owner } }', alice)).toEqual({
    status: 200,
    data: { orders: [{ id: '1', owner: 'alice' }] },
  });
  const extensions = {
    code: 'SCOPE_INSUFFICIENT',
    statusCode: 403,
    challenge: expect.stringContaining('read:margins'),
  };
  expect(await query('{ orders { margin } }', alice)).toMatchObject({ status: 200, errors: [{ extensions }] });
  const seller = await issuer.as({ scopes: ['read:orders', 'read:margins'] });
  expect(await query('{ orders { margin } }', seller)).toMatchObject({ data: { orders: [{ margin: 0.2 }] } });
});

it('guards subscriptions', async () => {
  await start(() => ({ imports: [AppModule] }));
  const subscribe = async (token: TokenRequest) => first('subscription { ordered { owner } }', await issuer.as(token));
  expect(await subscribe({ sub: 'alice', scopes: ['read:orders'] })).toEqual({ data: { ordered: { owner: 'alice' } } });
  expect(await subscribe({ scopes: [] })).toMatchObject({ errors: [{ extensions: { code: 'SCOPE_INSUFFICIENT' } }] });
});

it('hides the schema over HTTP and over a socket', async () => {
  const graphql: ApolloDriverConfig = { driver: ApolloDriver, autoSchemaFile: true, ...hideSchema };
  await start((issuer) => ({
    imports: [
      AuthTestingModule.forIssuer(issuer),
      GraphQLModule.forRoot({ ...graphql, fieldResolverEnhancers: ['guards'] }),
    ],
    providers: [OrdersResolver],
  }));
  const introspection = '{ __schema { types { name } } }';
  const extensions = { code: 'GRAPHQL_VALIDATION_FAILED' };
  expect(await query(introspection, {})).toMatchObject({ errors: [{ extensions }] });
  await expect(first(introspection)).rejects.toEqual([{ message: 'Only subscriptions are served over a socket' }]);
  const alice = await issuer.as({ sub: 'alice', scopes: ['read:orders'] });
  expect(await first('subscription { ordered { owner } }', alice)).toEqual({ data: { ordered: { owner: 'alice' } } });
});

describe('A policy', () => {
  @Resolver(() => Order)
  class OrderResolver {
    @Query(() => Order)
    @RequirePolicy(OrderQueryAccess)
    order(@Args('id') _id: string, @LoadedOrder() order: Order): Order {
      return order;
    }

    @Public()
    @Query(() => [Order])
    all(): Order[] {
      return [
        { id: '1', owner: 'alice' },
        { id: '2', owner: 'bob' },
      ];
    }

    @ResolveField(() => String, { nullable: true })
    @RequirePolicy(ownsParent)
    note() {
      return 'for the owner';
    }
  }

  beforeEach(async () => {
    await start((issuer) => ({
      imports: [
        AuthTestingModule.forIssuer(issuer),
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          autoSchemaFile: true,
          fieldResolverEnhancers: ['guards'],
        }),
      ],
      providers: [OrderResolver, Orders, OrderQueryAccess],
    }));
    app.get(Orders).all.set('1', { id: '1', owner: 'alice' }).set('2', { id: '2', owner: 'bob' });
  });

  it('loads the order of the arguments for the handler, also for two fields at the same time', async () => {
    const alice = await issuer.as({ sub: 'alice' });
    const text = '{ mine: order(id: "1") { id } other: order(id: "2") { id } }';
    const mine = { path: ['other'], extensions: { code: 'NOT_FOUND' } };
    expect(await query(text, alice)).toMatchObject({ errors: [mine] });
    const admins = '{ one: order(id: "1") { owner } same: order(id: "1") { owner } }';
    expect(await query(admins, alice)).toMatchObject({ data: { one: { owner: 'alice' }, same: { owner: 'alice' } } });
  });

  it('decides on a field for each object', async () => {
    const alice = await issuer.as({ sub: 'alice' });
    const { data, errors } = await query('{ all { id note } }', alice);
    expect(data).toEqual({
      all: [
        { id: '1', note: 'for the owner' },
        { id: '2', note: null },
      ],
    });
    expect(errors).toMatchObject([{ path: ['all', 1, 'note'], extensions: { code: 'POLICY_DENIED' } }]);
  });
});

it('passes the token of a gateway to the subgraph, which verifies it', async () => {
  await start(() => ({ imports: [UsersSubgraphModule] }));
  const [subgraph, { issuer: users }] = [app, { issuer }];
  process.env.USERS_URL = `${await subgraph.getUrl()}/graphql`;
  const { GatewayModule } = await import('../src/gateway.module.js');
  await start((issuer) => ({ imports: [AuthTestingModule.forIssuer(issuer), GatewayModule] }));
  try {
    expect(await query('{ me { id } }', {})).toMatchObject({ errors: [{ extensions: { code: 'TOKEN_MISSING' } }] });
    expect(await query('{ me { id } }', await users.as({ sub: 'alice' }))).toMatchObject({
      data: { me: { id: 'alice' } },
    });
  } finally {
    await subgraph.close();
  }
});
