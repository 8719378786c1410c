import { isInternalHost } from '../../address.js';

/** One realm of Keycloak under two addresses. */
export interface RealmElsewhere {
  /** Where users reach it, as far as the names tell; without `/realms/…`. */
  readonly url: string;
  /** Where it is reached from within a network. */
  readonly internalUrl: string;
  /** Whether that is the address that was asked for (`--issuer`). */
  readonly isAskedInside: boolean;
}

/** @returns undefined for what differs in more than its host. */
export function sameRealmElsewhere(asked: string, named: string): RealmElsewhere | undefined {
  const [one, other] = [asked, named].map((issuer) => /^(https?:\/\/[^?#]+)\/realms\/([^/?#]+)$/.exec(issuer));
  const [, askedUrl, askedRealm] = one ?? [];
  const [, namedUrl, namedRealm] = other ?? [];
  if (askedUrl === undefined || namedUrl === undefined || askedRealm !== namedRealm) return undefined;
  if (!URL.canParse(askedUrl) || !URL.canParse(namedUrl)) return undefined;
  if (new URL(askedUrl).host === new URL(namedUrl).host) return undefined;
  const isAskedInside = isInside(askedUrl) && !isInside(namedUrl);
  return isAskedInside
    ? { url: namedUrl, internalUrl: askedUrl, isAskedInside }
    : { url: askedUrl, internalUrl: namedUrl, isAskedInside };
}

function isInside(url: string): boolean {
  const { hostname, protocol } = new URL(url);
  return protocol === 'http:' || isInternalHost(hostname) || !hostname.includes('.');
}
