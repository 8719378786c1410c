/**
 * Reads the token of a call from a place of the application's own.
 * @returns the token, with or without `Bearer`; undefined or '' if the call has none.
 */
export type TokenReader<Context> = (context: Context) => string | undefined;

/** A place of the token in a call. Created by `fromBearerHeader`, `fromCookie`, `fromFormBody` and `fromQuery`. */
export type TokenPlace =
  | { readonly from: 'bearer-header' }
  | { readonly from: 'cookie'; readonly name: string; readonly origins: readonly string[] }
  | { readonly from: 'form-body' | 'query'; readonly name: string };

export const TOKEN_PLACES: readonly TokenPlace['from'][] = ['bearer-header', 'cookie', 'form-body', 'query'];

/**
 * Reads the token from the `Authorization` header with the scheme `Bearer` (RFC 6750 §2.1). This is the default.
 *
 * Where a client cannot set this header, the equivalent is read: `auth.token` of a socket.io handshake,
 * `Sec-WebSocket-Protocol: bearer, <token>`, the `connectionParams` of graphql-ws, or the metadata of a gRPC call.
 */
export function fromBearerHeader(): TokenPlace {
  return Object.freeze({ from: 'bearer-header' });
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
 * of the application itself. Wildcards are not supported. Default: only the origin of the application itself.
 */
export function fromCookie(name: string, { origins = [] }: { readonly origins?: readonly string[] } = {}): TokenPlace {
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
