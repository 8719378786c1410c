import { AuthError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import type { ResolvedTokenFrom, TokenPlace } from '../options/token-places.js';
import { MAX_TOKEN_LENGTH } from './jwt/compact.js';

export interface TokenCarrier {
  /** Each `Authorization` header that was sent, also if it is empty. */
  readonly authorization: readonly string[];
  /** Tokens without a scheme, from a place that only this transport has. */
  readonly bare: readonly unknown[];
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** HTTP method; GET for a socket that is opened. Undefined if the transport has none. */
  readonly method?: string;
  /** Whether the call opens a socket, over which any message may follow. */
  readonly opensSocket?: boolean;
  /** Returns whether the client sent the call over TLS. False if that is unknown, as behind a proxy that is not trusted. */
  readonly isSecure?: () => boolean;
  /** Path and query as they were sent. */
  readonly url?: string;
  readonly body?: unknown;
}

/** Finds the token of a call in the places that the `tokenFrom` option lists. */
export class TokenExtractor {
  readonly isHeaderOnly: boolean;
  readonly readsQuery: boolean;

  constructor(private readonly tokenFrom: ResolvedTokenFrom) {
    const places = tokenFrom.map((place) => (typeof place === 'function' ? 'function' : place.from));
    this.isHeaderOnly = places.every((place) => place === 'bearer-header');
    this.readsQuery = places.includes('query');
  }

  /** Returns undefined if nothing was sent that could be a token. */
  extract(carrier: TokenCarrier, context: unknown): string | undefined {
    const tokens = this.tokenFrom.flatMap((place) =>
      typeof place === 'function'
        ? nonEmptyStrings([place(context)]).map((text) => (text.includes(' ') ? bearerToken([text]) : text))
        : tokensAt(place, carrier),
    );
    // RFC 6750 §2: a request must not carry a token in more than one way.
    if (tokens.length > 1) throw new AuthError('TOKEN_MULTIPLE', { places: tokens.length });
    return tokens[0];
  }
}

function tokensAt(place: TokenPlace, carrier: TokenCarrier): readonly string[] {
  switch (place.from) {
    case 'bearer-header':
      return nonEmptyStrings([sentToken(carrier.authorization), ...carrier.bare]);
    case 'header': {
      const tokens = nonEmptyStrings([own(carrier.headers, place.name)].flat()).map(tokenInHeader);
      // Own members only: a polluted prototype must not permit an origin.
      if (tokens.length > 0 && Object.hasOwn(place, 'origins')) checkOrigin(carrier, place.origins ?? []);
      return tokens;
    }
    case 'cookie': {
      const tokens = cookiesOf(carrier, place.name);
      if (tokens.length > 0) checkOrigin(carrier, place.origins);
      return tokens;
    }
    case 'form-body':
      return isForm(carrier) ? nonEmptyStrings(memberOf(carrier.body, place.name)) : [];
    case 'query': {
      const start = carrier.url?.indexOf('?') ?? -1;
      return start === -1 ? [] : nonEmptyStrings(new URLSearchParams(carrier.url?.slice(start + 1)).getAll(place.name));
    }
  }
}

export const SEVERAL_WORDS = 'a space or a comma in the token';

const SCHEME_LENGTH = 'Bearer'.length;

/**
 * Returns the token of the `Authorization` header (RFC 6750 §2.1). Without regular expressions, because this code
 * processes input of unauthenticated callers: the pattern of passport-jwt takes quadratic time.
 */
export function bearerToken(values: readonly string[]): string {
  if (values.length > 1) throw new AuthError('TOKEN_MULTIPLE', { headers: values.length });
  const value = values[0];
  if (value === undefined || value === '') throw new AuthError('TOKEN_MISSING');
  // RFC 9110 §11.1: the scheme is compared without case.
  const isBearer =
    value.slice(0, SCHEME_LENGTH).toLowerCase() === 'bearer' &&
    (value.length === SCHEME_LENGTH || value[SCHEME_LENGTH] === ' ');
  if (!isBearer) throw new AuthError('SCHEME_UNSUPPORTED');
  const token = value.slice(SCHEME_LENGTH).trim();
  if (token === '') throw new AuthError('TOKEN_MALFORMED', { reason: 'empty' });
  if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
  if (token.includes(' ') || token.includes(','))
    throw new AuthError('TOKEN_MULTIPLE', { headers: 1, reason: SEVERAL_WORDS });
  return token;
}

function tokenInHeader(value: string): string {
  // Node joins the values of a header that was sent twice.
  if (value.includes(',')) throw new AuthError('TOKEN_MULTIPLE', { headers: 1, reason: SEVERAL_WORDS });
  return value.includes(' ') ? bearerToken([value]) : value;
}

/**
 * Returns the token of the `Authorization` headers; undefined if none was sent. One empty header counts as none. Several are rejected
 * also if all of them are empty (TOKEN_MULTIPLE): a proxy or another component may have read another one than this package.
 */
export function sentToken(values: readonly string[]): string | undefined {
  return values.length === 0 || (values.length === 1 && values[0] === '') ? undefined : bearerToken(values);
}

/** Returns what was sent at a place; empty values count as absent. */
export function nonEmptyStrings(values: readonly unknown[]): readonly string[] {
  const texts: string[] = [];
  for (const value of values) {
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') throw new AuthError('TOKEN_MALFORMED', { reason: 'not a string' });
    texts.push(value);
  }
  return texts;
}

function cookiesOf({ headers }: TokenCarrier, name: string): readonly string[] {
  const values: string[] = [];
  for (const pair of [own(headers, 'cookie') ?? []].flat().join(';').split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    // RFC 6265 §4.1.1: a value may be quoted.
    const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    values.push(isQuoted ? value.slice(1, -1) : value);
  }
  return values.filter((value) => value !== '');
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Rejects cross-site requests (CSRF) as `fromCookie` describes. A site cannot suppress the two headers. */
function checkOrigin(carrier: TokenCarrier, origins: readonly string[]): void {
  const { method, opensSocket, headers } = carrier;
  if (method !== undefined && SAFE_METHODS.includes(method) && opensSocket !== true) return;
  const origin = single(headers, 'origin');
  if (origin !== undefined && origins.includes(origin)) return;
  const site = single(headers, 'sec-fetch-site');
  const isOfHost = origin === undefined || isOwnOrigin(origin, carrier);
  const isOwn = site === undefined ? isOfHost : ['same-origin', 'none'].includes(site);
  // A list replaces the default: another page of the same host may be untrusted then.
  if (origins.length > 0 ? origin === undefined && isOwn : isOwn) return;
  throw new AuthError('ORIGIN_UNTRUSTED');
}

function isOwnOrigin(origin: string, { headers, isSecure }: TokenCarrier): boolean {
  // `null` is the origin of a sandboxed frame or a file.
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  // RFC 9113 §8.3.1: HTTP/2 sends the host as `:authority`.
  if (host !== (single(headers, 'host') ?? single(headers, ':authority'))) return false;
  // Anyone on the network path can write a page with the origin http://… of the host. Without TLS here, a proxy may have ended it.
  return protocol === 'https:' || isSecure?.() !== true;
}

type Headers = TokenCarrier['headers'];

/** Node's headers inherit from `Object.prototype`, which may be polluted. */
function own(headers: Headers, name: string): Headers[string] {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

function single(headers: Headers, name: string): string | undefined {
  const value = own(headers, name);
  return typeof value === 'string' ? value : value?.[0];
}

/** RFC 6750 §2.2. */
function isForm({ method, headers }: TokenCarrier): boolean {
  const type = single(headers, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  return type === 'application/x-www-form-urlencoded' && method !== undefined && !SAFE_METHODS.includes(method);
}

function memberOf(body: unknown, name: string): readonly unknown[] {
  return isJsonObject(body) && Object.hasOwn(body, name) ? [body[name]].flat() : [];
}
