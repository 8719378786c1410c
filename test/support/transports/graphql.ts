import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { bearer, type Platform, startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import { authModule, decorated, greeting, handlerClasses, type TransportDriver } from './handlers.js';
import type { LocalIssuer } from '../local-issuer.js';
import { type AuthOptions, CurrentUser } from '../../../src/index.js';

export function graphqlModule(options: Partial<ApolloDriverConfig> = {}) {
  return GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    graphiql: false,
    subscriptions: { 'graphql-ws': true },
    fieldResolverEnhancers: ['guards'],
    ...options,
  });
}

@Resolver()
class StreamResolver {
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

interface GraphqlResult {
  readonly data?: Record<string, string> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

function resultOf({ data, errors }: GraphqlResult, handler: string): string {
  const [error] = errors ?? [];
  // The driver has one code for all errors that are not exceptions of HTTP.
  const code = error?.extensions?.code === 'INTERNAL_SERVER_ERROR' ? error.message : error?.extensions?.code;
  return code ?? data?.[handler] ?? JSON.stringify({ data, errors });
}

export const graphqlQueryDriver = (platform: Platform) => ({
  name: `GraphQL queries on ${platform}`,
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>, graphql?: Partial<ApolloDriverConfig>) {
    const clock = new Clock();
    const query = (name: string) => Query(() => String, { name });
    const providers = handlerClasses(query, (text) => text).map((type) => decorated(type, Resolver()));
    const imports = [authModule(issuer, clock, options), graphqlModule(graphql)];
    const started = await startApp(platform, { imports, providers });
    return {
      ...started,
      clock,
      call: async (handler: string, token?: string) => {
        const response = await fetch(`${started.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...(token === undefined ? {} : bearer(token)) },
          body: JSON.stringify({ query: `{ ${handler} }` }),
        });
        return resultOf((await response.json()) as GraphqlResult, handler);
      },
    };
  },
});

/** What a client of graphql-ws sends when it opens its socket. */
export interface Opening {
  readonly connectionParams?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
}

/** Resolves to the first result of a subscription. */
function subscribe(client: Client, handler: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sink = {
      next: (result: unknown) => {
        resolve(resultOf(result as GraphqlResult, handler));
      },
      error: (errors: unknown) => {
        if (Array.isArray(errors)) resolve(resultOf({ errors: errors as never }, handler));
        else reject(new Error('the socket was closed', { cause: errors }));
      },
      complete: () => undefined,
    };
    client.subscribe({ query: `subscription { ${handler} }` }, sink);
  });
}

export const graphqlSubscriptionDriver = {
  name: 'GraphQL subscriptions (graphql-ws)',
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>, graphql?: Partial<ApolloDriverConfig>) {
    const clock = new Clock();
    const imports = [authModule(issuer, clock, options), graphqlModule(graphql)];
    const subscription = (name: string) => Subscription(() => String, { name });
    // Each yielded object needs a member with the name of the subscription.
    const handlers = handlerClasses(subscription, (text) =>
      (async function* () {
        yield await Promise.resolve(new Proxy({}, { get: () => text }));
      })(),
    ).map((type) => decorated(type, Resolver()));
    const started = await startApp('express', { imports, providers: [StreamResolver, ...handlers] });
    const usual = (token?: string): Opening => (token === undefined ? {} : { connectionParams: bearer(token) });
    const connect = ({ connectionParams, headers = {} }: Opening) => {
      let resolveClosed: (code: string) => void;
      const closed = new Promise<string>((resolve) => (resolveClosed = resolve));
      const client = createClient({
        url: `${started.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: class extends WebSocket {
          constructor(address: string, protocols: string | string[]) {
            super(address, protocols, { headers });
          }
        },
        retryAttempts: 0,
        connectionParams,
        on: {
          closed: (event) => {
            const { code } = event as { code: number };
            // A client reconnects after 4403.
            resolveClosed(code === 4403 ? 'TOKEN_EXPIRED' : String(code));
          },
        },
      });
      const leave = () => void client.dispose();
      return { closed, leave, subscribe: (handler: string) => subscribe(client, handler) };
    };
    const callWith = (handler: string, opening: Opening) => {
      const connection = connect(opening);
      return connection.subscribe(handler).finally(connection.leave);
    };
    const openWith = async (opening: Opening) => {
      const connection = connect(opening);
      await connection.subscribe('endless');
      return connection;
    };
    return {
      ...started,
      clock,
      callWith,
      call: (handler: string, token?: string) => callWith(handler, usual(token)),
      openWith,
      open: (token: string) => openWith(usual(token)),
    };
  },
} satisfies TransportDriver;
