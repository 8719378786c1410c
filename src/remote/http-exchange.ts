import { setMaxListeners } from 'node:events';
import { isPem } from '../keys/key-document.js';
import { withoutQuery } from '../model/address.js';
import { quoted } from '../model/printable-text.js';
import { parseJson } from '../model/unknown-value.js';
import type { RemoteKeyOptions, RequestHeaders } from '../options/options.js';
import { isRequestHeader } from '../options/resolve-keys.js';

// `application/jwk-set+json` (RFC 7517 §8.5.2) is the only type of some servers. The last range is for file servers, which send any type.
const ACCEPT = 'application/json, application/jwk-set+json, */*;q=0.1';
/** The first byte of HTML and XML. */
const LESS_THAN = 0x3c;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;

export interface ExchangeOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Deadline of the whole exchange, including the body. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Its reason is a {@link FetchError}. */
  readonly signal?: AbortSignal;
}

export interface ExchangeRequest {
  readonly method?: 'GET' | 'POST';
  readonly headers?: RequestHeaders;
  readonly body?: string;
}

export interface JsonResponse {
  /** The parsed JSON, or the text of a PEM file; undefined if a conditional request was answered with 304. */
  readonly body: unknown;
  /** Headers that make the next request for this resource conditional (RFC 9110 §13.1). */
  readonly conditions: RequestHeaders;
  /** The freshness lifetime (RFC 9111 §5.2.2.1); 0 for `no-store` and `no-cache`. */
  readonly maxAgeSeconds: number | undefined;
}

/**
 * Sends one request and reads the JSON response. Every request of this package goes through this function: it always
 * settles within `timeoutMs`, reads at most `maxBytes`, and follows no redirect, because a redirect could move the source
 * of the keys or send credentials to another server.
 * @param address The caller has checked that it may be fetched.
 * @throws FetchError
 */
export async function exchange(
  address: string,
  { fetch, timeoutMs, maxBytes, signal: outer }: ExchangeOptions,
  request: ExchangeRequest = {},
): Promise<JsonResponse> {
  try {
    return await withDeadline(timeoutMs, outer, async (signal) => {
      const headers = { accept: ACCEPT, ...request.headers };
      const response = await fetch(address, { ...request, headers, redirect: 'manual', signal });
      const isConditional = 'if-none-match' in headers || 'if-modified-since' in headers;
      const isNotModified = isConditional && response.status === 304;
      const problem = isNotModified ? undefined : responseProblem(response);
      // Canceling the body releases the connection; a failure to cancel does not matter.
      if (isNotModified || problem !== undefined) response.body?.cancel().catch(() => undefined);
      if (problem !== undefined) throw problem;
      const body = isNotModified ? undefined : parseBody(await readText(response, maxBytes, signal), response);
      return { body, conditions: nextConditions(response), maxAgeSeconds: maxAgeSeconds(response) };
    });
  } catch (error) {
    const failure = error instanceof FetchError ? error : new FetchError('NETWORK', networkReason(error));
    const { code, message, retryAfterSeconds, status } = failure;
    throw new FetchError(code, `${withoutQuery(address)}: ${message}`, retryAfterSeconds, status);
  }
}

/** Adds the configured headers to requests to these origins only: they may contain a credential. */
export function withHeaders(
  fetch: typeof globalThis.fetch,
  configured: RemoteKeyOptions['headers'],
  origins: readonly string[],
): typeof globalThis.fetch {
  if (configured === undefined) return fetch;
  return async (address, init) => {
    const isTrusted = origins.includes(new URL(address).origin);
    const headers = isTrusted ? await (typeof configured === 'function' ? configured() : configured) : {};
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    // The error of `fetch` would quote the value.
    if (!own.every(([name, value]) => isRequestHeader(name, value)))
      throw new FetchError('NETWORK', 'is not requested: `keys.headers` has a name or a value that is not valid');
    return fetch(address, { ...init, headers: { ...(init?.headers as RequestHeaders), ...Object.fromEntries(own) } });
  };
}

/**
 * Runs an operation with a deadline. Settles in time even if `run` ignores its signal, as a custom `fetch` may do.
 *
 * Uses `setTimeout`, because some versions of Node collect the timer of an `AbortSignal.timeout` that `AbortSignal.any`
 * combines with another signal, and the deadline never fires.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  // Each request of the operation adds a listener, and Node warns about a leak after ten.
  setMaxListeners(0, signal);
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as FetchError);
    });
  });
  const abort = () => {
    controller.abort(outer?.reason);
  };
  outer?.addEventListener('abort', abort);
  const timer = setTimeout(() => {
    controller.abort(new FetchError('TIMEOUT', `no answer within ${String(timeoutMs)} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([aborted, run(signal)]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}

function responseProblem({ status, type, headers }: Response): FetchError | undefined {
  if (status === 200) return undefined;
  const code = type === 'opaqueredirect' || (status >= 300 && status < 400) ? 'REDIRECT' : 'STATUS';
  // A date is ignored: it would have to be compared with the server's clock.
  const retryAfter = /^\d{1,6}$/.exec(headers.get('retry-after') ?? '')?.[0];
  const retryAfterSeconds = retryAfter === undefined ? undefined : Number(retryAfter);
  return new FetchError(code, `answered with status ${String(status)}`, retryAfterSeconds, status);
}

function nextConditions({ headers }: Response): RequestHeaders {
  const values = { 'if-none-match': headers.get('etag'), 'if-modified-since': headers.get('last-modified') };
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== null));
}

function maxAgeSeconds({ headers }: Response): number | undefined {
  const cacheControl = headers.get('cache-control')?.toLowerCase() ?? '';
  if (/(?:^|[\s,])no-(?:store|cache)(?:[\s,=]|$)/.test(cacheControl)) return 0;
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/.exec(cacheControl)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** @throws FetchError MEDIA_TYPE at the first bytes of a web page, which may never end. */
async function readText({ body, headers }: Response, maxBytes: number, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // An error thrown inside the loop cancels the stream.
  for await (const chunk of (body ?? []) as unknown as AsyncIterable<Uint8Array>) {
    // A custom `fetch` may ignore the signal and keep sending after the deadline.
    signal.throwIfAborted();
    size += chunk.byteLength;
    if (size > maxBytes) throw new FetchError('TOO_LARGE', `answered with more than ${String(maxBytes)} bytes`);
    if (chunks.length === 0 && chunk[0] === LESS_THAN) throw notJson(headers);
    chunks.push(chunk);
  }
  // The decoder removes a byte order mark, which RFC 8259 §8.1 allows a parser to ignore.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Returns the JSON value, or the text of a PEM file. The content type does not matter: file servers send JSON files with any type. */
function parseBody(text: string, { headers }: Response): unknown {
  if (isPem(text)) return text;
  try {
    return parseJson(text);
  } catch {
    // The parser's message quotes the text.
    throw notJson(headers);
  }
}

function notJson(headers: Headers): FetchError {
  const mediaType = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (mediaType === '' || JSON_TYPE.test(mediaType))
    return new FetchError('NOT_JSON', 'answered with a body that is not JSON');
  return new FetchError('MEDIA_TYPE', `answered with ${quoted(mediaType, 80)}, which is not JSON`);
}

/** `fetch` puts the system error into the `cause` of its "fetch failed". */
function networkReason(error: unknown): string {
  const { cause = error } = (error ?? {}) as { cause?: unknown };
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message : 'failed';
}

/** A stable code for each kind of failure, for metrics and health checks. It contains no text from the network. */
export type FetchErrorCode =
  | 'NETWORK'
  | 'TIMEOUT'
  | 'CLOSED'
  | 'STATUS'
  | 'REDIRECT'
  | 'MEDIA_TYPE'
  | 'TOO_LARGE'
  | 'NOT_JSON'
  | 'METADATA_INVALID'
  | 'ISSUER_MISMATCH'
  | 'ADDRESS_REFUSED'
  | 'KEYS_UNUSABLE';

/** A failed exchange with an authorization server. The message is for the log and never quotes a response body. */
export class FetchError extends Error {
  override readonly name = 'FetchError';

  constructor(
    readonly code: FetchErrorCode,
    message: string,
    /** The delay that the server requested (RFC 9110 §10.2.3), if any. */
    readonly retryAfterSeconds?: number,
    /** The HTTP status, with the code `STATUS` or `REDIRECT`. */
    readonly status?: number,
  ) {
    super(message);
  }

  /** Whether there was no response. Another address of the same server is then unlikely to respond. */
  get isUnreachable(): boolean {
    return isUnreachable(this.code);
  }
}

/** Whether a failure with this code means that there was no response. */
export function isUnreachable(code: string | undefined): boolean {
  return code === 'NETWORK' || code === 'TIMEOUT' || code === 'CLOSED';
}

/** Answers that a server sends for an address at which it has no document. */
const MISSING: readonly (number | undefined)[] = [400, 404, 405, 406, 410];

/** Returns the failure of several addresses that says most about the cause. At most of them, an issuer has no document. */
export function mostTelling(failures: readonly FetchError[]): FetchError {
  const rank = ({ code, status }: FetchError) => (code === 'ISSUER_MISMATCH' ? 0 : MISSING.includes(status) ? 2 : 1);
  return failures.reduce((best, each) => (rank(each) < rank(best) ? each : best));
}
