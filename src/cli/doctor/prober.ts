import { withoutQuery } from '../../model/address.js';
import type { FetchError } from '../../remote/fetch-error.js';
import { exchange, type ExchangeOptions } from '../../remote/http-exchange.js';
import { printable } from '../printable.js';

/** The result of one request. */
export interface Probe {
  /** Without the query. */
  readonly address: string;
  readonly body?: unknown;
  /** Why the response is not a JSON document, for people. */
  readonly failure?: string;
  /** The error code of the system or of TLS, `STATUS` and the status, or the code of the {@link FetchError}. */
  readonly code?: string;
  readonly isUnreachable: boolean;
  /** The target of a redirect, without the query. */
  readonly location?: string;
}

export interface ProberOptions extends Pick<ExchangeOptions, 'fetch' | 'timeoutMs'> {
  readonly clock: () => number;
}

/** Sends requests as the API does, and keeps what explains a failure. */
export class Prober {
  /** The clock of the first server that sent a date. The uncertainty is whole seconds and half of the round trip. */
  serverClock: { readonly aheadSeconds: number; readonly uncertainSeconds: number } | undefined;
  /** Addresses whose server did not answer. */
  readonly unreachable = new Set<string>();
  readonly fetchOptions: ExchangeOptions;

  constructor(private readonly options: ProberOptions) {
    this.fetchOptions = { fetch: options.fetch, timeoutMs: options.timeoutMs, maxBytes: 512 * 1024 };
  }

  /** Never rejects. */
  async probe(address: string): Promise<Probe> {
    const { clock, fetch } = this.options;
    const sentAt = clock();
    let response: Response | undefined;
    const recordingFetch: typeof globalThis.fetch = async (...parameters) => {
      const received = await fetch(...parameters);
      response = received;
      this.readClock(received.headers, sentAt, clock());
      return received;
    };
    const common = { address: withoutQuery(address), isUnreachable: false };
    try {
      const { body } = await exchange(address, { ...this.fetchOptions, fetch: recordingFetch });
      return { ...common, body };
    } catch (error) {
      const { code, message, isUnreachable } = error as FetchError;
      if (isUnreachable) this.unreachable.add(address);
      const status = code === 'STATUS' ? `STATUS ${String(response?.status)}` : undefined;
      return {
        ...common,
        isUnreachable,
        failure: printable(message),
        code: status ?? systemErrorCode(error) ?? code,
        location: redirectTarget(response?.headers.get('location') ?? undefined, address),
      };
    }
  }

  private readClock(headers: Headers, sentAt: number, receivedAt: number): void {
    const date = Date.parse(headers.get('date') ?? '');
    if (Number.isNaN(date)) return;
    // RFC 9111 §5.1: the `Date` of a cached response is as old as its `Age`.
    const age = Number(headers.get('age') ?? 0);
    const serverTime = date + (Number.isFinite(age) ? age * 1000 : 0) + 500;
    const transitMs = Math.max(0, receivedAt - sentAt) / 2;
    this.serverClock ??= {
      aheadSeconds: (serverTime - sentAt - transitMs) / 1000,
      uncertainSeconds: (500 + transitMs) / 1000,
    };
  }
}

function redirectTarget(location: string | undefined, base: string): string | undefined {
  if (location === undefined || !URL.canParse(location, base)) return undefined;
  const { origin, pathname } = new URL(location, base);
  return origin + pathname;
}

/** `fetch` wraps the error of the system, sometimes several times. The code of the outermost error is our own. */
function systemErrorCode(error: unknown): string | undefined {
  const { cause } = (error ?? {}) as { readonly cause?: { readonly code?: unknown } };
  if (cause === undefined) return undefined;
  return typeof cause.code === 'string' ? cause.code : systemErrorCode(cause);
}

/** Fixes for failed requests, by a pattern for {@link Probe.code}. The first pattern that matches applies. */
const FIXES: Readonly<Record<string, string>> = {
  'TIMEOUT|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT':
    'Check for a firewall or a proxy between this machine and {host} (behind a proxy, set the `fetch` option). If the server is only slow, increase --timeout.',
  'ENOTFOUND|EAI_AGAIN':
    'Check the spelling of {hostname}. If it is correct, this machine or container uses a DNS server that does not know it.',
  ECONNREFUSED:
    "No server listens on {host}. Check the port, and that the server runs. In a container, localhost is the container itself: use the name of the service, and keys: { from: 'discovery', uri } if tokens name another address.",
  'ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)':
    'This port most likely speaks http. Use the https port, or write http://{host} (on loopback, or in a closed network with --allow-http).',
  CERT_HAS_EXPIRED: 'The certificate of {hostname} has expired. Renew it.',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'The certificate is not for {hostname}. Write a name that the certificate has, or issue one for {hostname}.',
  '.*SELF_SIGNED.*|UNABLE_TO_.*':
    'This machine does not trust the issuer of the certificate. Start Node with NODE_EXTRA_CA_CERTS=/path/to/ca.pem; do not disable certificate verification.',
  '.*(?:CERT|SSL|TLS).*|EPROTO':
    'The server does not speak TLS 1.2 or later on this port. Check the port and the TLS settings of the server.',
  REDIRECT:
    'Redirects are not followed, because the target could choose the keys. Write the address that the redirect leads to{target}. If that is a sign-in page, publish this document without authentication.',
  'MEDIA_TYPE|NOT_JSON':
    'This is a sign-in page or a single-page application, not a document of an authorization server. Write the address of the authorization server, as `iss` in a token has it.',
  'STATUS 40[13]': 'This document must be public (RFC 8414 §3). Allow its path without authentication.',
  'STATUS (?:429|5..)': 'The server is overloaded or has an internal error. Check its log and the log of any proxy.',
};

/** Returns undefined if the responses only show that the address is wrong. */
export function failureFix(probes: readonly Probe[]): string | undefined {
  for (const [pattern, fix] of Object.entries(FIXES)) {
    const failed = probes.find(({ code = '' }) => new RegExp(`^(?:${pattern})$`).test(code));
    if (failed === undefined) continue;
    const { host, hostname } = new URL(failed.address);
    const target = failed.location === undefined ? '' : ` (${printable(failed.location)})`;
    return fix.replaceAll('{host}', host).replaceAll('{hostname}', hostname).replace('{target}', target);
  }
  const [{ address, isUnreachable }] = probes as [Probe];
  return isUnreachable
    ? `The connection was closed. Check that this port speaks ${new URL(address).protocol.slice(0, -1)}, and the log of any proxy.`
    : undefined;
}
