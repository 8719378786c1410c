import { LRUCache } from 'lru-cache';
import type { KeySource } from '../keys/key-source.js';
import type { ResolvedIssuer } from '../options/resolve-issuer.js';
import type { ResolvedKeys } from '../options/resolve-keys.js';

/** Whether the issuer is in the options or was returned by the `issuers` function of the application. */
export type KeySourceKind = 'configured' | 'resolved';

/** Creates key sources. */
export interface KeySources {
  /** Creates a source without fetching anything. */
  create(issuer: string, keys: ResolvedKeys, kind: KeySourceKind): KeySource;
  /** Called when a source is no longer used. */
  release(source: KeySource): void;
}

/** The keys of the tenants used least recently are evicted, and fetched again when needed. */
const MAX_PROVEN = 1_000;
const MAX_UNPROVEN = 100;

/**
 * The key sources of the tenants that the `issuers` function returns. A source that has verified a token can be evicted
 * only by others that have: invalid tokens, whatever tenants they name, share a small cache of their own.
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

  /** Returns the same source for the same issuer and `keys`, although the options object is a new one for each token. */
  get({ issuer, keys }: ResolvedIssuer): { readonly keySource: KeySource; readonly onVerified: () => void } {
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
