import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import { textsOf } from '../../token/presented-token.js';
import { toGraphqlException } from '../exceptions.js';
import { refusalFacts } from '../refusal-facts.js';
import { httpCarrier, type HttpRequest } from './http.js';
import { handshakeCarrier } from './socket-handshake.js';
import type { LongConnection, Transport } from './transport.js';

/** What graphql-ws knows of a socket: Nest puts it where the request is for a query. */
interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request: HttpRequest; readonly socket: GraphqlWsSocket };
}

interface GraphqlWsSocket {
  close(code: number, reason: string): void;
  once(event: 'close', callback: () => void): unknown;
}

// `CloseCode.Forbidden` of graphql-ws. Its clients come again after this one, with new `connectionParams`; 4401 is final
// for them.
const CLOSED_FORBIDDEN = 4403;

export const graphqlTransport: Transport = {
  requestOf(context) {
    const found = requestIn(context);
    if (found === undefined)
      throw new AuthError('TOKEN_MISSING', { transport: 'graphql', reason: 'no request in the context' });
    // Before @nestjs/graphql 14 a context that is an object, and no function, keeps its first request for all others: whoever
    // sent that one would be taken for each caller.
    if ((found as { res?: { writableEnded?: boolean } }).res?.writableEnded === true)
      throw new AuthError('TOKEN_MISSING', {
        transport: 'graphql',
        reason: 'the request in the context was answered before',
      });
    return found;
  },

  carrierOf(request) {
    if (!isGraphqlWs(request)) return httpCarrier(request as HttpRequest);
    const { connectionParams, extra } = request;
    const carrier = handshakeCarrier(extra.request);
    return { ...carrier, authorization: [...authorizationsIn(connectionParams), ...carrier.authorization] };
  },

  // A query has one context for all of its fields.
  operationOf: contextOf,

  ready: () => undefined,

  // What is answered is 200 with errors in it; a query beside the refused one may be answered well.
  setHeader(context, name, value) {
    const response = (contextOf(context) as { res?: { setHeader?(name: string, value: string): void } }).res;
    response?.setHeader?.(name, value);
  },

  exceptionOf(refusal, challenge) {
    const { message: _saidByTheException, ...extensions } = refusalFacts(refusal, challenge);
    return toGraphqlException(refusal, extensions);
  },

  connectionOf(context) {
    const request = requestIn(context);
    return request !== undefined && isGraphqlWs(request) ? subscriptions(request.extra.socket) : undefined;
  },
};

function contextOf(context: ExecutionContext): object {
  const graphqlContext: unknown = context.getArgByIndex(2);
  return isJsonObject(graphqlContext) ? graphqlContext : {};
}

/** The HTTP request, or what graphql-ws has in its place, wherever the driver put it. */
function requestIn(context: ExecutionContext): object | undefined {
  const graphqlContext = contextOf(context);
  const { req, request, reply } = graphqlContext as { req?: unknown; request?: unknown; reply?: { request?: unknown } };
  // Its own context function may have handed on what graphql-ws knows, which is more than the request that it opened with.
  if (isGraphqlWs(graphqlContext)) return graphqlContext;
  return [req, request, reply?.request].find(
    (candidate): candidate is object =>
      isJsonObject(candidate) && (isGraphqlWs(candidate) || isJsonObject(candidate.headers)),
  );
}

function isGraphqlWs(value: object): value is GraphqlWsContext {
  const { extra } = value as { extra?: { request?: unknown; socket?: unknown } | null };
  return isJsonObject(extra?.request) && isJsonObject(extra.socket);
}

function authorizationsIn(connectionParams: unknown): readonly string[] {
  if (!isJsonObject(connectionParams)) return [];
  const sent = Object.entries(connectionParams).filter(([name]) => name.toLowerCase() === 'authorization');
  return textsOf(sent.map(([, value]) => value));
}

function subscriptions(socket: GraphqlWsSocket): LongConnection {
  return {
    key: socket,
    // The protocol has no message for it.
    warn: () => undefined,
    close({ code }) {
      socket.close(CLOSED_FORBIDDEN, code);
    },
    onClosed(callback) {
      socket.once('close', callback);
    },
  };
}
