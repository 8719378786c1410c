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
  return TRANSPORTS[context.getType<string>()] ?? externalTransport;
}
