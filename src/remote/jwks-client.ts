import { createHash } from 'node:crypto';
import { JwksClient } from 'jwks-rsa';
import { withoutQuery } from '../model/address.js';
import { isJsonObject } from '../model/json-object.js';
import { KeySet } from '../keys/key-set.js';
import { FetchError } from './fetch-error.js';
import { fetchJson, type FetchJsonOptions, type JsonAnswer, type Validators } from './http-exchange.js';

/** A key set as it came from an address. */
export interface Jwks {
  readonly keySet: KeySet;
  /** Of the set as it was published. */
  readonly digest: string;
  readonly validators: Validators;
}

/**
 * A key set, fetched and parsed by jwks-rsa. Its own cache (a handful of single keys) and its rate limit stay off: with
 * them, random key ids of an unauthenticated caller use up the budget of the good ones. Its own request stays unused,
 * which has no total deadline and no size limit, and never settles on a body that is cut off.
 *
 * @param known what came from this address before. Where the issuer says that it still holds, or sends the same again,
 * its `keySet` is kept: no key is imported twice.
 * @throws FetchError also for a set that holds no key which could verify a token: such a set must replace nothing.
 */
export async function fetchJwks(
  address: string,
  options: FetchJsonOptions,
  known?: Jwks,
): Promise<{ readonly jwks: Jwks; readonly maxAgeSeconds: number | undefined }> {
  const answers: JsonAnswer[] = [];
  const client = new JwksClient({
    jwksUri: address,
    cache: false,
    rateLimit: false,
    fetcher: async (uri) => {
      const answer = await fetchJson(uri, options, known?.validators);
      answers.push(answer);
      return answer.isModified && isJsonObject(answer.body) ? (answer.body as { keys: unknown }) : { keys: undefined };
    },
  });
  const keys = await client.getKeys();
  const [answer] = answers as [JsonAnswer];
  const { maxAgeSeconds } = answer;
  if (!answer.isModified && known !== undefined) return { jwks: known, maxAgeSeconds };
  if (!Array.isArray(keys)) throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: has no list of keys`);
  const validators = answer.isModified ? answer.validators : NO_VALIDATORS;
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  const keySet = known?.digest === digest ? known.keySet : usableKeySet(keys, address);
  return { jwks: { keySet, digest, validators }, maxAgeSeconds };
}

export const NO_VALIDATORS: Validators = { etag: undefined, lastModified: undefined };

function usableKeySet(keys: readonly unknown[], address: string): KeySet {
  const keySet = new KeySet(keys);
  if (keySet.isUsable) return keySet;
  const reasons = keySet.problems.slice(0, 10).join('; ') || 'empty';
  throw new FetchError('KEYS_UNUSABLE', `${withoutQuery(address)}: holds no usable key (${reasons})`);
}
