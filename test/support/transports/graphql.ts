import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { bearer, type Platform, startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import { authModule, classDoors, type Door, greeting, plainDoors, type TransportDriver } from './doors.js';
import type { LocalIssuer } from '../local-issuer.js';
import { type AuthOptions, CurrentUser } from '../../../src/index.js';

function graphqlModule(options: Partial<ApolloDriverConfig> = {}) {
  return GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    graphiql: false,
    subscriptions: { 'graphql-ws': true },
    fieldResolverEnhancers: ['guards'],
    ...options,
  });
}

function resolvers(enter: (door: string) => MethodDecorator, answer: (text: string) => unknown) {
  const [Plain, OfClass] = [plainDoors(enter, answer), classDoors(enter, answer)];
  Resolver()(Plain);
  Resolver()(OfClass);
  return [Plain, OfClass];
}

const query = (name: string) => Query(() => String, { name });
const subscription = (name: string) => Subscription(() => String, { name });

@Resolver()
class Ping {
  @Query(() => String)
  ping() {
    return 'pong';
  }

  @Subscription(() => String, { name: 'endless' })
  async *endless(@CurrentUser('sub') sub?: string) {
    yield { endless: greeting(sub) };
    await new Promise(() => undefined);
  }
}

interface GraphqlAnswer {
  readonly data?: Record<string, string> | null;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

function outcomeOf({ data, errors }: GraphqlAnswer, door: string): string {
  return errors?.[0]?.extensions?.code ?? data?.[door] ?? JSON.stringify({ data, errors });
}

export const graphqlQueryDriver = (platform: Platform): TransportDriver => ({
  name: `GraphQL queries on ${platform}`,
  async start(issuer, options) {
    const clock = new Clock();
    const imports = [authModule(issuer, clock, options), graphqlModule()];
    const { app, url, close } = await startApp(platform, { imports, providers: resolvers(query, (text) => text) });
    return {
      app,
      clock,
      close,
      async call(door, token) {
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token === undefined ? {} : bearer(token)) },
          body: JSON.stringify({ query: `{ ${door} }` }),
        });
        return outcomeOf((await response.json()) as GraphqlAnswer, door);
      },
    };
  },
});

/** What a client of graphql-ws opens its socket with. */
export interface Opening {
  readonly connectionParams?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

export const graphqlSubscriptionDriver = {
  name: 'GraphQL subscriptions (graphql-ws)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>, graphql?: Partial<ApolloDriverConfig>) {
    const clock = new Clock();
    const imports = [authModule(issuer, clock, options), graphqlModule(graphql)];
    // What a subscription yields has a member of its name.
    const doors = resolvers(subscription, (text) =>
      (async function* () {
        yield await Promise.resolve(new Proxy({}, { get: () => text }));
      })(),
    );
    const { app, url, close } = await startApp('express', { imports, providers: [Ping, ...doors] });
    const clientOf = (
      { connectionParams, headers = {} }: Opening,
      onClosed: (code: number) => void = () => undefined,
    ) =>
      createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: class extends WebSocket {
          constructor(address: string, protocols: string | string[]) {
            super(address, protocols, { headers });
          }
        },
        retryAttempts: 0,
        connectionParams,
        on: {
          closed: (event) => {
            onClosed((event as { code: number }).code);
          },
        },
      });
    const usual = (token: string | undefined): Opening =>
      token === undefined ? {} : { connectionParams: { authorization: `Bearer ${token}` } };
    const callWith = async (door: Door, opening: Opening) => {
      const client = clientOf(opening);
      try {
        return await new Promise<string>((resolve, reject) => {
          client.subscribe(
            { query: `subscription { ${door} }` },
            {
              next: (result) => {
                resolve(outcomeOf(result as GraphqlAnswer, door));
              },
              error: (errors) => {
                if (Array.isArray(errors)) resolve(outcomeOf({ errors: errors as never }, door));
                else reject(new Error('the socket was closed', { cause: errors }));
              },
              complete: () => undefined,
            },
          );
        });
      } finally {
        await client.dispose();
      }
    };
    const openWith = async (opening: Opening) => {
      let closed: (code: string) => void;
      const promise = new Promise<string>((resolve) => (closed = resolve));
      // Close codes: 4403 makes a client come again.
      const client = clientOf(opening, (code) => {
        closed(code === 4403 ? 'TOKEN_EXPIRED' : String(code));
      });
      await new Promise<void>((resolve, reject) => {
        const sink = {
          next: () => {
            resolve();
          },
          error: (error: unknown) => {
            reject(new Error('refused', { cause: error }));
          },
          complete: () => undefined,
        };
        client.subscribe({ query: 'subscription { endless }' }, sink);
      });
      return {
        closed: promise,
        leave: () => {
          void client.dispose();
        },
      };
    };
    return {
      app,
      clock,
      close,
      url,
      callWith,
      call: (door: Door, token?: string) => callWith(door, usual(token)),
      openWith,
      open: (token: string) => openWith(usual(token)),
    };
  },
} satisfies TransportDriver;
