import { createHash } from 'node:crypto';
import { JwksClient } from 'jwks-rsa';
import { withoutQuery } from '../model/address.js';
import { isJsonObject } from '../model/unknown-value.js';
import { KeySet } from '../keys/key-set.js';
import { exchange, type ExchangeOptions, FetchError, type JsonResponse } from './http-exchange.js';

export interface FetchedKeySet extends Omit<JsonResponse, 'body'> {
  readonly keySet: KeySet;
  readonly address: string;
  readonly digest: string;
}

/**
 * Fetches a key set and reads it with jwks-rsa, without its cache (a few single keys) and rate limit: with them, random key
 * ids of unauthenticated callers use up the budget of known keys. Its own request never settles if a body is cut off.
 *
 * @param last The last fetched set. Its `keySet` is reused if the set has not changed, so that no key is imported twice.
 * @throws FetchError also if no key of the set can verify a token: such a set must not replace a usable one.
 */
export async function fetchJwks(
  address: string,
  options: ExchangeOptions,
  last: FetchedKeySet | undefined,
): Promise<FetchedKeySet> {
  const previous = last?.address === address ? last : undefined;
  const { body, conditions, maxAgeSeconds } = await exchange(address, options, { headers: previous?.conditions });
  if (body === undefined && previous !== undefined) return { ...previous, maxAgeSeconds };
  const fetcher = () => Promise.resolve({ keys: isJsonObject(body) ? body.keys : undefined });
  const keys: unknown = await new JwksClient({ jwksUri: address, cache: false, rateLimit: false, fetcher }).getKeys();
  if (!Array.isArray(keys)) throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no list of keys`);
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  const keySet = previous?.digest === digest ? previous.keySet : new KeySet(keys);
  if (!keySet.isUsable) {
    const reasons = keySet.problems.slice(0, 10).join('; ') || 'empty';
    throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no usable key (${reasons})`);
  }
  return { keySet, address, digest, conditions, maxAgeSeconds };
}
