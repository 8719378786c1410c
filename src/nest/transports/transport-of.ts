import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { toHttpException } from '../refusals/exceptions.js';
import { isAuthRefusal } from '../refusals/refusal.js';
import { graphqlTransport } from './graphql.js';
import { httpTransport } from './http.js';
import { rpcTransport } from './rpc.js';
import type { Transport } from './transport.js';
import { wsTransport } from './ws.js';

/** Returns the transport of a call. This is the only place that distinguishes transports. */
export function transportOf(context: ExecutionContext): Transport {
  switch (context.getType<string>()) {
    case 'http':
      return httpTransport;
    case 'graphql':
      return graphqlTransport;
    case 'ws':
      return wsTransport;
    case 'rpc':
      return rpcTransport;
    default:
      return unknownTransport;
  }
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
