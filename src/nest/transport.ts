import type { ExecutionContext } from '@nestjs/common';
import { AuthError } from '../errors.js';

/** What is read of a request, on Express and on Fastify alike. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Node's flat list of names and values; on Fastify it is on `raw`. */
  readonly rawHeaders?: readonly string[];
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/**
 * The request of this call. Only this file asks which transport it is.
 * @throws AuthError TOKEN_MISSING on a transport that we cannot read a token from: refused, never waved through.
 */
export function requestOf(context: ExecutionContext): HttpRequest {
  switch (context.getType<string>()) {
    case 'http':
      return context.switchToHttp().getRequest<HttpRequest>();
    default:
      throw new AuthError('TOKEN_MISSING', { transport: context.getType<string>() });
  }
}

/** The response on which a challenge can be set; undefined where the transport has no headers. */
export function responseOf(context: ExecutionContext): object | undefined {
  return context.getType() === 'http' ? context.switchToHttp().getResponse<object>() : undefined;
}

const AUTHORIZATION = 'authorization';

/** Whether no credentials at all were sent. */
export function isAnonymous(request: HttpRequest): boolean {
  return authorizationHeaders(request).every((value) => value === '');
}

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
