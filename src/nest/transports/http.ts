import type { ExecutionContext } from '@nestjs/common';
import type { AuthError } from '../../model/errors.js';
import type { TokenCarrier } from '../../token/presented-token.js';
import { challengeFor } from '../../token/challenge.js';
import { toHttpException } from '../refusals/exceptions.js';
import { refusalFacts } from '../refusals/refusal-facts.js';
import type { LongConnection, Transport } from './transport.js';

/** What is read of a request, on Express and on Fastify alike. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Node's flat list of names and values; on Fastify it is on `raw`. */
  readonly rawHeaders?: readonly string[];
  readonly raw?: { readonly rawHeaders?: readonly string[] };
  readonly method?: string;
  readonly url?: string;
  /** Express: before a router took its part away. */
  readonly originalUrl?: string;
  readonly body?: unknown;
}

/** Express's response, Fastify's reply, or Node's own where a middleware runs. */
interface HttpResponse {
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
  readonly raw?: RawResponse;
}

interface RawResponse {
  readonly writableEnded: boolean;
  readonly headersSent: boolean;
  readonly closed?: boolean;
  readonly socket: { destroySoon?(): void; destroy?(): void } | null;
  /** HTTP/2, where one socket has many answers. */
  readonly stream?: { destroy?(): void };
  readonly req?: { readonly httpVersionMajor?: number };
  write(chunk: string): unknown;
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(callback: () => void): unknown;
  end(body: string, callback: () => void): unknown;
  once(event: 'close', callback: () => void): unknown;
  on(event: 'error', callback: () => void): unknown;
}

export const httpTransport: Transport = {
  requestOf: (context) => context.switchToHttp().getRequest<object>(),

  carrierOf: (request) => httpCarrier(request as HttpRequest),

  operationOf: () => undefined,

  ready: () => undefined,

  setHeader: setHttpHeader,

  exceptionOf(refusal, challenge, context) {
    if (challenge !== undefined) setHttpHeader(context, 'WWW-Authenticate', challenge);
    if (refusal.retryAfterSeconds !== undefined)
      setHttpHeader(context, 'Retry-After', String(refusal.retryAfterSeconds));
    return toHttpException(refusal);
  },

  failureOf: (error) => error,

  connectionOf(context, isEventStream) {
    if (!isEventStream) return undefined;
    const response = context.switchToHttp().getResponse<HttpResponse & RawResponse>();
    return eventStream(response.raw ?? response);
  },
};

export function setHttpHeader(context: ExecutionContext, name: string, value: string): void {
  const response = context.switchToHttp().getResponse<HttpResponse | undefined>();
  if (response?.setHeader !== undefined) response.setHeader(name, value);
  else response?.header?.(name, value);
}

/** A request as a place for tokens. */
export function httpCarrier(request: HttpRequest): TokenCarrier {
  const { headers, method, body } = request;
  return {
    authorization: authorizationHeaders(request),
    bare: [],
    headers,
    method,
    body,
    url: request.originalUrl ?? request.url,
  };
}

const AUTHORIZATION = 'authorization';

/** Every `Authorization` header that was sent. Node itself keeps the first and drops the others without a word. */
export function authorizationHeaders(request: HttpRequest): readonly string[] {
  const value = request.headers[AUTHORIZATION];
  if (value === undefined) return [];
  if (typeof value !== 'string') return value;
  const raw = request.rawHeaders ?? request.raw?.rawHeaders ?? [];
  let sent = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) sent += 1;
  }
  // A middleware may have set the header itself: then there is none in the raw ones.
  return sent > 1 ? new Array<string>(sent).fill(value) : [value];
}

// A reader that takes nothing any more must not keep its stream.
const LAST_WORDS_MS = 1_000;

function eventStream(response: RawResponse): LongConnection {
  const tell = (refusal: AuthError) => {
    if (response.headersSent && !response.writableEnded)
      response.write(`event: exception\ndata: ${JSON.stringify(refusalFacts(refusal))}\n\n`);
  };
  return {
    key: response,
    isClosed: response.closed === true || response.writableEnded,
    canRenew: false,
    warn: tell,
    close(refusal) {
      // Taken now: Node takes it away from an answer that has ended.
      const { socket, stream, req } = response;
      const isOneToOne = (req?.httpVersionMajor ?? 1) === 1;
      // Nest goes on writing what the handler has still to say, and Node makes an error of it that nobody listens to.
      response.on('error', () => undefined);
      setTimeout(() => {
        if (isOneToOne) socket?.destroy?.();
        else stream?.destroy?.();
      }, LAST_WORDS_MS).unref();
      const close = () => {
        if (isOneToOne) socket?.destroySoon?.();
      };
      if (response.headersSent) {
        tell(refusal);
        response.end(close);
      } else {
        // A handler that is still about to make its stream.
        const challenge = challengeFor(refusal, undefined);
        response.writeHead(refusal.status, {
          'Content-Type': 'application/json; charset=utf-8',
          ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
        });
        response.end(JSON.stringify(toHttpException(refusal).getResponse()), close);
      }
    },
    onClosed(callback) {
      response.once('close', callback);
    },
  };
}
