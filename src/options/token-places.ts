import { isOrigin } from '../model/address.js';
import { quoted } from '../model/printable-text.js';
import { isJsonObject, ownMembers } from '../model/unknown-value.js';
import type { OptionReader } from './option-reader.js';

/**
 * Reads the token of a call from a place of the application's own.
 * @returns the token, with or without `Bearer`; undefined or '' if the call has none.
 */
export type TokenReader<Context> = (context: Context) => string | undefined;

/** Created by `fromBearerHeader`, `fromHeader`, `fromCookie`, `fromFormBody` and `fromQuery`. */
export type TokenPlace =
  | { readonly from: 'bearer-header' }
  | { readonly from: 'cookie'; readonly name: string; readonly origins: readonly string[] }
  | { readonly from: 'header'; readonly name: string; readonly origins?: readonly string[] }
  | { readonly from: 'form-body' | 'query'; readonly name: string };

export type ResolvedTokenFrom = readonly (TokenPlace | TokenReader<unknown>)[];

/**
 * Reads the token from the `Authorization` header with the scheme `Bearer` (RFC 6750 §2.1). This is the default.
 *
 * Where a client cannot set this header, the equivalent is read: `auth.token` of a socket.io handshake,
 * `Sec-WebSocket-Protocol: bearer, <token>`, the `connectionParams` of graphql-ws and Mercurius, or the metadata of a gRPC call.
 */
export function fromBearerHeader(): TokenPlace {
  return Object.freeze({ from: 'bearer-header' });
}

/**
 * Reads the token from a request header of its own, with or without `Bearer`. Proxies such as Cloudflare Access send the token in
 * one. **Not** checked: that the request came through the proxy, so that anyone who has a token can send it directly.
 *
 * @param name of the header, in any case. Not `Authorization`, which `fromBearerHeader` reads, and not `Cookie`.
 * @param options `origins`: for a proxy that sets the header because of a cookie. Browsers also send the cookie with requests that other
 * sites cause (CSRF), so that requests from other origins are rejected as by {@link fromCookie}; an empty list permits only the
 * origin of the application. Default: the origin is not checked, because other sites cannot set a header.
 */
export function fromHeader(name: string, options: { readonly origins?: readonly string[] } = {}): TokenPlace {
  const { origins } = ownMembers(options);
  return Object.freeze({
    from: 'header',
    name: typeof name === 'string' ? name.toLowerCase() : name,
    ...(origins !== undefined && { origins: Object.freeze([...origins]) }),
  });
}

/**
 * Reads the token from a cookie.
 *
 * Browsers also send cookies with requests that other sites cause (CSRF). Requests from another origin are therefore
 * rejected with 403 ORIGIN_UNTRUSTED, by `Sec-Fetch-Site` and `Origin`. This applies to every method except GET, HEAD and
 * OPTIONS, and to the opening of a socket. **Not** checked: GET, HEAD and OPTIONS requests, which must not change anything,
 * and requests without both headers, which do not come from a browser. The attributes of the cookie are not visible to the
 * server: set `HttpOnly`, `Secure` and `SameSite`.
 *
 * @param name must be a valid cookie name (RFC 6265 §4.1.1).
 * @param options `origins`: the origins of the pages that may call, for example `['https://app.example.com']`; include that
 * of the application itself. Wildcards are not supported. Default: only the origin of the application itself, which is the `Host`
 * of the request, with https if the connection is encrypted or a trusted proxy states it, and with any scheme otherwise.
 */
export function fromCookie(name: string, options: { readonly origins?: readonly string[] } = {}): TokenPlace {
  const { origins = [] } = ownMembers(options);
  return Object.freeze({ from: 'cookie', name, origins: Object.freeze([...origins]) });
}

/**
 * Reads the token from a field of an `application/x-www-form-urlencoded` body (RFC 6750 §2.2). The field is ignored in
 * other content types and in GET, HEAD and OPTIONS requests. **Not** done: parsing of the body, which the framework must do.
 *
 * @param name of the field. Default `access_token`.
 */
export function fromFormBody(name = 'access_token'): TokenPlace {
  return Object.freeze({ from: 'form-body', name });
}

/**
 * Reads the token from a query parameter (RFC 6750 §2.3). **Discouraged** (RFC 9700 §4.3.2): addresses are written to logs,
 * browser histories and `Referer` headers. The response has `Cache-Control: no-store`. Use it only for clients that cannot
 * set a header, such as the `EventSource` of a browser, and with tokens that are valid for seconds.
 *
 * @param name of the parameter. Default `access_token`.
 */
export function fromQuery(name = 'access_token'): TokenPlace {
  return Object.freeze({ from: 'query', name });
}

const CALLS =
  'fromBearerHeader(), fromHeader(name), fromCookie(name), fromFormBody(), fromQuery(), or a function that returns the token';
// The names of headers (RFC 9110 §5.1) and cookies (RFC 6265 §4.1.1). Names of fields and parameters are not restricted.
const TOKEN = /^[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7a\x7c\x7e]+$/;

export function readTokenFrom(reader: OptionReader, name: string): ResolvedTokenFrom {
  const places = reader.items(name, CALLS, { nonEmpty: true, isItem: isPlace, fix: fixOfPlace });
  const keys = places.map((place) => (isPlace(place) ? keyOf(place) : undefined));
  keys.forEach((key, index) => {
    // The same place twice would find each token twice, and reject it (TOKEN_MULTIPLE).
    if (key !== undefined && keys.indexOf(key) < index)
      reader.problem(`${name}[${String(index)}]`, 'is listed before. Remove it.');
  });
  return places;
}

function keyOf(place: ResolvedTokenFrom[number]): unknown {
  if (typeof place === 'function') return place;
  return place.from === 'bearer-header' ? place.from : `${place.from} ${place.name}`;
}

function isPlace(place: unknown): place is ResolvedTokenFrom[number] {
  return fixOfPlace(place) === '';
}

function fixOfPlace(place: unknown): string {
  if (typeof place === 'function') return '';
  const { from, name, origins } = ownMembers(isJsonObject(place) ? place : {});
  if (from === 'bearer-header') return '';
  if (from !== 'header' && from !== 'cookie' && from !== 'form-body' && from !== 'query')
    return `It is not a place of a token. Set it to ${CALLS}.`;
  if (typeof name !== 'string' || name === '') return 'It has no name. Set a non-empty name.';
  if (from === 'header' && (!TOKEN.test(name) || ['authorization', 'cookie'].includes(name.toLowerCase())))
    return `Its name is ${quoted(name)}. Set it to the name of a header other than Authorization and Cookie.`;
  if (from !== 'cookie' && !(from === 'header' && origins !== undefined)) return '';
  if (!TOKEN.test(name))
    return `Its name is ${quoted(name)}. Use only characters that RFC 6265 §4.1.1 allows in the name of a cookie.`;
  // Origins are compared as strings, so a wildcard would match nothing.
  const isPageOrigin = (origin: unknown) => isOrigin(origin) && !origin.includes('*');
  if (Array.isArray(origins) && origins.every(isPageOrigin)) return '';
  return 'It has origins that are not valid. Set them to a list such as ["https://app.example.com"].';
}
