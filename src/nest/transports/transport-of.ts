import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { toHttpException } from '../refusals/exceptions.js';
import { graphqlTransport } from './graphql.js';
import { httpTransport } from './http.js';
import { rpcTransport } from './rpc.js';
import type { Transport } from './transport.js';
import { wsTransport } from './ws.js';

/** How calls of this kind are read and answered. Only this file asks which transport it is. */
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

/** One that we cannot read a token from: refused, never waved through. */
const unknownTransport: Transport = {
  requestOf(context) {
    throw new AuthError('TOKEN_MISSING', { transport: context.getType<string>() });
  },
  carrierOf: () => ({ authorization: [], bare: [], headers: {} }),
  operationOf: () => undefined,
  ready: () => undefined,
  setHeader: () => undefined,
  exceptionOf: toHttpException,
  failureOf: (error) => error,
  connectionOf: () => undefined,
};

/** What the authentication of this call is remembered on. */
export function requestOf(context: ExecutionContext): object {
  return transportOf(context).requestOf(context);
}
