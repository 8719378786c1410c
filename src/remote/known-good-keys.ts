import { isJsonObject } from '../json-object.js';
import type { KeyStore } from '../keys/key-store.js';
import { hasPrivateMembers } from '../keys/verification-key.js';
import type { ResolvedRemoteKeys } from '../options/resolve-keys.js';
import { withDeadline } from './deadline.js';
import { type HeldKeys, heldFromStore } from './held-keys.js';

export interface KnownGoodKeysOptions extends Pick<
  ResolvedRemoteKeys,
  'refreshSeconds' | 'staleSeconds' | 'timeoutMs'
> {
  readonly issuer: string;
  readonly store: KeyStore;
  readonly onProblem: (message: string) => void;
}

/** The last good key set of an issuer, in the user's store. That fails, or is slow: then nothing is there. */
export class KnownGoodKeys {
  constructor(private readonly options: KnownGoodKeysOptions) {}

  /** Never rejects. */
  async load(now: number): Promise<HeldKeys | undefined> {
    const { store, issuer, timeoutMs, onProblem } = this.options;
    try {
      const stored = await withDeadline(timeoutMs, undefined, async () => store.load(issuer));
      return stored && heldFromStore(stored, now, this.options);
    } catch (error) {
      onProblem(`The stored keys of ${issuer} cannot be used: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** Never rejects. */
  async save({ fetchedAt, jwks }: HeldKeys): Promise<void> {
    const { store, issuer, timeoutMs, onProblem } = this.options;
    // An issuer that publishes a private key is trouble enough; it must not also lie in a file of ours.
    const keys = jwks.keySet.toJSON().filter((key) => isJsonObject(key) && !hasPrivateMembers(key));
    try {
      await withDeadline(timeoutMs, undefined, async () =>
        store.save(issuer, { fetchedAtMs: fetchedAt, jwks: { keys } }),
      );
    } catch (error) {
      onProblem(`The keys of ${issuer} cannot be stored: ${messageOf(error)}`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'the store failed';
}
