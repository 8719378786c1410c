import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import type { DynamicModule } from '@nestjs/common';
import {
  AbstractGraphQLDriver,
  type GqlModuleOptions,
  GraphQLModule,
  Query,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { bearer, type Platform, startApp } from '../app.js';
import { Clock } from '../guarded-app.js';
import { until } from '../until.js';
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

export function mercuriusModule(options: Partial<MercuriusDriverConfig> = {}) {
  return GraphQLModule.forRoot<MercuriusDriverConfig>({
    driver: MercuriusDriver,
    autoSchemaFile: true,
    graphiql: false,
    subscription: true,
    fieldResolverEnhancers: ['guards'],
    ...options,
  });
}

// Not a literal: the types of Yoga declare those of browsers, for every file.
const YOGA = 'graphql-yoga';

/** The driver of `@graphql-yoga/nestjs`, which does not support Nest 12, as far as the tests need it. */
class YogaDriver extends AbstractGraphQLDriver {
  async start({
    schema,
    path = '',
    context,
  }: Omit<GqlModuleOptions, 'context'> & { context?: unknown }): Promise<void> {
    const { createYoga } = (await import(YOGA)) as { createYoga: (options: object) => Yoga };
    const yoga = createYoga({ schema, context, graphqlEndpoint: path, maskedErrors: false, logging: false });
    const { httpAdapter } = this.httpAdapterHost;
    if (httpAdapter.getType() === 'express') {
      httpAdapter.use(path, (req: IncomingMessage, res: ServerResponse) => yoga(req, res, { req, res }));
      return;
    }
    httpAdapter.getInstance<FastifyLike>().all(path, async (req, reply) => {
      const { headers, status, body } = await yoga.handleNodeRequestAndResponse(req, reply, { req, reply });
      headers.forEach((value, name) => {
        reply.header(name, value);
      });
      return reply.status(status).send(body);
    });
  }

  async stop(): Promise<void> {
    // Nothing is open.
  }
}

interface Yoga {
  (request: object, response: object, context: object): Promise<void>;
  handleNodeRequestAndResponse(request: object, response: object, context: object): Promise<Response>;
}

interface FastifyLike {
  all(path: string, handler: (request: object, reply: ReplyLike) => Promise<unknown>): void;
}

interface ReplyLike {
  header(name: string, value: string): void;
  status(code: number): ReplyLike;
  send(body: unknown): unknown;
}

function yogaModule(options: Partial<GqlModuleOptions> = {}) {
  const defaults: GqlModuleOptions = { driver: YogaDriver, autoSchemaFile: true, fieldResolverEnhancers: ['guards'] };
  return GraphQLModule.forRoot({ ...defaults, ...options });
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

/** The resolvers of a server with subscriptions. */
function subscriptionProviders() {
  const subscription = (name: string) => Subscription(() => String, { name });
  // Each yielded object needs a member with the name of the subscription.
  const handlers = handlerClasses(subscription, (text) =>
    (async function* () {
      yield await Promise.resolve(new Proxy({}, { get: () => text }));
    })(),
  ).map((type) => decorated(type, Resolver()));
  return [StreamResolver, ...handlers];
}

/**
 * @param module creates the `GraphQLModule`.
 * @param expiredCode of the close event when the token expires.
 */
function subscriptionDriver<Options>(
  name: string,
  platform: Platform,
  module: (options?: Options) => DynamicModule,
  expiredCode: number,
) {
  return {
    name,
    async start(issuer: LocalIssuer, options?: Partial<AuthOptions>, graphql?: Options) {
      const clock = new Clock();
      const imports = [authModule(issuer, clock, options), module(graphql)];
      const started = await startApp(platform, { imports, providers: subscriptionProviders() });
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
              resolveClosed(code === expiredCode ? 'TOKEN_EXPIRED' : String(code));
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
}

// A client of graphql-ws reconnects after 4403.
export const graphqlSubscriptionDriver = subscriptionDriver<Partial<ApolloDriverConfig>>(
  'GraphQL subscriptions (graphql-ws)',
  'express',
  graphqlModule,
  4403,
);

// Mercurius does not pass on its socket, so the connection is cut.
export const mercuriusSubscriptionDriver = subscriptionDriver<Partial<MercuriusDriverConfig>>(
  'GraphQL subscriptions (Mercurius)',
  'fastify',
  mercuriusModule,
  1006,
);

export const yogaSubscriptionDriver = (platform: Platform) => ({
  name: `GraphQL subscriptions over server-sent events on ${platform}`,
  async start(issuer: LocalIssuer, options?: Partial<AuthOptions>, graphql?: Partial<GqlModuleOptions>) {
    const clock = new Clock();
    const imports = [authModule(issuer, clock, options), yogaModule(graphql)];
    const started = await startApp(platform, { imports, providers: subscriptionProviders() });
    const subscribeOver = async (handler: string, token: string | undefined, accept: string) => {
      const headers = { accept, 'content-type': 'application/json', ...(token !== undefined && bearer(token)) };
      // Not fetch: its idle connections would keep the server from closing for seconds.
      const request = httpRequest(`${started.url}/graphql`, { method: 'POST', headers, agent: false });
      request.end(JSON.stringify({ query: `subscription { ${handler} }` }));
      const [stream] = (await once(request, 'response')) as [IncomingMessage];
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      // Reading fails if the client leaves.
      const closed = once(stream, 'end').then(
        () => text,
        () => text,
      );
      await until(() => text.includes('"data"') || text.includes('"errors"'));
      return { closed, text: () => text, leave: () => void request.destroy() };
    };
    return {
      ...started,
      clock,
      subscribeOver,
      call: async (handler: string, token?: string) => {
        const { closed } = await subscribeOver(handler, token, 'text/event-stream');
        return resultOf(eventsIn(await closed)[0] ?? {}, handler);
      },
      open: async (token: string) => {
        const { closed, leave } = await subscribeOver('endless', token, 'text/event-stream');
        return { closed: closed.then((text) => resultOf(eventsIn(text).at(-1) ?? {}, 'endless')), leave };
      },
    };
  },
});

/** The `next` events of graphql-sse. */
function eventsIn(text: string): readonly GraphqlResult[] {
  return Array.from(
    text.matchAll(/^event: next\ndata: (.*)\n\n/gm),
    ([, data]) => JSON.parse(data ?? '') as GraphqlResult,
  );
}
