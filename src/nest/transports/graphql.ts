import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { nonEmptyStrings } from '../../token/token-extractor.js';
import { memoryOf } from '../outcome.js';
import { isAuthRefusal, toGraphqlException } from '../refusals/refusal.js';
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

const OPEN = 1;
// `CloseCode.Forbidden` of graphql-ws. Its clients reconnect after it with new `connectionParams`; they never reconnect after 4401.
const CLOSED_FORBIDDEN = 4403;

export const graphqlTransport: Transport = {
  requestOf(context) {
    const request = requestIn(context);
    if (request !== undefined && claimRequest(request, operationOf(context))) return request;
    const reason =
      request === undefined
        ? 'no request in the context'
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
    if (isUpgrade(request)) return readHandshake(request, context, extractor);
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
    if (!isUpgrade(request) || request.socket === undefined) return undefined;
    // The protocol of the socket is unknown: it can only be destroyed.
    const { socket } = request;
    return { key: socket, isClosed: () => socket.destroyed, close: () => socket.destroy() };
  },
};

/**
 * Returns whether the request may belong to this operation. The `context` of an application may have kept the request of another
 * caller: as one object for all operations, or in a function that returns the same object again. Drivers create a new
 * operation object for each operation, and a request has one operation unless it is a batch.
 */
function claimRequest(request: object, operation: object): boolean {
  // Over a socket come many operations.
  if (isGraphqlWs(request) || isUpgrade(request)) return true;
  const { res, body } = request as HttpRequest & { readonly res?: { readonly writableEnded?: boolean } };
  if (res?.writableEnded === true) return false;
  const operations = (memoryOf(request, request).operations ??= new Set());
  if (operations.has(operation)) return true;
  if (operations.size >= (Array.isArray(body) ? body.length : 1)) return false;
  operations.add(operation);
  return true;
}

/** The GraphQL context, which all fields of an operation share. */
function operationOf(context: ExecutionContext): object {
  const resolverArguments = context.getArgs<unknown[]>();
  // A reference resolver of federation (`@ResolveReference`) has no arguments of a field: reference, context, info.
  const operation = resolverArguments[resolverArguments.length === 3 ? 1 : 2];
  return isJsonObject(operation) ? operation : {};
}

/** Returns the HTTP request, or the context of graphql-ws, wherever the driver put it. */
function requestIn(context: ExecutionContext): object | undefined {
  const operation = operationOf(context);
  const { req, request, reply } = operation as { req?: unknown; request?: unknown; reply?: { request?: unknown } };
  // A context function of the application may return the context of graphql-ws, which has more than the upgrade request.
  if (isGraphqlWs(operation)) return operation;
  return [req, request, reply?.request].find(
    (candidate): candidate is object =>
      isJsonObject(candidate) && (isGraphqlWs(candidate) || isJsonObject(candidate.headers)),
  );
}

// The response is 200 with errors in it; another query of the same request may succeed.
function setHeader(context: ExecutionContext, name: string, value: string): void {
  const { res } = operationOf(context) as { res?: { setHeader?(name: string, value: unknown): void } };
  res?.setHeader?.(name, value);
}

function isGraphqlWs(value: object): value is GraphqlWsContext {
  const { extra } = value as { extra?: { request?: unknown; socket?: unknown } | null };
  return isJsonObject(extra?.request) && isJsonObject(extra.socket);
}

/** A request that opened a socket. Messages over that socket are not GET requests, so cookies need the origin check. */
function isUpgrade(request: object): request is HttpRequest & { readonly socket?: TcpSocket } {
  const { headers } = request as HttpRequest;
  // Node upgrades only if both headers are present.
  return /websocket/i.test(String(headers.upgrade)) && /upgrade/i.test(String(headers.connection));
}

function authorizationsIn(connectionParams: unknown): readonly string[] {
  if (!isJsonObject(connectionParams)) return [];
  const sent = Object.entries(connectionParams).filter(([name]) => name.toLowerCase() === 'authorization');
  return nonEmptyStrings(sent.map(([, value]) => value));
}
