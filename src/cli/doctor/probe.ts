import { withoutQuery } from '../../model/address.js';
import { printable } from '../../model/printable-text.js';
import { REMOTE_KEY_DEFAULTS } from '../../options/resolve-keys.js';
import { exchange, type ExchangeOptions, type ExchangeRequest, type FetchError } from '../../remote/http-exchange.js';

export interface Probe {
  /** Without the query. */
  readonly address: string;
  readonly body?: unknown;
  /** Why the response is not a JSON document. Starts with the address. */
  readonly failure?: string;
  readonly isUnreachable: boolean;
  /** The status of the response, which may be another than a JSON document. Undefined without a response. */
  readonly status: number | undefined;
  readonly headers: Headers;
  /** How far the clock of the server is ahead of the clock of this machine. */
  readonly aheadSeconds: number | undefined;
}

export interface ProbeOptions extends Pick<ExchangeOptions, 'fetch' | 'timeoutMs'> {
  readonly clock: () => number;
  /** False if only the status and the headers matter, because a body may never end. Default true. */
  readonly readsBody?: boolean;
}

export async function probe(
  url: string,
  { fetch, timeoutMs, clock, readsBody = true }: ProbeOptions,
  request: ExchangeRequest = {},
): Promise<Probe> {
  const address = withoutQuery(url);
  let aheadSeconds: number | undefined;
  let target = '';
  let status: number | undefined;
  let headers = new Headers();
  const recordingFetch: typeof globalThis.fetch = async (...parameters) => {
    const response = await fetch(...parameters);
    ({ status, headers } = response);
    // RFC 9111 §5.1: the `Date` of a cached response is as old as its `Age`.
    const sentAt = Date.parse(headers.get('date') ?? '') + Number(headers.get('age')) * 1000;
    if (!Number.isNaN(sentAt)) aheadSeconds = Math.round((sentAt - clock()) / 1000);
    const location = headers.get('location');
    if (location !== null && URL.canParse(location, url)) {
      // Other parts of the address may contain a secret.
      const { origin, pathname } = new URL(location, url);
      target = `, to ${origin}${pathname}`;
    }
    if (readsBody) return response;
    response.body?.cancel().catch(() => undefined);
    return new Response(null, response);
  };
  try {
    const limits = { timeoutMs, maxBytes: REMOTE_KEY_DEFAULTS.maxBytes };
    const { body } = await exchange(url, { fetch: recordingFetch, ...limits }, request);
    return { address, body, isUnreachable: false, status, headers, aheadSeconds };
  } catch (error) {
    const { message, isUnreachable } = error as FetchError;
    return { address, failure: printable(message + target), isUnreachable, status, headers, aheadSeconds };
  }
}

/** Fixes by pattern. The first pattern that matches the failure of a probe applies. */
const FIXES = {
  'no answer within|TIMEDOUT|TIMEOUT':
    'Check for a firewall or a proxy between this machine and {host} (behind a proxy, set the `fetch` option). If the server is only slow, increase --timeout.',
  'ENOTFOUND|EAI_AGAIN':
    'Check the spelling of {host}. If it is correct, this machine or container uses a DNS server that does not know it.',
  ECONNREFUSED:
    "No server listens on {host}. Check the port, and that the server runs. In a container, localhost is the container itself: use the name of the service, and keys: { from: 'discovery', uri } if tokens name another address.",
  'CERT|SELF_SIGNED|UNABLE_TO_':
    'The certificate of {host} has expired, is for another host, or comes from an issuer that this machine does not trust. Renew it, correct the host, or start Node with NODE_EXTRA_CA_CERTS=/path/to/ca.pem. Do not disable certificate verification.',
  'status 3':
    'Redirects are not followed, because the target could choose the keys. Write the address that the redirect leads to. If that is a sign-in page, publish this document without authentication.',
  'not JSON':
    'This is a sign-in page or a single-page application, not a document of an authorization server. Write the address of the authorization server, as `iss` in a token has it.',
  'status 40[13]': 'This document must be public (RFC 8414 §3). Allow its path without authentication.',
  'status (?:429|5)': 'The server is overloaded or has an internal error. Check its log and the log of any proxy.',
};

/** Returns undefined if the responses only show that the address is wrong. */
export function failureFix(...probes: readonly Probe[]): string | undefined {
  for (const [pattern, fix] of Object.entries(FIXES)) {
    const failed = probes.find(({ address, failure = '' }) => failure.slice(address.length).search(pattern) >= 0);
    if (failed !== undefined) return fix.replaceAll('{host}', new URL(failed.address).host);
  }
  if (!probes.some(({ isUnreachable }) => isUnreachable)) return undefined;
  return 'The connection was closed. Check the port, that the server speaks TLS 1.2 or later if the address is https, and the log of any proxy.';
}
