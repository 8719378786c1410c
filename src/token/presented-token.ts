import { AuthError } from '../model/errors.js';
import type { TokenPlace } from '../options/token-places.js';
import { bearerToken } from './bearer.js';

/** What of a call a token may stand in, whatever the transport. */
export interface TokenCarrier {
  /** Each `Authorization` that was sent. */
  readonly authorization: readonly string[];
  /** Takes the place of all others: what a client sent later, over a socket that it opened with another token. */
  readonly renewed?: string;
  /** Tokens that stand by themselves, where the transport has a place of its own for them. */
  readonly bare: readonly unknown[];
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** HTTP method; GET for the opening of a socket. Undefined where there is none. */
  readonly method?: string;
  /** Whether this opens a socket, over which anything may be sent later. */
  readonly opensSocket?: boolean;
  /** As it was sent: path and query. */
  readonly url?: string;
  /** The parsed body. */
  readonly body?: unknown;
}

/**
 * The tokens that stand in one place; mostly none or one.
 * @throws AuthError TOKEN_MALFORMED, and what `bearerToken` throws; ORIGIN_UNTRUSTED for a cookie that another site sent.
 */
export function tokensAt(place: TokenPlace, carrier: TokenCarrier): readonly string[] {
  switch (place.from) {
    case 'bearer-header': {
      const sent = carrier.authorization.filter((value) => value !== '');
      return [...(sent.length === 0 ? [] : [bearerToken(sent)]), ...textsOf(carrier.bare)];
    }
    case 'cookie': {
      const tokens = cookiesOf(carrier, place.name);
      if (tokens.length > 0) checkOrigin(carrier, place.origins);
      return tokens;
    }
    case 'form-body':
      return isForm(carrier) ? textsOf(memberOf(carrier.body, place.name)) : [];
    case 'query': {
      const start = carrier.url?.indexOf('?') ?? -1;
      return start === -1 ? [] : textsOf(new URLSearchParams(carrier.url?.slice(start + 1)).getAll(place.name));
    }
  }
}

/** RFC 6750 §2: a request must not carry a token in more than one way. */
export function onlyToken(tokens: readonly string[]): string | undefined {
  if (tokens.length > 1) throw new AuthError('TOKEN_MULTIPLE', { places: tokens.length });
  return tokens[0];
}

/** What a function of the application found: the bare token, or the value of an `Authorization` header. */
export function tokenOfText(text: unknown): readonly string[] {
  return textsOf([text]).map((found) => (found.includes(' ') ? bearerToken([found]) : found));
}

/** What was sent at a place; what is empty was not. */
export function textsOf(values: readonly unknown[]): readonly string[] {
  const texts: string[] = [];
  for (const value of values) {
    if (value === undefined || value === null || value === '') continue;
    if (typeof value !== 'string') throw new AuthError('TOKEN_MALFORMED', { reason: 'not a string' });
    texts.push(value);
  }
  return texts;
}

function cookiesOf({ headers }: TokenCarrier, name: string): readonly string[] {
  const { cookie } = headers;
  const values: string[] = [];
  for (const header of cookie === undefined ? [] : [cookie].flat()) {
    for (const pair of header.split(';')) {
      const equals = pair.indexOf('=');
      if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
      const value = pair.slice(equals + 1).trim();
      // RFC 6265 §4.1.1: a value may stand in quotation marks.
      const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
      values.push(isQuoted ? value.slice(1, -1) : value);
    }
  }
  return values.filter((value) => value !== '');
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Cookies come with requests that other sites cause. What browsers say about that, and no other site can make them
 * leave out: `Sec-Fetch-Site` and `Origin`. Whoever sends neither is no browser, and has no cookie that is not his own.
 */
function checkOrigin({ method, opensSocket, headers }: TokenCarrier, origins: readonly string[]): void {
  if (method !== undefined && SAFE_METHODS.includes(method) && opensSocket !== true) return;
  const origin = single(headers.origin);
  if (origin !== undefined && origins.includes(origin)) return;
  const site = single(headers['sec-fetch-site']);
  const isOwn = site === undefined ? origin === undefined || isOfHost(origin, headers) : SAME_SITE.includes(site);
  // A list replaces "our own": behind it may be another host of ours that is none of the listed ones.
  if (origins.length > 0 ? origin === undefined && isOwn : isOwn) return;
  throw new AuthError('ORIGIN_UNTRUSTED');
}

const SAME_SITE = ['same-origin', 'none'];

function isOfHost(origin: string, headers: TokenCarrier['headers']): boolean {
  try {
    return new URL(origin).host === single(headers.host);
  } catch {
    // `null`: a sandboxed frame, or a file.
    return false;
  }
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** RFC 6750 §2.2. */
function isForm({ method, headers }: TokenCarrier): boolean {
  const type = single(headers['content-type'])?.split(';')[0]?.trim().toLowerCase();
  return type === 'application/x-www-form-urlencoded' && method !== undefined && !SAFE_METHODS.includes(method);
}

function memberOf(body: unknown, name: string): readonly unknown[] {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return [];
  const value = (body as Record<string, unknown>)[name];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
