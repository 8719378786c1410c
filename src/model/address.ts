import { BlockList, isIP } from 'node:net';

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/**
 * Whether metadata or keys may be fetched from the address: https, or http on loopback, where no attacker is on the
 * network path. An address with credentials or a fragment is not allowed.
 */
export function isFetchableAddress(address: string, allowHttp: boolean): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password, hash } = new URL(address);
  if (`${username}${password}${hash}` !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && (allowHttp || LOOPBACK.test(hostname)));
}

// RFC 6890: loopback, private use, link-local (the metadata services of clouds) and "this network".
const INTERNAL = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  INTERNAL.addSubnet(network, bits, isIP(network) === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Whether the host is a loopback, private or link-local address, or a name of loopback. Other names are not resolved.
 *
 * @param hostname The value of `URL.hostname`, with IPv6 in brackets and IPv4 in canonical form.
 */
export function isInternalHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$|\.$/g, '');
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost');
  return INTERNAL.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Removes the query, which may contain a credential, for the log. */
export function withoutQuery(address: string): string {
  return address.split('?', 1)[0] ?? '';
}

/** Whether the text is an origin as browsers send it (RFC 6454 §6.2), without a path or a trailing slash. */
export function isOrigin(text: unknown): text is string {
  return typeof text === 'string' && URL.canParse(text) && new URL(text).origin === text;
}

/** Returns whether two addresses differ only in what is often mistyped: the scheme, the case or a trailing slash. */
export function isSimilarAddress(one: string, other: string): boolean {
  const common = one === other ? '' : normalize(one);
  return common !== '' && common === normalize(other);
}

/** Without a regular expression: `/\/+$/` takes quadratic time for many slashes that are not at the end. */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}

/** Returns whether the replacement would give up https, so that anyone on the network path could answer for the address. */
export function isDowngrade(from: string, to: string): boolean {
  return /^https:/i.test(from) && !/^https:/i.test(to);
}

function normalize(address: string): string {
  const text = address.trim();
  // `URL` removes the default port. A name that is no web address, such as `api://orders`, has no port.
  const url = /^https?:/i.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  const plain = url === undefined || `${url.search}${url.hash}` !== '' ? text : url.href;
  return withoutTrailingSlashes(plain.toLowerCase().replace(/^[a-z][a-z\d+.-]*:\/\//, ''));
}
