import { KeySet } from '../keys/key-set.js';
import type { KeyStore, StoredKeys } from '../keys/key-store.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import { isJsonObject, ownMembers } from '../model/unknown-value.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { type CachedKeySet, lifetime } from './cached-key-set.js';
import { withDeadline } from './http-exchange.js';

/** How long a save in progress may delay the shutdown. */
const CLOSING_MS = 300;

interface KeySetPersistenceOptions extends ResolvedRemoteKeys {
  readonly issuer: string;
  readonly origin: string;
  /** Aborted when the application closes. */
  readonly signal: AbortSignal;
  readonly onProblem: (message: string) => void;
}

/** Loads and saves the key set of one issuer in the application's store. A store that fails or is slow counts as empty. */
export class KeySetPersistence {
  private unsaved: CachedKeySet | undefined;
  private saving: Promise<void> | undefined;

  constructor(
    private readonly store: KeyStore,
    private readonly options: KeySetPersistenceOptions,
  ) {}

  /** Never rejects. */
  async load(now: number): Promise<CachedKeySet | undefined> {
    const { issuer, timeoutMs, signal } = this.options;
    try {
      const stored: unknown = await withDeadline(timeoutMs, signal, async () => this.store.load(issuer));
      return stored === undefined || stored === null ? undefined : this.read(stored, now);
    } catch (error) {
      if (!signal.aborted) this.reportProblem('stored keys', 'used', error);
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

  /** Waits for a save in progress, for a moment. Never rejects. */
  async close(): Promise<void> {
    const closingMs = Math.min(this.options.timeoutMs, CLOSING_MS);
    await withDeadline(closingMs, undefined, async () => this.saving).catch((error: unknown) => {
      this.reportProblem('keys', 'stored', error);
    });
  }

  private read(stored: unknown, now: number): CachedKeySet {
    if (!isJsonObject(stored)) throw new Error('the stored value is not an object');
    const { fetchedAtMs, origin, jwks } = ownMembers(stored) as Partial<StoredKeys>;
    if (typeof fetchedAtMs !== 'number' || !(fetchedAtMs <= now))
      throw new Error('`fetchedAtMs` is not a time in the past');
    // Otherwise keys from an address that was removed from the options would be accepted for another day.
    if (origin !== this.options.origin) throw new Error('`origin` does not match the configured `keys`');
    if (!isJsonObject(jwks) || !Object.hasOwn(jwks, 'keys') || !Array.isArray(jwks.keys))
      throw new Error('`jwks` is not a key set');
    const keySet = new KeySet(jwks.keys as unknown[]);
    if (!keySet.isUsable) throw new Error('`jwks` has no usable key');
    return { keySet, source: 'store', ...lifetime(fetchedAtMs, this.options) };
  }

  private async saveAll(): Promise<void> {
    const { issuer, origin } = this.options;
    while (this.unsaved !== undefined) {
      const { fetchedAt: fetchedAtMs, keySet } = this.unsaved;
      this.unsaved = undefined;
      // The issuer may publish a private key by mistake; do not write it to a store.
      const keys = keySet.toJSON().filter((key) => isJsonObject(key) && !hasPrivateMembers(key));
      try {
        await this.store.save(issuer, { fetchedAtMs, origin, jwks: { keys } });
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
