/** Largest body that is read. A key set of 100 keys has about 60 KiB. */
const MAX_BODY_BYTES = 512 * 1024;

// What issuers send for JSON (RFC 8414 §3.2, RFC 7517 §8.5), and what file servers send for a file of JSON.
const MEDIA_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/json|text\/plain|application\/octet-stream)$/;

export interface FetchJsonOptions {
  readonly fetch: typeof globalThis.fetch;
  /** For the whole exchange, the body included: a body that drips does not outlive it. */
  readonly timeoutMs: number;
}

/** Why something could not be fetched, in words for the log. Never quotes the body. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
}

/**
 * The one door to the network. Always settles, within `timeoutMs`; follows no redirect, because a redirect would let
 * whoever can answer once decide where keys come from; reads 512 KiB at most.
 *
 * @param address was checked with the options, or with the metadata that it stands in.
 * @throws FetchError
 */
export async function fetchJson(address: string, { fetch, timeoutMs }: FetchJsonOptions): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  const deadline = new Promise<never>((_resolve, reject) => {
    // A `fetch` of the user's own may not look at the signal.
    signal.addEventListener('abort', () => {
      reject(new FetchError(`no answer within ${String(timeoutMs)} ms`));
    });
  });
  try {
    return await Promise.race([exchange(address, fetch, signal), deadline]);
  } catch (error) {
    if (error instanceof FetchError) throw new FetchError(`${address}: ${error.message}`);
    throw new FetchError(`${address}: ${reasonOf(error)}`, { cause: error });
  }
}

async function exchange(address: string, fetch: typeof globalThis.fetch, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(address, { redirect: 'manual', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    discard(response);
    throw new FetchError(`answered with status ${String(response.status)}`);
  }
  const mediaType = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== undefined && mediaType !== '' && !MEDIA_TYPE.test(mediaType)) {
    discard(response);
    throw new FetchError(`answered with ${JSON.stringify(mediaType.slice(0, 80))}, which is not JSON`);
  }
  const text = await readText(response);
  try {
    return JSON.parse(text);
  } catch {
    throw new FetchError('answered with a body that is not JSON');
  }
}

function discard(response: Response): void {
  // So that the connection is given back. Whether that works is of no interest to the caller.
  response.body?.cancel().catch(() => undefined);
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw new FetchError(`answered with more than ${String(MAX_BODY_BYTES)} bytes`);
    chunks.push(chunk);
  }
  // Leaves out a byte order mark, which RFC 8259 §8.1 lets a reader ignore.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** `fetch` says "fetch failed" and keeps what happened in `cause`. */
function reasonOf(error: unknown): string {
  const { cause = error } = (error ?? {}) as { cause?: unknown };
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return code;
  return typeof message === 'string' ? message : 'failed';
}
