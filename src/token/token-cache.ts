import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import type { Authorities } from './authorities.js';
import { MAX_TOKEN_LENGTH } from './bearer.js';
import type { DecodedToken } from './jwt/compact.js';
import { SeenTokenFilter } from './seen-token-filter.js';

/** A token whose signature was verified, with the key set that verified it. */
export interface CachedToken extends Pick<DecodedToken, 'header' | 'claims'> {
  readonly keySet: KeySet;
  readonly authorities: Authorities;
  /** Milliseconds since 1970. */
  readonly verifiedAt: number;
}

/**
 * Tokens whose signature was verified before. A hit saves decoding and the signature only: every other check runs for each
 * request, and the signature counts only while the key set that verified it is current.
 *
 * Entries are stored under a digest, so that no credential stays in memory, and only from the second time on, so that a token
 * that is used once costs nothing here. Rejected tokens are never stored, so that a caller without valid tokens
 * cannot evict entries.
 */
export class TokenCache {
  private readonly entries: LRUCache<string, CachedToken>;
  private readonly seen: SeenTokenFilter;
  private readonly maxAgeMs: number;

  constructor({ maxEntries, maxAgeSeconds }: ResolvedTokenCache) {
    this.entries = new LRUCache({ max: maxEntries });
    this.seen = new SeenTokenFilter(maxEntries);
    this.maxAgeMs = maxAgeSeconds * 1000;
  }

  find(token: string, now: number): CachedToken | undefined {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !this.seen.has(token)) return undefined;
    const entry = this.entries.get(digestOf(token));
    if (entry === undefined) return undefined;
    const age = now - entry.verifiedAt;
    // A negative age means that the clock was set back. A clock that returns NaN finds nothing.
    return age >= 0 && age < this.maxAgeMs ? entry : undefined;
  }

  remember(token: string, entry: CachedToken): void {
    if (this.seen.has(token)) this.entries.set(digestOf(token), entry);
    else this.seen.add(token);
  }
}

/** SHA-256, because a collision would make a forged token valid. One character for each byte: the digest is only a map key. */
function digestOf(token: string): string {
  return hash('sha256', token, 'binary');
}
