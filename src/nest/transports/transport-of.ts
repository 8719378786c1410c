import type { ExecutionContext } from '@nestjs/common';
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
  if (transport === undefined || (transport === httpTransport && !hasResponse(context))) return externalTransport;
  return transport;
}

/**
 * `ExternalContextCreator` has `http` as its default type, whatever a library passes to its handlers: several messages may have the
 * same first argument. Passport passes on the request only.
 */
function hasResponse(context: ExecutionContext): boolean {
  const args = context.getArgs<unknown[]>();
  const { setHeader, header } = (args[1] ?? {}) as { readonly setHeader?: unknown; readonly header?: unknown };
  return args.length === 1 || typeof setHeader === 'function' || typeof header === 'function';
}
