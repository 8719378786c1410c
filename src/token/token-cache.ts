import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import { MAX_TOKEN_LENGTH } from './bearer.js';
import type { DecodedToken } from './jwt/compact.js';
import type { Authorities } from './authorities.js';

/** A token whose signature was verified: what stood in it, and by which key set. */
export interface CachedToken extends Pick<DecodedToken, 'header' | 'claims'> {
  readonly keySet: KeySet;
  /** By the claim paths that its issuer had then. */
  readonly grants: Authorities;
  /** Milliseconds since 1970. */
  readonly verifiedAt: number;
}

/**
 * Tokens whose signature was verified before. Only decoding and signature are spared for them: every other check is made
 * each time, and the signature counts only as long as the very same key set is in service.
 *
 * Kept under a digest, so that no credential lies in memory for long, and only from the second time on: what comes once
 * costs nothing here. What was refused never gets in, so nobody without good tokens can push others out.
 */
export class TokenCache {
  private readonly entries: LRUCache<string, CachedToken>;
  private readonly sightings: SeenTokenFilter;
  private readonly maxAgeMs: number;

  constructor({ maxEntries, maxAgeSeconds }: ResolvedTokenCache) {
    this.entries = new LRUCache({ max: maxEntries });
    this.sightings = new SeenTokenFilter(maxEntries);
    this.maxAgeMs = maxAgeSeconds * 1000;
  }

  find(token: string, now: number): CachedToken | undefined {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !this.sightings.has(token)) return undefined;
    const entry = this.entries.get(digestOf(token));
    if (entry === undefined) return undefined;
    const age = now - entry.verifiedAt;
    // Nor what was verified in the future: then the clock was set back. A clock that is no number finds nothing.
    return age >= 0 && age < this.maxAgeMs ? entry : undefined;
  }

  remember(token: string, entry: CachedToken): void {
    if (this.sightings.has(token)) this.entries.set(digestOf(token), entry);
    else this.sightings.add(token);
  }
}

/** SHA-256: nobody can make another token that has the digest of a good one. A character for each byte: nobody reads it. */
function digestOf(token: string): string {
  return hash('sha256', token, 'binary');
}

const BITS_PER_ENTRY = 32;
const MAX_BITS = 2 ** 26;
/** The end of a signature: as good as random. */
const SAMPLE_LENGTH = 16;

/**
 * Which tokens were seen lately, more or less: a bit for each, in two tables that take turns, so that what is not seen any
 * more is forgotten. To be wrong costs a digest, or one verification more, and nothing else.
 */
class SeenTokenFilter {
  private current: Uint8Array;
  private previous: Uint8Array;
  private readonly mask: number;
  private added = 0;

  constructor(private readonly maxEntries: number) {
    const bits = Math.min(2 ** Math.ceil(Math.log2(Math.max(8, maxEntries * BITS_PER_ENTRY))), MAX_BITS);
    this.mask = bits - 1;
    this.current = new Uint8Array(bits / 8);
    this.previous = new Uint8Array(bits / 8);
  }

  has(token: string): boolean {
    const at = markOf(token) & this.mask;
    const bit = 1 << (at & 7);
    if (((this.current[at >>> 3] ?? 0) & bit) !== 0) return true;
    if (((this.previous[at >>> 3] ?? 0) & bit) === 0) return false;
    // It is still about: it goes on into the next turn.
    this.set(at, bit);
    return true;
  }

  add(token: string): void {
    const at = markOf(token) & this.mask;
    this.set(at, 1 << (at & 7));
  }

  private set(at: number, bit: number): void {
    if (this.added >= 2 * this.maxEntries) {
      [this.current, this.previous] = [this.previous, this.current];
      this.current.fill(0);
      this.added = 0;
    }
    this.current[at >>> 3] = (this.current[at >>> 3] ?? 0) | bit;
    this.added += 1;
  }
}

/** FNV-1a, 32 bits. */
function markOf(token: string): number {
  let mark = 0x811c9dc5;
  for (let at = Math.max(0, token.length - SAMPLE_LENGTH); at < token.length; at += 1) {
    mark = Math.imul(mark ^ token.charCodeAt(at), 0x01000193);
  }
  return mark >>> 0;
}
