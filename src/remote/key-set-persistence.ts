import { isJsonObject } from '../model/json-object.js';
import type { KeyStore } from '../keys/key-store.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { withDeadline } from './deadline.js';
import { type CachedKeySet, cachedFromStore } from './cached-key-set.js';

export interface KeySetPersistenceOptions extends Pick<
  ResolvedRemoteKeys,
  'refreshSeconds' | 'maxStaleSeconds' | 'timeoutMs'
> {
  readonly issuer: string;
  /** By which way the keys come. */
  readonly origin: string;
  readonly store: KeyStore;
  readonly onProblem: (message: string) => void;
}

/** The last good key set of an issuer, in the user's store. When that fails, or is slow, nothing is there. */
export class KeySetPersistence {
  private newest: CachedKeySet | undefined;
  private saving: Promise<void> | undefined;

  constructor(private readonly options: KeySetPersistenceOptions) {}

  /** Never rejects. */
  async load(now: number): Promise<CachedKeySet | undefined> {
    const { store, issuer, origin, timeoutMs } = this.options;
    try {
      const stored = await withDeadline(timeoutMs, undefined, async () => store.load(issuer));
      return stored === undefined || stored === null ? undefined : cachedFromStore(stored, origin, now, this.options);
    } catch (error) {
      this.report('used', error);
      return undefined;
    }
  }

  /** One after the other, so that a slow one cannot put an older set over a newer one. */
  save(held: CachedKeySet): void {
    this.newest = held;
    this.saving ??= this.saveAll().finally(() => {
      this.saving = undefined;
    });
  }

  /** Waits for what is being saved, for as long as anything is waited for. Never rejects. */
  async close(): Promise<void> {
    const { saving } = this;
    if (saving === undefined) return;
    await withDeadline(this.options.timeoutMs, undefined, () => saving).catch((error: unknown) => {
      this.report('stored', error);
    });
  }

  private async saveAll(): Promise<void> {
    const { store, issuer, origin } = this.options;
    for (let held = this.take(); held !== undefined; held = this.take()) {
      const { fetchedAt: fetchedAtMs, jwks } = held;
      // An issuer that publishes a private key is trouble enough; it must not also lie in a file of ours.
      const keys = jwks.keySet.toJSON().filter((key) => isJsonObject(key) && !hasPrivateMembers(key));
      try {
        await store.save(issuer, { fetchedAtMs, origin, jwks: { keys } });
      } catch (error) {
        this.report('stored', error);
      }
    }
  }

  private take(): CachedKeySet | undefined {
    const { newest } = this;
    this.newest = undefined;
    return newest;
  }

  private report(done: 'used' | 'stored', error: unknown): void {
    const what = done === 'used' ? 'stored keys' : 'keys';
    const reason = error instanceof Error ? error.message : 'the store failed';
    this.options.onProblem(`The ${what} of ${this.options.issuer} cannot be ${done}: ${reason}`);
  }
}
