import { withoutQuery } from '../../model/address.js';
import type { FetchError } from '../../remote/fetch-error.js';
import { exchange, type ExchangeOptions } from '../../remote/http-exchange.js';

export type ProbeOptions = Pick<ExchangeOptions, 'fetch' | 'timeoutMs' | 'maxBytes'> & {
  readonly clock: () => number;
};

/** One exchange as the package makes it, and what of the answer tells why it did not do. */
export interface Probe {
  /** Without its query. */
  readonly address: string;
  readonly tookMs: number;
  readonly body?: unknown;
  readonly failure?: FetchError;
  /** Of the system or of the TLS library: `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly errorCode?: string;
  readonly status?: number;
  readonly mediaType?: string;
  /** Where a redirect leads. */
  readonly location?: string;
  readonly clock?: ServerClock;
}

/** The server's clock against ours. */
export interface ServerClock {
  /** More than 0: the server is ahead. */
  readonly aheadSeconds: number;
  /** Its header has whole seconds, and the answer was on its way for a while. */
  readonly uncertainSeconds: number;
}

/** Never rejects: what failed is in `failure`. */
export async function probe(address: string, options: ProbeOptions): Promise<Probe> {
  const { clock, fetch } = options;
  const sentAt = clock();
  let seen: Pick<Probe, 'status' | 'mediaType' | 'location' | 'clock'> = {};
  const looking: typeof globalThis.fetch = async (...call) => {
    const response = await fetch(...call);
    const { headers, status } = response;
    seen = {
      status,
      mediaType: headers.get('content-type')?.split(';')[0]?.trim().toLowerCase(),
      location: locationOf(headers, address),
      clock: clockOf(headers, sentAt, clock()),
    };
    return response;
  };
  const common = { address: withoutQuery(address) };
  try {
    const { body } = await exchange(address, { ...options, fetch: looking });
    return { ...common, ...seen, tookMs: clock() - sentAt, body };
  } catch (error) {
    const failure = error as FetchError;
    return { ...common, ...seen, tookMs: clock() - sentAt, failure, errorCode: errorCodeOf(failure) };
  }
}

function locationOf(headers: Headers, base: string): string | undefined {
  const location = headers.get('location');
  if (location === null || !URL.canParse(location, base)) return undefined;
  const { origin, pathname } = new URL(location, base);
  return origin + pathname;
}

function clockOf(headers: Headers, sentAt: number, answeredAt: number): ServerClock | undefined {
  const date = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(date)) return undefined;
  // RFC 9111 §5.1: an answer out of a cache has the date of when it was made.
  const age = Number(headers.get('age') ?? 0);
  const theirs = date + (Number.isFinite(age) ? age * 1000 : 0) + 500;
  const onItsWay = Math.max(0, answeredAt - sentAt);
  return {
    aheadSeconds: (theirs - (sentAt + onItsWay / 2)) / 1000,
    uncertainSeconds: (500 + onItsWay / 2) / 1000,
  };
}

/** `fetch` wraps what happened several times over. */
function errorCodeOf(error: unknown): string | undefined {
  let inner = error as { readonly cause?: unknown; readonly code?: unknown } | undefined;
  // The outermost is our own, whose code says less.
  while ((inner = inner?.cause as typeof inner) !== undefined) {
    if (typeof inner.code === 'string') return inner.code;
  }
  return undefined;
}
