import { printable } from '../printable.js';
import type { Probe } from './probe.js';

export interface Diagnosed {
  readonly found: string;
  readonly mend: string;
}

/** Why nobody answered, in words, and what to do about it. */
export function whyUnreachable({ address, failure, errorCode }: Probe, timeoutMs: number): Diagnosed {
  const { host, hostname } = new URL(address);
  const code = errorCode ?? failure?.code ?? 'NETWORK';
  if (failure?.code === 'TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return {
      found: `${host} did not answer within ${String(timeoutMs / 1000)} s (timeout)`,
      mend: `See whether a firewall or a proxy stands between this machine and ${host} (behind a proxy: the \`fetch\` option). If it is only slow, try --timeout ${String(Math.min(60, Math.ceil((timeoutMs / 1000) * 4)))}.`,
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      found: `the name ${hostname} is not known here (DNS: ${code})`,
      mend: `Check the spelling of ${hostname}. If it is right, this machine (or container) asks a DNS server that does not know it.`,
    };
  }
  if (code === 'ECONNREFUSED') {
    return {
      found: `${host} refused the connection (${code})`,
      mend: `Nobody listens there: check the port, and whether the server runs. In a container, localhost is the container itself: use the service's name, and keys: { from: 'discovery', uri } where tokens name another address.`,
    };
  }
  if (isTlsError(code)) return { found: `TLS with ${host} fails (${code})`, mend: tlsMend(code, address) };
  return {
    found: `${host} broke off the connection (${printable(code)})`,
    mend: `See whether the server's port speaks ${new URL(address).protocol.slice(0, -1)}, and what a proxy in between says.`,
  };
}

function isTlsError(code: string): boolean {
  return /CERT|SSL|TLS|^UNABLE_TO_|^EPROTO$/.test(code);
}

function tlsMend(code: string, address: string): string {
  const { host, hostname } = new URL(address);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return `This port most likely speaks http: ask at the one that speaks https, or write http://${host} (on loopback, or in a closed network with --allow-http).`;
  if (code === 'CERT_HAS_EXPIRED') return `Have the certificate of ${hostname} renewed; it expired.`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `The certificate is for another name than ${hostname}: write the name that stands in it, or have one made for ${hostname}.`;
  if (/SELF_SIGNED|^UNABLE_TO_/.test(code))
    return `This machine does not know who signed the certificate: start Node with NODE_EXTRA_CA_CERTS=/path/to/ca.pem (do not switch the verification off).`;
  return `The server does not speak TLS on this port as Node does: check the port, and the server's TLS versions (1.2 or later).`;
}

/** What an answer was that is no JSON document. */
export function whyNoDocument({ failure, status, mediaType, location, address }: Probe): string {
  const path = new URL(address).pathname;
  switch (failure?.code) {
    case 'REDIRECT':
      return `${path} redirects (${String(status)})${location === undefined ? '' : ` to ${printable(location)}`}`;
    case 'STATUS':
      return `${path} answers ${String(status)}`;
    case 'MEDIA_TYPE':
      return `${path} answers with ${isPage(mediaType) ? 'a page' : 'something'} (${printable(mediaType ?? '')}) instead of JSON`;
    case 'NOT_JSON':
      return `${path} answers with a body that is not JSON`;
    case 'TOO_LARGE':
      return `${path} answers with more than 512 KiB`;
    default:
      return failure === undefined
        ? `${path} answers with JSON that is something else`
        : `${path} fails (${failure.code})`;
  }
}

export function isPage(mediaType: string | undefined): boolean {
  return mediaType === 'text/html' || mediaType === 'application/xhtml+xml';
}
