import { isJsonObject } from '../model/unknown-value.js';
import type { KeyStore } from '../keys/key-store.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { withDeadline } from './deadline.js';
import { type CachedKeySet, cachedFromStore } from './cached-key-set.js';

interface KeySetPersistenceOptions extends ResolvedRemoteKeys {
  readonly issuer: string;
  readonly origin: string;
  readonly store: KeyStore;
  readonly onProblem: (message: string) => void;
}

/** Loads and saves the key set of one issuer in the application's store. A store that fails or is slow counts as empty. */
export class KeySetPersistence {
  private unsaved: CachedKeySet | undefined;
  private saving: Promise<void> | undefined;

  constructor(private readonly options: KeySetPersistenceOptions) {}

  /** Never rejects. */
  async load(now: number): Promise<CachedKeySet | undefined> {
    const { store, issuer, origin, timeoutMs } = this.options;
    try {
      const stored = await withDeadline(timeoutMs, undefined, async () => store.load(issuer));
      return stored === undefined || stored === null ? undefined : cachedFromStore(stored, origin, now, this.options);
    } catch (error) {
      this.reportProblem('stored keys', 'used', error);
      return undefined;
    }
  }

  /** Saves one set at a time, so that a slow save cannot overwrite a newer set. */
  save(keySet: CachedKeySet): void {
    this.unsaved = keySet;
    this.saving ??= this.saveAll().finally(() => {
      this.saving = undefined;
    });
  }

  /** Waits for a save in progress, for at most `timeoutMs`. Never rejects. */
  async close(): Promise<void> {
    const { saving } = this;
    if (saving === undefined) return;
    await withDeadline(this.options.timeoutMs, undefined, () => saving).catch((error: unknown) => {
      this.reportProblem('keys', 'stored', error);
    });
  }

  private async saveAll(): Promise<void> {
    const { store, issuer, origin } = this.options;
    while (this.unsaved !== undefined) {
      const { fetchedAt: fetchedAtMs, jwks } = this.unsaved;
      this.unsaved = undefined;
      // The issuer may publish a private key by mistake; do not write it to a store.
      const keys = jwks.keySet.toJSON().filter((key) => isJsonObject(key) && !hasPrivateMembers(key));
      try {
        await store.save(issuer, { fetchedAtMs, origin, jwks: { keys } });
      } catch (error) {
        this.reportProblem('keys', 'stored', error);
      }
    }
  }

  private reportProblem(subject: string, action: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : 'the store failed';
    this.options.onProblem(`The ${subject} of ${this.options.issuer} cannot be ${action}: ${reason}`);
  }
}
