import type { IssuerKeyHealth } from '../keys/key-source.js';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import type { FetchedKeySet } from './jwks-client.js';

/** A key set in use. Times are milliseconds since 1970. */
export interface CachedKeySet {
  readonly keySet: KeySet;
  readonly source: NonNullable<IssuerKeyHealth['source']>;
  /** Undefined if this process did not fetch the set. */
  readonly fetched?: FetchedKeySet;
  /** When the request for the set was sent; -Infinity for the fallback, whose age is unknown. */
  readonly fetchedAt: number;
  readonly freshUntil: number;
  readonly usableUntil: number;
}

/** Lower bound of the `max-age` of the issuer, whose upper bound is `refreshSeconds`. Prevents constant requests. */
const MIN_FRESH_SECONDS = 60;

export function lifetime(
  fetchedAt: number,
  { refreshSeconds, maxStaleSeconds }: Pick<ResolvedRemoteKeys, 'refreshSeconds' | 'maxStaleSeconds'>,
  maxAgeSeconds = refreshSeconds,
): Pick<CachedKeySet, 'fetchedAt' | 'freshUntil' | 'usableUntil'> {
  const freshSeconds = Math.min(Math.max(maxAgeSeconds, MIN_FRESH_SECONDS), refreshSeconds);
  return {
    fetchedAt,
    freshUntil: fetchedAt + freshSeconds * 1000,
    usableUntil: fetchedAt + Math.max(freshSeconds, maxStaleSeconds) * 1000,
  };
}
