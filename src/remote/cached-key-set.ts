import { isJsonObject } from '../model/json-object.js';
import type { IssuerKeyHealth } from '../keys/issuer-key-health.js';
import { KeySet } from '../keys/key-set.js';
import type { StoredKeys } from '../keys/key-store.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { type Jwks, NO_VALIDATORS } from './jwks-client.js';

/** A key set in service. Times are milliseconds since 1970. */
export interface CachedKeySet {
  readonly jwks: Jwks;
  readonly source: NonNullable<IssuerKeyHealth['source']>;
  /** The address that it came from. */
  readonly address: string | undefined;
  /** When the issuer was asked for it; nobody knows for a fallback. */
  readonly fetchedAt: number;
  readonly freshUntil: number;
  readonly servesUntil: number;
}

type Limits = Pick<ResolvedRemoteKeys, 'refreshSeconds' | 'maxStaleSeconds'>;

/** What `max-age` cannot get below: else a careless header would make us ask all the time. */
const MIN_FRESH_SECONDS = 60;

/** @param maxAgeSeconds how long the issuer lets it be used; counts within bounds. */
export function cachedFromIssuer(
  jwks: Jwks,
  address: string,
  fetchedAt: number,
  maxAgeSeconds: number | undefined,
  { refreshSeconds, maxStaleSeconds }: Limits,
): CachedKeySet {
  const asked = Math.max(maxAgeSeconds ?? refreshSeconds, MIN_FRESH_SECONDS);
  const times = timesOf(fetchedAt, { refreshSeconds: Math.min(asked, refreshSeconds), maxStaleSeconds });
  return { jwks, source: 'issuer', address, ...times };
}

/**
 * @param stored what a store of the user's returned: anything.
 * @param origin by which way keys come now.
 * @throws Error for what cannot be used.
 */
export function cachedFromStore(stored: unknown, origin: string, now: number, limits: Limits): CachedKeySet {
  if (!isJsonObject(stored)) throw new Error('they are no object');
  const { fetchedAtMs, jwks } = stored as Partial<StoredKeys>;
  if (typeof fetchedAtMs !== 'number' || !(fetchedAtMs <= now)) throw new Error('they were not fetched in the past');
  // Else keys of an address that the options name no more would count for a day.
  if (stored.origin !== origin) throw new Error('they came another way than the options say now');
  if (!isJsonObject(jwks) || !Array.isArray(jwks.keys)) throw new Error('they are no key set');
  const keySet = new KeySet(jwks.keys as unknown[]);
  if (!keySet.isUsable) throw new Error('there is no usable key among them');
  return { jwks: uncheckable(keySet), source: 'store', address: undefined, ...timesOf(fetchedAtMs, limits) };
}

/** Keys that the options pin. They do not age: whoever wrote them down vouches for them. */
export function cachedFromFallback(keySet: KeySet): CachedKeySet {
  const times = { fetchedAt: -Infinity, freshUntil: -Infinity, servesUntil: Infinity };
  return { jwks: uncheckable(keySet), source: 'fallback', address: undefined, ...times };
}

function timesOf(
  fetchedAt: number,
  { refreshSeconds, maxStaleSeconds }: Limits,
): Pick<CachedKeySet, 'fetchedAt' | 'freshUntil' | 'servesUntil'> {
  return {
    fetchedAt,
    freshUntil: fetchedAt + refreshSeconds * 1000,
    servesUntil: fetchedAt + Math.max(refreshSeconds, maxStaleSeconds) * 1000,
  };
}

function uncheckable(keySet: KeySet): Jwks {
  return { keySet, digest: '', validators: NO_VALIDATORS };
}
