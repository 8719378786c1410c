import { createHash } from 'node:crypto';
import { JwksClient } from 'jwks-rsa';
import { withoutQuery } from '../model/address.js';
import { isJsonObject } from '../model/unknown-value.js';
import { KeySet } from '../keys/key-set.js';
import { FetchError } from './fetch-error.js';
import { exchange, type ExchangeOptions, type RequestHeaders } from './http-exchange.js';

/** A key set as fetched from an address. */
export interface Jwks {
  readonly keySet: KeySet;
  /** Digest of the published set. */
  readonly digest: string;
  readonly conditions: RequestHeaders;
}

/**
 * Fetches a key set and reads it with jwks-rsa. The cache of jwks-rsa (a few single keys) and its rate limit are off:
 * with them, random key ids from an unauthenticated caller use up the budget of known keys. Its HTTP request is replaced,
 * because it has no total deadline and no size limit, and never settles if a body is cut off.
 *
 * @param previous The last set from this address. Its `keySet` is reused if the set has not changed, so that no key is
 * imported twice.
 * @throws FetchError also if no key of the set can verify a token: such a set must not replace a usable one.
 */
export async function fetchJwks(
  address: string,
  options: ExchangeOptions,
  previous?: Jwks,
): Promise<{ readonly jwks: Jwks; readonly maxAgeSeconds: number | undefined }> {
  const { body, conditions, maxAgeSeconds } = await exchange(address, options, { headers: previous?.conditions });
  if (body === undefined && previous !== undefined) return { jwks: previous, maxAgeSeconds };
  const fetcher = () => Promise.resolve({ keys: isJsonObject(body) ? body.keys : undefined });
  const keys: unknown = await new JwksClient({ jwksUri: address, cache: false, rateLimit: false, fetcher }).getKeys();
  if (!Array.isArray(keys)) throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no list of keys`);
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  const keySet = previous?.digest === digest ? previous.keySet : usableKeySet(keys, address);
  return { jwks: { keySet, digest, conditions }, maxAgeSeconds };
}

function usableKeySet(keys: readonly unknown[], address: string): KeySet {
  const keySet = new KeySet(keys);
  if (keySet.isUsable) return keySet;
  const reasons = keySet.problems.slice(0, 10).join('; ') || 'empty';
  throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no usable key (${reasons})`);
}
