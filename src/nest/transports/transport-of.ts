import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isAuthRefusal, toHttpException } from '../refusals/refusal.js';
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
  return TRANSPORTS[context.getType<string>()] ?? unknownTransport;
}

/** A transport whose tokens cannot be read. Its calls are refused, except to public handlers. */
const unknownTransport: Transport = {
  requestOf(context) {
    throw new AuthError('TOKEN_MISSING', { transport: context.getType<string>() });
  },
  memoOf: (context) => context,
  read: () => undefined,
  answer: (refusal) => (isAuthRefusal(refusal) ? toHttpException(refusal) : refusal.error),
  connectionOf: () => undefined,
};
