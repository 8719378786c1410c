import type { ExecutionContext } from '@nestjs/common';
import type { Presented } from '../../token/authenticator.js';
import { sentToken, type TokenCarrier, type TokenExtractor } from '../../token/token-extractor.js';
import { GUEST, memoryOf } from '../outcome.js';
import { isAuthRefusal, toHttpException } from '../refusals/refusal.js';
import { eventStream, type RawResponse } from './event-stream.js';
import { whenWritten } from './response-headers.js';
import type { Transport } from './transport.js';

/** The parts of a request that are read, the same on Express and Fastify. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Node's flat list of names and values; Fastify has it on `raw`. */
  readonly rawHeaders?: readonly string[];
  readonly raw?: { readonly rawHeaders?: readonly string[] };
  readonly method?: string;
  readonly url?: string;
  /** Express: the URL before a router removed its prefix. */
  readonly originalUrl?: string;
  readonly body?: unknown;
  /** Fastify and Express: of the client, if the application trusts the proxy in front of it. */
  readonly protocol?: string;
  /** The handshake of socket.io. */
  readonly secure?: boolean;
  readonly socket?: { readonly encrypted?: boolean; getPeerCertificate?(): { readonly raw?: Uint8Array } };
}

/** The response of Express, the reply of Fastify, or Node's own response in a middleware. */
interface HttpResponse {
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
  readonly raw?: RawResponse;
}

export const httpTransport: Transport = {
  requestOf: (context) => context.switchToHttp().getRequest<object>(),

  memoOf(context, guarded) {
    const request = guarded ?? context.switchToHttp().getRequest<HttpRequest>();
    if (isFromNode(request as HttpRequest)) return request;
    // A library may pass the same object for several messages. A public handler must not have the caller of another one.
    if (guarded === undefined) memoryOf(request, request).decide(GUEST);
    return context;
  },

  read(request, context, extractor) {
    if (!extractor.isHeaderOnly) return readHttp(request as HttpRequest, context, extractor);
    const token = sentToken(authorizationHeaders(request as HttpRequest));
    return token === undefined ? undefined : new HttpPresented(token, request as HttpRequest);
  },

  answer(refusal, context) {
    const challenge = refusal.challenges.join(', ');
    if (challenge !== '') setHttpHeader(context, 'WWW-Authenticate', challenge);
    if (!isAuthRefusal(refusal)) return refusal.error;
    const { retryAfterSeconds } = refusal.error;
    if (retryAfterSeconds !== undefined) setHttpHeader(context, 'Retry-After', String(retryAfterSeconds));
    return toHttpException(refusal);
  },

  connectionOf(context, kind) {
    if (kind === undefined) return undefined;
    const response = context.switchToHttp().getResponse<HttpResponse & RawResponse>();
    const raw = response.raw ?? response;
    const connection = eventStream(raw);
    if (kind === 'always') return connection;
    return {
      ...connection,
      whenOpened(listener) {
        whenWritten(raw, (headerOf) => {
          if (String(headerOf('content-type')).startsWith('text/event-stream')) listener();
        });
      },
    };
  },
};

function isFromNode({ rawHeaders, raw }: HttpRequest): boolean {
  return (rawHeaders ?? raw?.rawHeaders) !== undefined;
}

/** The presented credentials of an HTTP request. Everything except the token is read on first use. */
class HttpPresented implements Presented {
  readonly scheme = 'Bearer';

  constructor(
    readonly token: string,
    private readonly request: HttpRequest,
  ) {}

  get proofs(): readonly string[] {
    return [this.request.headers.dpop ?? []].flat();
  }

  get method(): string | undefined {
    return this.request.method;
  }

  get uri(): string | undefined {
    return this.request.originalUrl ?? this.request.url;
  }

  certificate(): Uint8Array | undefined {
    return this.request.socket?.getPeerCertificate?.().raw;
  }
}

/** Reads the token of an HTTP request in every place of `tokenFrom`. */
export function readHttp(
  request: HttpRequest,
  context: ExecutionContext,
  extractor: TokenExtractor,
  setHeader = setHttpHeader,
): Presented | undefined {
  // RFC 6750 §2.3: no cache may store a response to a request that can have its token in the address. Set it before
  // the token is read, because a refusal is a response as well.
  if (extractor.readsQuery) setHeader(context, 'Cache-Control', 'no-store');
  return readCarrier(request, context, extractor, { authorization: authorizationHeaders(request) });
}

/**
 * Reads the token of a socket in the request that opened it.
 * @param more tokens in places that only this kind of socket has.
 */
export function readHandshake(
  request: HttpRequest,
  context: ExecutionContext,
  extractor: TokenExtractor,
  { authorization = [], bare = [] }: Partial<Pick<TokenCarrier, 'authorization' | 'bare'>> = {},
): Presented | undefined {
  return readCarrier(request, context, extractor, {
    authorization: [...authorization, ...authorizationHeaders(request)],
    bare: [...bare, ...protocolTokens(request)],
    method: 'GET',
    opensSocket: true,
  });
}

/** @param special what this transport has instead of the parts of an HTTP request, or in addition to them. */
export function readCarrier(
  request: HttpRequest,
  context: ExecutionContext,
  extractor: TokenExtractor,
  special: Partial<TokenCarrier> & Pick<TokenCarrier, 'authorization'>,
): Presented | undefined {
  const { headers, method, body } = request;
  const carrier = {
    bare: [],
    headers,
    method,
    body,
    url: request.originalUrl ?? request.url,
    isSecure: () => isSecure(request),
    ...special,
  };
  const token = extractor.extract(carrier, context);
  return token === undefined ? undefined : new HttpPresented(token, request);
}

function isSecure(request: HttpRequest): boolean {
  return request.socket?.encrypted === true || request.protocol === 'https' || request.secure === true;
}

function setHttpHeader(context: ExecutionContext, name: string, value: string): void {
  const response = context.switchToHttp().getResponse<HttpResponse | undefined>();
  if (response?.setHeader !== undefined) response.setHeader(name, value);
  else response?.header?.(name, value);
}

/**
 * A browser can set no other header for a socket: `new WebSocket(url, ['bearer', token])`. The server answers with the first
 * protocol, so that the token is not sent back.
 */
function protocolTokens({ headers }: HttpRequest): readonly string[] {
  const sent = [headers['sec-websocket-protocol'] ?? []].flat().flatMap((value) => value.split(','));
  const protocols = sent.map((protocol) => protocol.trim());
  return protocols.filter((_protocol, index) => protocols[index - 1]?.toLowerCase() === 'bearer');
}

const AUTHORIZATION = 'authorization';
const NONE: readonly string[] = [];

/** Returns every `Authorization` header that was sent. Node keeps the first and drops the others silently. */
function authorizationHeaders(request: HttpRequest): readonly string[] {
  const { headers } = request;
  const value = Object.hasOwn(headers, AUTHORIZATION) ? headers[AUTHORIZATION] : undefined;
  if (value === undefined) return NONE;
  if (typeof value !== 'string') return value;
  const raw = request.rawHeaders ?? request.raw?.rawHeaders ?? NONE;
  let sent = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) sent += 1;
  }
  if (sent > 1) return new Array<string>(sent).fill(value);
  // A middleware may have set the header; the raw headers do not contain it then.
  return value === '' ? NONE : [value];
}
