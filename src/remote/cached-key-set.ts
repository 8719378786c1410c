import { isJsonObject } from '../model/unknown-value.js';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import { KeySet } from '../keys/key-set.js';
import type { StoredKeys } from '../keys/key-store.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import type { Jwks } from './jwks-client.js';

/** A key set in use. Times are milliseconds since 1970. */
export interface CachedKeySet {
  readonly jwks: Jwks;
  readonly source: NonNullable<IssuerKeyHealth['source']>;
  /** The address that the set was fetched from by this process. */
  readonly address: string | undefined;
  /** When the request for the set was sent; -Infinity for the fallback, whose age is unknown. */
  readonly fetchedAt: number;
  readonly freshUntil: number;
  readonly usableUntil: number;
}

type Lifetime = Pick<ResolvedRemoteKeys, 'refreshSeconds' | 'maxStaleSeconds'>;

/** Lower bound of the `max-age` of the issuer, whose upper bound is `refreshSeconds`. Prevents constant requests. */
const MIN_FRESH_SECONDS = 60;

export function cachedFromIssuer(
  jwks: Jwks,
  address: string,
  fetchedAt: number,
  maxAgeSeconds: number | undefined,
  { refreshSeconds, maxStaleSeconds }: Lifetime,
): CachedKeySet {
  const freshSeconds = Math.min(Math.max(maxAgeSeconds ?? refreshSeconds, MIN_FRESH_SECONDS), refreshSeconds);
  return { jwks, source: 'issuer', address, ...times(fetchedAt, { refreshSeconds: freshSeconds, maxStaleSeconds }) };
}

/**
 * @param stored The value that the application's store returned; it may be anything.
 * @param origin How the keys of the issuer are found now.
 * @throws Error if the value cannot be used.
 */
export function cachedFromStore(stored: unknown, origin: string, now: number, lifetime: Lifetime): CachedKeySet {
  if (!isJsonObject(stored)) throw new Error('the stored value is not an object');
  const { fetchedAtMs, jwks } = stored as Partial<StoredKeys>;
  if (typeof fetchedAtMs !== 'number' || !(fetchedAtMs <= now))
    throw new Error('`fetchedAtMs` is not a time in the past');
  // Otherwise keys from an address that was removed from the options would be accepted for another day.
  if (stored.origin !== origin) throw new Error('`origin` does not match the configured `keys`');
  if (!isJsonObject(jwks) || !Array.isArray(jwks.keys)) throw new Error('`jwks` is not a key set');
  const keySet = new KeySet(jwks.keys as unknown[]);
  if (!keySet.isUsable) throw new Error('`jwks` has no usable key');
  return { jwks: unconditional(keySet), source: 'store', address: undefined, ...times(fetchedAtMs, lifetime) };
}

/** Returns the fallback keys of the options as a set that never expires and is never fresh. */
export function cachedFromFallback(keySet: KeySet): CachedKeySet {
  const never = { fetchedAt: -Infinity, freshUntil: -Infinity, usableUntil: Infinity };
  return { jwks: unconditional(keySet), source: 'fallback', address: undefined, ...never };
}

function times(fetchedAt: number, { refreshSeconds, maxStaleSeconds }: Lifetime) {
  return {
    fetchedAt,
    freshUntil: fetchedAt + refreshSeconds * 1000,
    usableUntil: fetchedAt + Math.max(refreshSeconds, maxStaleSeconds) * 1000,
  };
}

function unconditional(keySet: KeySet): Jwks {
  return { keySet, digest: '', conditions: {} };
}
