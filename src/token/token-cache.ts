import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { KeySet } from '../keys/key-set.js';
import type { ResolvedTokenCache } from '../options/resolve-options.js';
import type { Authorities } from './authorities.js';
import { type DecodedToken, MAX_TOKEN_LENGTH } from './jwt/compact.js';
import { SeenTokenFilter } from './seen-token-filter.js';
import type { Demand } from './authenticator.js';
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
  readonly demand: Demand;
}

const RECENT_MS = 5_000;
/** Estimated bytes of the tokens of one generation, of which there are two. */
const MAX_RECENT_BYTES = 16 * 1024 * 1024;
const KEY_LENGTH = 32;
/** The average of all entries. Common tokens of a kilobyte are estimated at 3 to 5 KiB, so that `maxEntries` of them fit. */
const MAX_AVERAGE_BYTES = 6 * 1024;
/** A cache of few entries can still contain several large tokens. */
const MIN_BUDGET_ENTRIES = 1_000;
/** The digest, the entry itself and its place in the cache. */
const ENTRY_BYTES = 256;
/** The part of all entries that is searched at a time, so that no call waits for the search of a large cache. */
const SEARCHED_SHARE = 1 / 20;
/** The largest `clockToleranceSeconds`. */
const MAX_TOLERANCE_MS = 300_000;

/**
 * Tokens whose signature was verified before, which is valid only while the key set that verified it is current. Rejected tokens
 * are never stored, so that a caller without valid tokens cannot evict entries.
 *
 * - `find`: a hit saves decoding and the signature; every other check runs. Entries are stored under a digest, without the token,
 *   and only from the second time on, so that a token that is used once costs nothing here.
 * - `findRecent`: the digest costs more than all other checks together, so tokens of the last seconds are found by their text. A
 *   hit saves every check except those that depend on the time. The texts stay in memory until a token is received after
 *   5 to 10 seconds.
 *
 * Both are limited by the estimated memory as well: parsed claims can be twenty times as large as their text. Expired entries
 * are removed when tokens are received: every 5 seconds a twentieth of all entries is searched.
 */
export class TokenCache {
  private readonly entries: LRUCache<string, CachedToken>;
  private readonly seen: SeenTokenFilter;
  private readonly maxAgeMs: number;
  private readonly maxEntries: number;
  private recentBytes = 0;
  /** Tokens of the last seconds, in two generations. The key is the end of the token, which is faster to hash than the whole. */
  private recent = new Map<string, RecentToken>();
  private lessRecent = new Map<string, RecentToken>();
  private recentSince = -Infinity;
  /** The keys of the entries that the search for expired ones has not reached yet. */
  private unsearched: string[] = [];
  private searchedAtOnce = 0;

  constructor({ maxEntries, maxAgeSeconds }: ResolvedTokenCache) {
    const maxSize = Math.max(maxEntries, MIN_BUDGET_ENTRIES) * MAX_AVERAGE_BYTES;
    this.entries = new LRUCache({ max: maxEntries, maxSize });
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
    if (isRepeated) this.entries.set(digestOf(token), entry, { size: sizeOf(entry) });
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
    // Compared before the size is known, which is not estimated for each request while the generation is full.
    if (this.recent.size >= this.maxEntries || this.recentBytes >= MAX_RECENT_BYTES) return;
    this.recentBytes += token.length + sizeOf(entry);
    this.recent.set(token.slice(-KEY_LENGTH), entry);
  }

  private forgetOld(now: number): void {
    const age = now - this.recentSince;
    if (age >= 0 && age < RECENT_MS) return;
    this.lessRecent = age < 2 * RECENT_MS && age >= 0 ? this.recent : new Map<string, RecentToken>();
    this.recent = new Map();
    this.recentBytes = 0;
    this.recentSince = now;
    this.removeExpired(now);
  }

  private removeExpired(now: number): void {
    if (this.unsearched.length === 0) {
      this.unsearched = [...this.entries.keys()];
      this.searchedAtOnce = Math.ceil(this.unsearched.length * SEARCHED_SHARE);
    }
    for (const key of this.unsearched.splice(-this.searchedAtOnce, this.searchedAtOnce)) {
      const entry = this.ifFresh(this.entries.peek(key), now);
      const exp = entry?.claims.exp;
      if (entry === undefined || (typeof exp === 'number' && exp * 1000 + MAX_TOLERANCE_MS <= now))
        this.entries.delete(key);
    }
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

/** Estimates the bytes that an entry keeps in memory. The key set is not counted: it is shared. */
function sizeOf({ header, claims }: CachedToken): number {
  return ENTRY_BYTES + bytesOf(header) + bytesOf(claims);
}

/**
 * Estimates the memory of a parsed JSON value, at or above what was measured with Node 20 for values of every shape: an empty object
 * needs 64 bytes, and its hidden class up to 100 more. A string with spaces may be split into scopes.
 */
function bytesOf(value: unknown): number {
  if (typeof value === 'string') return 32 + value.length * (value.includes(' ') ? 12 : 2);
  if (typeof value !== 'object' || value === null) return 16;
  let bytes = 128;
  if (Array.isArray(value)) for (const item of value) bytes += 16 + bytesOf(item);
  else for (const name in value) bytes += 48 + name.length + bytesOf((value as Record<string, unknown>)[name]);
  return bytes;
}
