import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type ExecutionContext, Logger } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { nonEmptyStrings } from '../../token/token-extractor.js';
import { handlerName } from '../nest-internals.js';
import { memoryOf } from '../outcome.js';
import { type AuthRefusal, isAuthRefusal, refusalFacts, toGraphqlException } from '../refusals/refusal.js';
import { eventStream, type RawResponse } from './event-stream.js';
import { type HttpRequest, readHandshake, readHttp } from './http.js';
import type { LongConnection, Transport } from './transport.js';

/** The context of graphql-ws for a socket. For a subscription, Nest passes it as the request. */
interface GraphqlWsContext {
  readonly connectionParams?: unknown;
  readonly extra: { readonly request: HttpRequest; readonly socket: GraphqlWsSocket };
}

type EventSource = LongConnection['key'];
type GraphqlWsSocket = EventSource & { readonly readyState?: number; close(code: number, reason: string): void };
type TcpSocket = EventSource & { readonly destroyed: boolean; destroy(): unknown };

/** The parts of Node's request that are read. Fastify has it as `raw`. */
interface NodeRequest {
  readonly headers?: object;
  readonly upgrade?: boolean | null;
  readonly rawHeaders?: readonly string[];
  readonly headersDistinct?: HttpRequest['headers'];
  /** HTTP/2 only. */
  readonly stream?: { readonly closed?: boolean };
}

/** The parts of a GraphQL context that the drivers set. */
interface Operation {
  readonly req?: unknown;
  readonly request?: unknown;
  readonly res?: Partial<RawResponse> & { setHeader?(name: string, value: unknown): void };
  readonly reply?: { readonly request?: unknown; readonly raw?: Partial<RawResponse> };
  /** Mercurius: the `connectionParams` of the socket. */
  readonly _connectionInit?: unknown;
}

const OPEN = 1;
// `CloseCode.Forbidden` of graphql-ws. Its clients reconnect after it with new `connectionParams`; they never reconnect after 4401.
const CLOSED_FORBIDDEN = 4403;

const logger = new Logger('AuthGuard');

export const graphqlTransport: Transport = {
  requestOf(context) {
    const request = requestIn(context);
    if (request !== undefined && claimRequest(request, operationOf(context))) return request;
    const reason =
      request === undefined
        ? 'no request with headers in the context'
        : 'the context belongs to another operation: create a new object for each';
    throw new AuthError('TOKEN_MISSING', { transport: 'graphql', reason });
  },

  memoOf(context) {
    const [request, operation] = [requestIn(context), operationOf(context)];
    // Public handlers claim their request as well. Otherwise a later operation could present it as its own.
    if (request !== undefined) claimRequest(request, operation);
    return operation;
  },

  read(request, context, extractor) {
    if (isGraphqlWs(request))
      return readHandshake(request.extra.request, context, extractor, {
        authorization: authorizationsIn(request.connectionParams),
      });
    if (isUpgrade(request)) {
      const operation = operationOf(context);
      if (!('_connectionInit' in operation)) return readHandshake(request, context, extractor);
      const authorization = authorizationsIn(operation._connectionInit);
      return readHandshake(asSent(request), context, extractor, { authorization });
    }
    return readHttp(request as HttpRequest, context, extractor, setHeader);
  },

  answer: (refusal) => (isAuthRefusal(refusal) ? toGraphqlException(refusal) : refusal.error),

  connectionOf(context) {
    const request = requestIn(context);
    if (request === undefined) return undefined;
    if (isGraphqlWs(request)) {
      const { socket } = request.extra;
      return {
        key: socket,
        isClosed: () => (socket.readyState ?? OPEN) > OPEN,
        close({ error }) {
          socket.close(CLOSED_FORBIDDEN, error.code);
        },
      };
    }
    if (isUpgrade(request)) {
      const { socket } = request;
      // The protocol of the socket is unknown: it can only be destroyed.
      return socket && { key: socket, isClosed: () => socket.destroyed, close: () => socket.destroy() };
    }
    if (!isSubscription(context)) return undefined;
    const response = responseOf(request as HttpRequest, operationOf(context));
    if (response !== undefined) return eventStream(response, (refusal) => subscriptionEvent(refusal, response));
    warnOfEndless(context);
    return undefined;
  },
};

const warned = new WeakSet<object>();

/** The `context` or `onConnect` of an application can make a request of its own from `connectionParams`. */
function warnOfEndless(context: ExecutionContext): void {
  if (warned.has(context.getHandler())) return;
  warned.add(context.getHandler());
  logger.warn(
    `A subscription with ${handlerName(context)} does not end when its token expires, because the GraphQL context has no connection. Return \`extra\` and \`connectionParams\` of graphql-ws, or the request as it is.`,
  );
}

/**
 * Returns whether the request may belong to this operation. The `context` of an application may have kept the request of another
 * caller: as one object for all operations, or in a function that returns the same object again. Drivers create a new
 * operation object for each operation, and a request has one operation unless it is a batch.
 */
function claimRequest(request: object, operation: object): boolean {
  // Over a socket come many operations.
  if (isGraphqlWs(request) || isUpgrade(request)) return true;
  if (isAnswered(request as HttpRequest)) return false;
  const { body } = request as HttpRequest;
  const operations = (memoryOf(request, request).operations ??= new Set());
  if (operations.has(operation)) return true;
  if (operations.size >= (Array.isArray(body) ? body.length : 1)) return false;
  operations.add(operation);
  return true;
}

/** An operation without a guarded resolver claims no request. A later operation must not claim the answered request. */
function isAnswered(request: HttpRequest & { readonly res?: Partial<RawResponse> }): boolean {
  const raw = nodeRequest(request);
  return request.res?.writableEnded === true || raw.stream?.closed === true || answered.has(raw.headers ?? raw);
}

const answered = new WeakSet<object>();

/**
 * Remembers which requests were answered. Only the request of Express has its response; that of Fastify shows nothing.
 * For applications with a `context` of their own, since the drivers' contexts have the right request.
 */
export function watchAnsweredRequests(): void {
  // Once for the process, however many applications it has.
  unsubscribe('http.server.response.finish', rememberAnswered);
  subscribe('http.server.response.finish', rememberAnswered);
}

function rememberAnswered(message: unknown): void {
  // A context may have a copy of the request, but the same headers.
  answered.add((message as { readonly request: { readonly headers: object } }).request.headers);
}

/**
 * The GraphQL context, which all fields of an operation share. Fields have four arguments: parent, arguments, context, info. The
 * resolvers of references (federation) and of types have no arguments of a field: value, context, info, and a type.
 */
function operationOf(context: ExecutionContext): Operation {
  const resolverArguments = context.getArgs<unknown[]>();
  const isField = resolverArguments.length > 3 && !isGraphqlType(resolverArguments.at(-1));
  const operation = resolverArguments[isField ? 2 : 1];
  return isJsonObject(operation) ? operation : {};
}

/** As `isType` of graphql, which need not be installed. */
function isGraphqlType(value: unknown): boolean {
  return Object.prototype.toString.call(value).startsWith('[object GraphQL');
}

function isSubscription(context: ExecutionContext): boolean {
  const info = context.getArgs<unknown[]>().at(-1) as { operation?: { operation?: unknown } } | null | undefined;
  return info?.operation?.operation === 'subscription';
}

/** Returns the HTTP request, or the context of graphql-ws, wherever the driver put it. */
function requestIn(context: ExecutionContext): object | undefined {
  const operation = operationOf(context);
  const { req, request, reply } = operation;
  // A context function of the application may return the context of graphql-ws, which has more than the upgrade request.
  if (isGraphqlWs(operation)) return operation;
  return [req, request, reply?.request].find(
    (candidate): candidate is object =>
      isJsonObject(candidate) && (isGraphqlWs(candidate) || isJsonObject(candidate.headers)),
  );
}

// The response is 200 with errors in it; another query of the same request may succeed.
function setHeader(context: ExecutionContext, name: string, value: string): void {
  operationOf(context).res?.setHeader?.(name, value);
}

/** Returns the response of a subscription over HTTP (server-sent events), which continues after the guard admitted the operation. */
function responseOf(request: HttpRequest & { readonly res?: Partial<RawResponse> }, { res, reply }: Operation) {
  return [request.res, res, reply?.raw].find(
    (response): response is RawResponse => typeof response?.writableEnded === 'boolean',
  );
}

/** The clients of graphql-sse pass on these errors, and connect again because no `complete` follows. */
function subscriptionEvent(refusal: AuthRefusal, response: RawResponse): string {
  // Other formats, such as `multipart/mixed`, end without a message.
  if (!String(response.getHeader('content-type')).startsWith('text/event-stream')) return '';
  const { message, ...extensions } = refusalFacts(refusal);
  return `event: next\ndata: ${JSON.stringify({ errors: [{ message, extensions }] })}\n\n`;
}

function isGraphqlWs(value: object): value is GraphqlWsContext {
  const { extra } = value as { extra?: { request?: unknown; socket?: unknown } | null };
  return isJsonObject(extra?.request) && isJsonObject(extra.socket);
}

/** A request that opened a socket. Messages over that socket are not GET requests, so cookies need the origin check. */
function isUpgrade(request: object): request is HttpRequest & { readonly socket?: TcpSocket } {
  const { method, headers } = request as HttpRequest;
  // Any client can send these headers. Node ignores them unless the server accepts upgrades, and states it in `upgrade`.
  return (
    method === 'GET' &&
    hasToken(headers.upgrade, 'websocket') &&
    hasToken(headers.connection, 'upgrade') &&
    nodeRequest(request as HttpRequest).upgrade !== false
  );
}

/** Returns whether a header contains a token. It is a list, and its tokens are compared without case (RFC 9110 §7.6.1, §7.8). */
function hasToken(header: HttpRequest['headers'][string], token: string): boolean {
  const values = [header ?? []].flat().flatMap((value) => value.split(','));
  return values.some((value) => value.trim().toLowerCase() === token);
}

function nodeRequest(request: HttpRequest): NodeRequest {
  return request.raw ?? request;
}

/**
 * The request with the headers that were sent. Mercurius copies the members of `connectionParams` to them, so that the page of
 * another site could state its `Sec-Fetch-Site`.
 */
function asSent(request: HttpRequest): HttpRequest {
  const { headersDistinct = {}, rawHeaders } = nodeRequest(request);
  return { headers: headersDistinct, rawHeaders, url: request.url, socket: request.socket };
}

/** Reads `authorization` of `connectionParams`, or of `headers` in it. */
function authorizationsIn(connectionParams: unknown): readonly string[] {
  if (!isJsonObject(connectionParams)) return [];
  const places = [connectionParams, connectionParams.headers].filter((place) => isJsonObject(place));
  const sent = places
    .flatMap((place) => Object.entries(place))
    .filter(([name]) => name.toLowerCase() === 'authorization');
  return nonEmptyStrings(sent.map(([, value]) => value));
}
