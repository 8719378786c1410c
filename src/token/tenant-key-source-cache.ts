import { LRUCache } from 'lru-cache';
import type { KeySource } from '../keys/key-source.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';

/** Whether an issuer stands in a list, or was named by a resolver. */
export type KeySourceKind = 'listed' | 'resolved';

/** Makes the key sources. */
export interface KeySources {
  /** Must not fetch anything yet. */
  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource;
  /** Told that a source is not asked any more. */
  release(source: KeySource): void;
}

/** Tenants whose keys are kept; those used least are fetched again. */
const MAX_PROVEN = 1_000;
const MAX_UNPROVEN = 100;

/**
 * The key sources of a resolver's tenants. One that has verified a token can only be pushed out by others that have:
 * tokens that nobody has verified, whatever tenants they name, pass through a small room of their own.
 */
export class TenantKeySourceCache {
  private readonly proven: LRUCache<string, KeySource>;
  private readonly unproven: LRUCache<string, KeySource>;

  constructor(private readonly sources: KeySources) {
    const dispose = (source: KeySource, _id: string, reason: LRUCache.DisposeReason) => {
      if (reason === 'evict') sources.release(source);
    };
    this.proven = new LRUCache({ max: MAX_PROVEN, dispose });
    this.unproven = new LRUCache({ max: MAX_UNPROVEN, dispose });
  }

  /** Keys outlive the options object that a resolver makes anew for each token, but not a change of `keys`. */
  of({ issuer, keys }: ResolvedIssuer): { readonly keySource: KeySource; readonly onVerified: () => void } {
    const id = JSON.stringify([issuer, keys]);
    let keySource = this.proven.get(id) ?? this.unproven.get(id);
    if (keySource === undefined) {
      keySource = this.sources.create(issuer, keys, 'resolved');
      this.unproven.set(id, keySource);
    }
    const source = keySource;
    return {
      keySource,
      onVerified: () => {
        if (this.proven.has(id)) return;
        this.unproven.delete(id);
        this.proven.set(id, source);
      },
    };
  }
}
