import type { ExecutionContext } from '@nestjs/common';
import { isJsonObject } from '../../model/unknown-value.js';
import { externalTransport } from './external.js';
import { graphqlTransport } from './graphql.js';
import { httpTransport } from './http.js';
import { rpcTransport } from './rpc.js';
import type { Transport } from './transport.js';
import { wsTransport } from './ws.js';

const TRANSPORTS: Partial<Record<string, Transport>> = {
  http: httpTransport,
  graphql: graphqlTransport,
  ws: wsTransport,
  rpc: rpcTransport,
};

/** Returns the transport of a call. This is the only place that distinguishes transports. */
export function transportOf(context: ExecutionContext): Transport {
  const transport = TRANSPORTS[context.getType<string>()];
  if (transport === undefined || (transport === httpTransport && !isRequest(context))) return externalTransport;
  return transport;
}

/**
 * Whether a call is an HTTP request: `ExternalContextCreator` has `http` as its default type, whatever a library passes to its
 * handlers, and several messages may have the same arguments. Passport passes on the request only, and Fastify has no `next`.
 */
function isRequest(context: ExecutionContext): boolean {
  const args = context.getArgs<unknown[]>();
  const [request, response, next] = args;
  const { setHeader, header } = Object(response) as { readonly setHeader?: unknown; readonly header?: unknown };
  const hasResponse = typeof setHeader === 'function' || typeof header === 'function';
  if (!isJsonObject(request) || !isJsonObject(request.headers)) return false;
  return args.length === 1 || (hasResponse && (next === undefined || typeof next === 'function'));
}
