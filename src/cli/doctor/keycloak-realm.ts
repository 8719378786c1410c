import { isFetchableAddress, isInternalHost } from '../../model/address.js';

/** One realm of Keycloak under two addresses, without `/realms/…`. */
export interface RealmElsewhere {
  /** That of `--issuer`. */
  readonly asked: string;
  /** That of a token, which anybody may have made. */
  readonly named: string;
  /** Which of the two is reached from within a network only; undefined: none, or both. */
  readonly inside: 'asked' | 'named' | undefined;
}

/** @returns undefined for what differs in more than its host, or is not to be fetched from. */
export function sameRealmElsewhere(asked: string, named: string): RealmElsewhere | undefined {
  const [one, other] = [asked, named].map((issuer) => /^(https?:\/\/[^?#]+)\/realms\/([^/?#]+)$/.exec(issuer));
  const [, askedUrl, askedRealm] = one ?? [];
  const [, namedUrl, namedRealm] = other ?? [];
  if (askedUrl === undefined || namedUrl === undefined || askedRealm !== namedRealm) return undefined;
  if (!isFetchableAddress(askedUrl, true) || !isFetchableAddress(namedUrl, true)) return undefined;
  if (new URL(askedUrl).host === new URL(namedUrl).host) return undefined;
  const isAskedInside = isInside(askedUrl);
  const inside = isAskedInside === isInside(namedUrl) ? undefined : isAskedInside ? 'asked' : 'named';
  return { asked: askedUrl, named: namedUrl, inside };
}

// RFC 6762 §3, RFC 8375, ICANN's `internal`, and the services of Kubernetes: nobody can register these.
const NOT_PUBLIC = /\.(?:local|internal|home\.arpa|svc)$/;

function isInside(url: string): boolean {
  const { hostname } = new URL(url);
  if (isInternalHost(hostname)) return true;
  const name = hostname.replace(/\.$/, '');
  // An IPv6 address has no dots, either.
  return !name.startsWith('[') && (!name.includes('.') || NOT_PUBLIC.test(name));
}
