import { withoutQuery } from '../model/address.js';
import { withDeadline } from './deadline.js';
import { FetchError } from './fetch-error.js';

// What issuers send for JSON (RFC 8414 §3.2, RFC 7517 §8.5), and what file servers send for a file of JSON.
const MEDIA_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/json|text\/plain|application\/octet-stream)$/;

export interface FetchJsonOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For the whole exchange, the body included: a body that drips does not outlive it. */
  readonly timeoutMs: number;
  /** Largest body that is read. */
  readonly maxBytes: number;
  /** Ends the exchange before its time. */
  readonly signal?: AbortSignal;
}

/** What a conditional request (RFC 9110 §13.1) compares with. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export type JsonAnswer =
  | { readonly isModified: false; readonly maxAgeSeconds: number | undefined }
  | {
      readonly isModified: true;
      readonly body: unknown;
      readonly validators: Validators;
      /** How long the answer may be used, as its sender says (RFC 9111 §5.2.2.1); 0 for `no-store` and `no-cache`. */
      readonly maxAgeSeconds: number | undefined;
    };

/**
 * The one door to the network. Always settles, within `timeoutMs`; follows no redirect, because a redirect would let
 * whoever can answer once decide where keys come from; reads `maxBytes` at most.
 *
 * @param address was checked with the options, or with the metadata that it stands in.
 * @param validators of the answer that is there already: the server may say that it still holds.
 * @throws FetchError
 */
export async function fetchJson(
  address: string,
  options: FetchJsonOptions,
  validators?: Validators,
): Promise<JsonAnswer> {
  try {
    return await withDeadline(options.timeoutMs, options.signal, (signal) =>
      exchange(address, options, signal, validators),
    );
  } catch (error) {
    const failure = error instanceof FetchError ? error : new FetchError('NETWORK', reasonOf(error), { cause: error });
    const { code, message, cause, retryAfterSeconds } = failure;
    throw new FetchError(code, `${withoutQuery(address)}: ${message}`, { cause, retryAfterSeconds });
  }
}

async function exchange(
  address: string,
  { fetch, maxBytes }: FetchJsonOptions,
  signal: AbortSignal,
  validators?: Validators,
): Promise<JsonAnswer> {
  const conditions = conditionsOf(validators);
  const headers = { accept: 'application/json', ...conditions };
  const response = await fetch(address, { redirect: 'manual', signal, headers });
  const maxAgeSeconds = maxAgeOf(response.headers);
  // To a request without a condition it says nothing.
  if (response.status === 304 && Object.keys(conditions).length > 0) {
    discard(response);
    return { isModified: false, maxAgeSeconds };
  }
  if (response.status !== 200) {
    discard(response);
    const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
    throw new FetchError(isRedirect ? 'REDIRECT' : 'STATUS', `answered with status ${String(response.status)}`, {
      retryAfterSeconds: retryAfterOf(response),
    });
  }
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== undefined && mediaType !== '' && !MEDIA_TYPE.test(mediaType)) {
    discard(response);
    const type = JSON.stringify(mediaType.slice(0, 80));
    throw new FetchError('MEDIA_TYPE', `answered with ${type}, which is not JSON`);
  }
  return {
    isModified: true,
    body: parse(await readText(response, maxBytes, signal)),
    validators: validatorsOf(response),
    maxAgeSeconds,
  };
}

function conditionsOf(validators: Validators | undefined): Record<string, string> {
  const { etag, lastModified } = validators ?? {};
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(lastModified === undefined ? {} : { 'if-modified-since': lastModified }),
  };
}

function validatorsOf({ headers }: Response): Validators {
  return { etag: headers.get('etag') ?? undefined, lastModified: headers.get('last-modified') ?? undefined };
}

function maxAgeOf(headers: Headers): number | undefined {
  const cacheControl = headers.get('cache-control')?.toLowerCase() ?? '';
  if (/(?:^|[\s,])no-(?:store|cache)(?:[\s,=]|$)/.test(cacheControl)) return 0;
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/.exec(cacheControl)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** Seconds only: a date would have to be read against the server's clock. */
function retryAfterOf({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

function discard(response: Response): void {
  // So that the connection is given back. Whether that works is of no interest to the caller.
  response.body?.cancel().catch(() => undefined);
}

async function readText(response: Response, maxBytes: number, signal: AbortSignal): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    // Nobody waits any more; a `fetch` of the user's own may not look at the signal.
    signal.throwIfAborted();
    size += chunk.byteLength;
    if (size > maxBytes) throw new FetchError('TOO_LARGE', `answered with more than ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  // Leaves out a byte order mark, which RFC 8259 §8.1 lets a reader ignore.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new FetchError('NOT_JSON', 'answered with a body that is not JSON');
  }
}

/** `fetch` says "fetch failed" and keeps what happened in `cause`. */
function reasonOf(error: unknown): string {
  const { cause = error } = (error ?? {}) as { cause?: unknown };
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message : 'failed';
}
