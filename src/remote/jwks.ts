import { JwksClient } from 'jwks-rsa';
import { AuthError } from '../errors.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { KeySet } from '../keys/key-set.js';
import type { KeySource } from '../keys/key-source.js';
import { FetchError, fetchJson } from './fetch-json.js';

export interface RemoteKeysOptions extends ResolvedRemoteKeys {
  readonly issuer: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Finds the address of the key set; asked again after a fetch from that address has failed. */
  readonly locate: () => string | Promise<string>;
  /** Told about each fetch that failed, for the log. */
  readonly onProblem: (message: string) => void;
}

const MAX_PAUSE_MS = 30_000;

/**
 * The key set of an issuer, fetched whole by jwks-rsa and kept whole. jwks-rsa's own cache (a handful of single keys)
 * and its rate limit stay off: with them, random key ids of an unauthenticated caller use up the budget of the good
 * ones.
 *
 * - One fetch at a time; whoever needs it waits for the same one.
 * - A set older than `refreshSeconds` is fetched again beside the requests that it still serves.
 * - While the issuer cannot be reached the last set serves, until `staleSeconds` after it came.
 * - A key id that is not in the set causes a fetch, at most one each `cooldownSeconds`.
 * - After failures there is a pause, from one second up to half a minute.
 */
export class RemoteKeys implements KeySource {
  private keySet: KeySet | undefined;
  private fetchedAt = -Infinity;
  private address: string | undefined;
  private pending: Promise<void> | undefined;
  private failures = 0;
  private retryAt = -Infinity;
  private nextUnknownAt = -Infinity;

  constructor(private readonly options: RemoteKeysOptions) {}

  keySetFor(kid: string | undefined, unlike?: KeySet): KeySet | Promise<KeySet> {
    const now = this.options.clock();
    const { keySet } = this;
    if (keySet === undefined || this.age(now) >= this.options.staleSeconds) return this.awaitRefresh();
    if (keySet === unlike || keySet.candidates(kid).length === 0) return this.searchUnknown(keySet, now);
    const due = this.age(now) >= this.options.refreshSeconds;
    if (!due || now < this.retryAt) return keySet;
    const refreshed = this.refresh();
    // A set that nobody asked for over a long time is not trusted unseen. In an outage it is all there is.
    const isForgotten = this.failures === 0 && this.age(now) >= 2 * this.options.refreshSeconds;
    return isForgotten ? refreshed.then(() => this.keySet ?? keySet) : keySet;
  }

  private age(now: number): number {
    return (now - this.fetchedAt) / 1000;
  }

  /** No set to answer from: wait for one, or say when to come back. */
  private async awaitRefresh(): Promise<KeySet> {
    if (this.options.clock() >= this.retryAt) await this.refresh();
    const now = this.options.clock();
    if (this.keySet === undefined || this.age(now) >= this.options.staleSeconds) throw this.unavailable(now);
    return this.keySet;
  }

  private async searchUnknown(known: KeySet, now: number): Promise<KeySet> {
    if (this.pending !== undefined) {
      await this.pending;
    } else if (now >= this.nextUnknownAt && now >= this.retryAt) {
      await this.refresh();
      // A fetch that failed has found nothing out; when the next one may be is for its pause to say.
      if (this.failures === 0) this.nextUnknownAt = now + this.options.cooldownSeconds * 1000;
    }
    // The issuer may have published the key since: we do not know, and must not say that the token is bad.
    if (this.failures > 0) throw this.unavailable(this.options.clock());
    return this.keySet ?? known;
  }

  private unavailable(now: number): AuthError {
    const seconds = Math.ceil((this.retryAt - now) / 1000);
    return new AuthError(
      'KEYS_UNAVAILABLE',
      { issuer: this.options.issuer },
      { retryAfterSeconds: Math.max(1, seconds) },
    );
  }

  /** Never rejects: how it went is in the fields. */
  private refresh(): Promise<void> {
    this.pending ??= this.load().finally(() => {
      this.pending = undefined;
    });
    return this.pending;
  }

  private async load(): Promise<void> {
    const { clock, issuer, onProblem } = this.options;
    try {
      const keySet = await this.fetchKeySet();
      this.keySet = keySet;
      this.fetchedAt = clock();
      this.failures = 0;
      this.retryAt = -Infinity;
    } catch (error) {
      this.address = undefined;
      this.retryAt = clock() + Math.min(1000 * 2 ** this.failures, MAX_PAUSE_MS);
      this.failures += 1;
      report(onProblem, `Keys of ${issuer} cannot be fetched: ${(error as Error).message}`);
    }
  }

  private async fetchKeySet(): Promise<KeySet> {
    this.address ??= await this.options.locate();
    const keys = await this.clientFor(this.address).getKeys();
    if (!Array.isArray(keys)) throw new FetchError(`${this.address}: has no list of keys`);
    const keySet = new KeySet(keys);
    // Such a set replaces nothing: with it every token would be refused.
    if (!keySet.isUsable)
      throw new FetchError(`${this.address}: holds no usable key (${keySet.problems.join('; ') || 'empty'})`);
    return keySet;
  }

  private clientFor(jwksUri: string): JwksClient {
    return new JwksClient({
      jwksUri,
      cache: false,
      rateLimit: false,
      // jwks-rsa's own request has no total deadline and no size limit, and never settles on a cut-off body.
      fetcher: async (uri) => {
        const set = await fetchJson(uri, this.options);
        return typeof set === 'object' && set !== null ? (set as { keys: unknown }) : { keys: undefined };
      },
    });
  }
}

/** Nobody may be waiting for this fetch: a logger that throws would end the process. */
function report(onProblem: (message: string) => void, message: string): void {
  try {
    onProblem(message);
  } catch {
    // What is lost is a line of the log.
  }
}
