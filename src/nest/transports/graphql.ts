import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/json-object.js';
import { textsOf } from '../../token/presented-token.js';
import { toGraphqlException } from '../refusals/exceptions.js';
import { refusalFacts } from '../refusals/refusal-facts.js';
import { httpCarrier, type HttpRequest } from './http.js';
import { handshakeCarrier } from './socket-handshake.js';
import type { LongConnection, Transport } from './transport.js';

/** What graphql-ws knows of a socket: Nest puts it where the request is for a query. */
interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request: HttpRequest; readonly socket: GraphqlWsSocket };
}

interface GraphqlWsSocket {
  readonly readyState?: number;
  close(code: number, reason: string): void;
  once(event: 'close', callback: () => void): unknown;
}

/** What of the request's own socket is used, which graphql-ws does not know. */
interface UpgradeRequest {
  readonly socket?: TcpSocket;
}

interface TcpSocket {
  readonly destroyed: boolean;
  destroy(): unknown;
  once(event: 'close', callback: () => void): unknown;
}

const OPEN = 1;
// `CloseCode.Forbidden` of graphql-ws. Its clients come again after this one, with new `connectionParams`; 4401 is final
// for them.
const CLOSED_FORBIDDEN = 4403;

export const graphqlTransport: Transport = {
  requestOf(context) {
    const found = requestIn(context);
    if (found === undefined)
      throw new AuthError('TOKEN_MISSING', { transport: 'graphql', reason: 'no request in the context' });
    if (isOfAnother(found, contextOf(context)))
      throw new AuthError('TOKEN_MISSING', {
        transport: 'graphql',
        reason: 'the context is that of another operation: make a new object for each',
      });
    return found;
  },

  // Else the next one might come with this one's request, and be the first to be asked about.
  passed(context) {
    const found = requestIn(context);
    if (found !== undefined) isOfAnother(found, contextOf(context));
  },

  carrierOf(request) {
    if (!isGraphqlWs(request))
      return isUpgrade(request) ? handshakeCarrier(request) : httpCarrier(request as HttpRequest);
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

  failureOf: (error) => error,

  connectionOf(context) {
    const request = requestIn(context);
    if (request === undefined) return undefined;
    if (isGraphqlWs(request)) return subscriptions(request.extra.socket);
    return isUpgrade(request) ? upgradedConnection(request) : undefined;
  },
};

const operations = new WeakMap<object, Set<object>>();

/**
 * Whether a request belongs to another operation than this one. An application's `context` may be one object, or a function
 * that returns one, and has kept somebody else's request then. Each operation has a context of its own, since drivers copy it;
 * and a request has one operation, unless it is a batch.
 */
function isOfAnother(request: object, graphqlContext: object): boolean {
  // A socket has many operations.
  if (isGraphqlWs(request) || isUpgrade(request)) return false;
  const { res, body } = request as ExpressRequest;
  if (res?.writableEnded === true) return true;
  let served = operations.get(request);
  if (served === undefined) operations.set(request, (served = new Set()));
  if (served.has(graphqlContext)) return false;
  if (served.size >= (Array.isArray(body) ? body.length : 1)) return true;
  served.add(graphqlContext);
  return false;
}

interface ExpressRequest extends HttpRequest {
  readonly res?: { readonly writableEnded?: boolean };
}

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

/** A request that opened a socket, where the application's own context has nothing else. What is sent over that is no GET. */
function isUpgrade(request: object): request is HttpRequest & UpgradeRequest {
  const { headers } = request as HttpRequest;
  // As Node has it: by one of them alone nothing is opened.
  return names(headers.upgrade, 'websocket') && names(headers.connection, 'upgrade');
}

function names(header: HttpRequest['headers'][string], name: string): boolean {
  return header !== undefined && [header].flat().some((value) => value.toLowerCase().includes(name));
}

function authorizationsIn(connectionParams: unknown): readonly string[] {
  if (!isJsonObject(connectionParams)) return [];
  const sent = Object.entries(connectionParams).filter(([name]) => name.toLowerCase() === 'authorization');
  return textsOf(sent.map(([, value]) => value));
}

function subscriptions(socket: GraphqlWsSocket): LongConnection {
  return {
    key: socket,
    isClosed: (socket.readyState ?? OPEN) > OPEN,
    canRenew: false,
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

function upgradedConnection({ socket }: UpgradeRequest): LongConnection | undefined {
  return (
    socket && {
      key: socket,
      isClosed: socket.destroyed,
      canRenew: false,
      // There is nothing to say it by: the protocol is not ours.
      warn: () => undefined,
      close() {
        socket.destroy();
      },
      onClosed(callback) {
        socket.once('close', callback);
      },
    }
  );
}
