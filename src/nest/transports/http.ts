import type { ExecutionContext } from '@nestjs/common';
import type { Presented } from '../../token/authenticator.js';
import { bearerToken, type TokenCarrier, type TokenExtractor } from '../../token/token-extractor.js';
import { toHttpException } from '../refusals/exceptions.js';
import { isAuthRefusal, type Refusal } from '../refusals/refusal.js';
import { eventStream, type RawResponse } from './event-stream.js';
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
  readonly socket?: { getPeerCertificate?(): { readonly raw?: Uint8Array } };
}

/** The response of Express, the reply of Fastify, or Node's own response in a middleware. */
interface HttpResponse {
  setHeader?(name: string, value: string | readonly string[]): unknown;
  header?(name: string, value: string | readonly string[]): unknown;
  readonly raw?: RawResponse;
}

export const httpTransport: Transport = {
  requestOf: (context) => context.switchToHttp().getRequest<object>(),

  memoOf: (context, request) => request ?? context.switchToHttp().getRequest<object>(),

  read(request, context, extractor) {
    if (!extractor.isHeaderOnly) return readHttp(request as HttpRequest, context, extractor);
    const sent = authorizationHeaders(request as HttpRequest);
    return sent.some((value) => value !== '')
      ? new HttpPresented(bearerToken(sent), request as HttpRequest)
      : undefined;
  },

  answer(refusal, context) {
    setChallenges(refusal, context);
    return isAuthRefusal(refusal) ? toHttpException(refusal) : refusal.error;
  },

  connectionOf(context, isEventStream) {
    if (!isEventStream) return undefined;
    const response = context.switchToHttp().getResponse<HttpResponse & RawResponse>();
    return eventStream(response.raw ?? response);
  },
};

/** The presented credentials of an HTTP request. Everything except the token is read on first use. */
export class HttpPresented implements Presented {
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
  const token = extractor.extract(httpCarrier(request), context);
  return token === undefined ? undefined : new HttpPresented(token, request);
}

function setChallenges({ challenges, error }: Refusal, context: ExecutionContext): void {
  const [first] = challenges;
  if (first !== undefined) setHttpHeader(context, 'WWW-Authenticate', challenges.length === 1 ? first : challenges);
  const { retryAfterSeconds } = (error ?? {}) as { retryAfterSeconds?: number };
  if (retryAfterSeconds !== undefined && isAuthRefusal({ challenges, error }))
    setHttpHeader(context, 'Retry-After', String(retryAfterSeconds));
}

function setHttpHeader(context: ExecutionContext, name: string, value: string | readonly string[]): void {
  const response = context.switchToHttp().getResponse<HttpResponse | undefined>();
  if (response?.setHeader !== undefined) response.setHeader(name, value);
  else response?.header?.(name, value);
}

/** The parts of an HTTP request that can carry a token. */
function httpCarrier(request: HttpRequest): TokenCarrier {
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

/** Returns every `Authorization` header that was sent. Node keeps the first and drops the others silently. */
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
  // A middleware may have set the header; the raw headers do not contain it then.
  return sent > 1 ? new Array<string>(sent).fill(value) : [value];
}
