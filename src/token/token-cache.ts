import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import type { Authorities } from './authorities.js';
import { type DecodedToken, MAX_TOKEN_LENGTH } from './jwt/compact.js';
import { SeenTokenFilter } from './seen-token-filter.js';
import type { TrustedIssuer } from './trusted-issuers.js';

export interface CachedToken extends Pick<DecodedToken, 'header' | 'claims'> {
  readonly keySet: KeySet;
  readonly authorities: Authorities;
  readonly verifiedAt: number;
}

/** A token that was accepted, with everything that its acceptance depended on except the time. */
export interface RecentToken extends CachedToken {
  readonly verified: VerifiedAccessToken;
  readonly issuer: TrustedIssuer;
}

const RECENT_MS = 5_000;
/** The total length of the tokens of one generation, so that the texts of recent tokens need at most 8 MB. */
const MAX_RECENT_CHARACTERS = 4_000_000;
const KEY_LENGTH = 32;

/**
 * Tokens whose signature was verified before, which is valid only while the key set that verified it is current. Rejected tokens
 * are never stored, so that a caller without valid tokens cannot evict entries.
 *
 * - `find`: a hit saves decoding and the signature; every other check runs. Entries are stored under a digest, without the token,
 *   and only from the second time on, so that a token that is used once costs nothing here.
 * - `findRecent`: the digest costs more than all other checks together, so tokens of the last seconds are found by their text. A
 *   hit saves every check except those that depend on the time. The texts stay in memory until a token is received after
 *   5 to 10 seconds.
 */
export class TokenCache {
  private readonly entries: LRUCache<string, CachedToken>;
  private readonly seen: SeenTokenFilter;
  private readonly maxAgeMs: number;
  private readonly maxEntries: number;
  private recentCharacters = 0;
  /** Tokens of the last seconds, in two generations. The key is the end of the token, which is faster to hash than the whole. */
  private recent = new Map<string, RecentToken>();
  private lessRecent = new Map<string, RecentToken>();
  private recentSince = -Infinity;

  constructor({ maxEntries, maxAgeSeconds }: ResolvedTokenCache) {
    this.entries = new LRUCache({ max: maxEntries });
    this.seen = new SeenTokenFilter(maxEntries);
    this.maxAgeMs = maxAgeSeconds * 1000;
    this.maxEntries = maxEntries;
  }

  find(token: string, now: number): CachedToken | undefined {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !this.seen.has(token)) return undefined;
    return this.ifFresh(this.entries.get(digestOf(token)), now);
  }

  /** Returns whether the token is stored: not for the first time. */
  remember(token: string, entry: CachedToken): boolean {
    const isRepeated = this.seen.has(token);
    if (isRepeated) this.entries.set(digestOf(token), entry);
    else this.seen.add(token);
    return isRepeated;
  }

  findRecent(token: string, now: number): RecentToken | undefined {
    if (typeof token !== 'string') return undefined;
    this.forgetOld(now);
    const key = token.slice(-KEY_LENGTH);
    const entry = this.recent.get(key) ?? this.lessRecent.get(key);
    return entry?.verified.token === token ? this.ifFresh(entry, now) : undefined;
  }

  rememberRecent(entry: RecentToken): void {
    const { token } = entry.verified;
    if (this.recent.size >= this.maxEntries || this.recentCharacters + token.length > MAX_RECENT_CHARACTERS) return;
    this.recentCharacters += token.length;
    this.recent.set(token.slice(-KEY_LENGTH), entry);
  }

  private forgetOld(now: number): void {
    const age = now - this.recentSince;
    if (age >= 0 && age < RECENT_MS) return;
    this.lessRecent = age < 2 * RECENT_MS && age >= 0 ? this.recent : new Map<string, RecentToken>();
    this.recent = new Map();
    this.recentCharacters = 0;
    this.recentSince = now;
  }

  /** A negative age means that the clock was set back. A clock that returns NaN finds nothing. */
  private ifFresh<Entry extends CachedToken>(entry: Entry | undefined, now: number): Entry | undefined {
    if (entry === undefined) return undefined;
    const age = now - entry.verifiedAt;
    return age >= 0 && age < this.maxAgeMs ? entry : undefined;
  }
}

/** SHA-256, because a collision would make a forged token valid. One character for each byte: the digest is only a map key. */
function digestOf(token: string): string {
  return hash('sha256', token, 'binary');
}
