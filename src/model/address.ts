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

// The networks of the IANA special-purpose registries (RFC 6890) that are not globally reachable, multicast and reserved addresses.
// Of IPv6 only those within 2000::/3, because no other address is global unicast (RFC 4291 §2.4).
const INTERNAL = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local: the metadata services of clouds.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  // IETF protocol assignments, Teredo (RFC 4380) among them.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
] as const) {
  INTERNAL.addSubnet(network, bits, isIP(network) === 4 ? 'ipv4' : 'ipv6');
}

// Names that the global DNS does not have: special-use names (RFC 6761, RFC 6762 with its appendix G, RFC 7686, RFC 8375,
// RFC 9476), `internal` (reserved by ICANN) and services of Kubernetes. `example` is not among them: it leads nowhere.
const INTERNAL_NAME =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|private|corp|home|lan|test|invalid|onion|alt|arpa|svc)$/;

/**
 * Whether the host is an address that is not globally reachable, or a name that only resolves inside a network: a name without a
 * dot, of a special-use domain, or of a cluster. Other names are not resolved.
 *
 * @param hostname The value of `URL.hostname`, with IPv6 in brackets and IPv4 in canonical form.
 */
export function isInternalHost(hostname: string): boolean {
  const host = withoutTrailing('.', hostname.replace(/^\[|\]$/g, ''));
  switch (isIP(host)) {
    case 4:
      return INTERNAL.check(host, 'ipv4');
    case 6:
      return isInternalIpv6(host);
    default:
      return !host.includes('.') || INTERNAL_NAME.test(host);
  }
}

function isInternalIpv6(host: string): boolean {
  const groups = ipv6Groups(host);
  const [first = 0, second = 0, third = 0, , fifth = 0, sixth = 0, seventh = 0, eighth = 0] = groups;
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(':');
  // The packets go to an IPv4 address: mapped (RFC 4291 §2.5.5.2), NAT64 (RFC 6052 §2.1), ISATAP (RFC 5214 §6.1), 6to4 (RFC 3056).
  const isTranslated = prefix === '0:0:0:0:0:ffff' || prefix === '64:ff9b:0:0:0:0';
  const isIsatap = (fifth & ~0x0200) === 0 && sixth === 0x5efe;
  if ((isTranslated || isIsatap) && isInternalIpv4(seventh, eighth)) return true;
  if (first === 0x2002 && isInternalIpv4(second, third)) return true;
  const isGlobalUnicast = (first & 0xe000) === 0x2000;
  return !isTranslated && (!isGlobalUnicast || INTERNAL.check(host, 'ipv6'));
}

function isInternalIpv4(high: number, low: number): boolean {
  return INTERNAL.check([high >> 8, high & 0xff, low >> 8, low & 0xff].join('.'), 'ipv4');
}

/** @param host in the form of `URL`: hexadecimal groups, with at most one `::`. */
function ipv6Groups(host: string): readonly number[] {
  const [head = [], tail = []] = host.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = new Array<string>(8 - head.length - tail.length).fill('0');
  return [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
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

export function withoutTrailingSlashes(text: string): string {
  return withoutTrailing('/', text);
}

/** Without a regular expression: `/\/+$/` takes quadratic time for many slashes that are not at the end. */
function withoutTrailing(character: string, text: string): string {
  let end = text.length;
  while (text[end - 1] === character) end -= 1;
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
