/** Takes the token out of a call by itself: the bare token, or `Bearer …`; undefined or '' where there is none. */
export type TokenReader<Context> = (context: Context) => string | undefined;

/** A place where the token of a call may stand. Made by `fromBearerHeader`, `cookie`, `fromFormBody` and `query`. */
export type TokenPlace =
  | { readonly from: 'bearer-header' }
  | { readonly from: 'cookie'; readonly name: string; readonly origins: readonly string[] }
  | { readonly from: 'form-body' | 'query'; readonly name: string };

export const TOKEN_PLACES: readonly TokenPlace['from'][] = ['bearer-header', 'cookie', 'form-body', 'query'];

/**
 * The `Authorization` header (RFC 6750 §2.1), which is the default, and what takes its place where there is none to set:
 * `auth.token` of a socket.io handshake, `Sec-WebSocket-Protocol: bearer, <token>`, the `connectionParams` of graphql-ws,
 * the metadata of gRPC.
 */
export function fromBearerHeader(): TokenPlace {
  return Object.freeze({ from: 'bearer-header' });
}

/**
 * A cookie. Browsers send it with requests that other sites cause (CSRF), so what may change something (any method but
 * GET, HEAD and OPTIONS, and the opening of a socket) is refused when it comes from another origin (403
 * ORIGIN_UNTRUSTED), by `Sec-Fetch-Site` and `Origin`. Set `SameSite`, `Secure` and `HttpOnly` on it all the same.
 *
 * @param options `origins` of the pages that may call, `['https://app.example.com']`. Default: the application's own, which
 * is what `Host` says.
 */
export function fromCookie(name: string, { origins = [] }: { readonly origins?: readonly string[] } = {}): TokenPlace {
  return Object.freeze({ from: 'cookie', name, origins: Object.freeze([...origins]) });
}

/**
 * A field of a form body, by default `access_token` (RFC 6750 §2.2): `application/x-www-form-urlencoded` only, and not
 * with GET.
 */
export function fromFormBody(name = 'access_token'): TokenPlace {
  return Object.freeze({ from: 'form-body', name });
}

/**
 * A parameter of the address, by default `access_token` (RFC 6750 §2.3). **Discouraged** (RFC 9700 §4.3.2): addresses
 * stand in logs, histories and referrers. The answer gets `Cache-Control: no-store`. For what cannot set a header, the
 * `EventSource` of a browser say, with tokens that live for seconds.
 */
export function fromQuery(name = 'access_token'): TokenPlace {
  return Object.freeze({ from: 'query', name });
}
