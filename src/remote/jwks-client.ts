import { createHash } from 'node:crypto';
import { JwksClient } from 'jwks-rsa';
import { keysIn } from '../keys/key-document.js';
import { KeySet } from '../keys/key-set.js';
import { withoutQuery } from '../model/address.js';
import { exchange, type ExchangeOptions, FetchError, type JsonResponse, mostTelling } from './http-exchange.js';

/** The keys at one address. */
interface KeyDocument extends Omit<JsonResponse, 'body'> {
  readonly address: string;
  readonly keys: readonly unknown[];
  /** When it was confirmed last, in milliseconds since 1970. */
  readonly fetchedAt: number;
}

/** The keys of all addresses of an issuer. */
export interface FetchedKeySet {
  readonly keySet: KeySet;
  readonly addresses: readonly string[];
  readonly documents: readonly KeyDocument[];
  readonly digest: string;
  readonly maxAgeSeconds: number | undefined;
  /** Why some of the addresses have no new keys. */
  readonly failures: readonly FetchError[];
}

export interface FetchJwksOptions extends ExchangeOptions {
  readonly maxStaleSeconds: number;
}

/**
 * Fetches the key sets at these addresses and unites them. An address that cannot be fetched keeps its last keys for `maxStaleSeconds`, as
 * long as another one answers.
 *
 * @param last The last fetched set. Its `keySet` is reused if no key has changed, so that no key is imported twice.
 * @throws FetchError if no address answers, or no key can verify a token: such a set must not replace a usable one.
 */
export async function fetchJwks(
  addresses: readonly string[],
  options: FetchJwksOptions,
  last: FetchedKeySet | undefined,
  now: number,
): Promise<FetchedKeySet> {
  const failures: FetchError[] = [];
  const fetched = addresses.map(async (address) => {
    const previous = last?.documents.find((document) => document.address === address);
    return fetchDocument(address, options, previous, now).catch((error: unknown) => {
      failures.push(error instanceof FetchError ? error : new FetchError('KEYS_UNUSABLE', 'cannot be read'));
      return previous !== undefined && now - previous.fetchedAt < options.maxStaleSeconds * 1000 ? previous : undefined;
    });
  });
  const documents = (await Promise.all(fetched)).filter((document) => document !== undefined);
  if (failures.length === addresses.length) throw mostTelling(failures);
  const keys = uniqueKeys(documents.flatMap((document) => document.keys));
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  const keySet = last?.digest === digest ? last.keySet : new KeySet(keys);
  if (!keySet.isUsable) {
    const reasons = keySet.problems.slice(0, 10).join('; ') || 'empty';
    const places = addresses.map(withoutQuery).join(', ');
    throw new FetchError('KEYS_UNUSABLE', `${places}: has no usable key (${reasons})`);
  }
  const ages = documents.map(({ maxAgeSeconds }) => maxAgeSeconds).filter((age) => age !== undefined);
  const maxAgeSeconds = ages.length === 0 ? undefined : Math.min(...ages);
  return { keySet, addresses, documents, digest, maxAgeSeconds, failures };
}

/**
 * Fetches one document and reads it with jwks-rsa, without its cache (a few single keys) and rate limit: with them, random key
 * ids of unauthenticated callers use up the budget of known keys. Its own request never settles if a body is cut off.
 */
async function fetchDocument(
  address: string,
  options: ExchangeOptions,
  previous: KeyDocument | undefined,
  now: number,
): Promise<KeyDocument> {
  const response = await exchange(address, options, { headers: previous?.conditions });
  const { body, conditions, maxAgeSeconds } = response;
  if (body === undefined && previous !== undefined) return { ...previous, maxAgeSeconds, fetchedAt: now };
  const fetcher = () => Promise.resolve({ keys: keysIn(body) });
  const keys: unknown = await new JwksClient({ jwksUri: address, cache: false, rateLimit: false, fetcher }).getKeys();
  if (!Array.isArray(keys)) throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no list of keys`);
  return { address, keys, conditions, maxAgeSeconds, fetchedAt: now };
}

/** Several servers of one issuer publish some keys in common. */
function uniqueKeys(keys: readonly unknown[]): readonly unknown[] {
  return [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
}
