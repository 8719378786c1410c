import { LRUCache } from 'lru-cache';
import { isPauseOver, NO_PAUSE, type Pause } from './refresh-backoff.js';

const MAX_KID_LENGTH = 128;
/** Shared by all tokens without a kid. */
const NO_KID = '';
const FIRST_PAUSE_MS = 1_000;
/** Fetches for kids that are requested again, in addition to the one fetch of a cooldown. */
const RETRIES_PER_COOLDOWN = 5;

/**
 * Limits the fetches that unknown key ids cause: one in each cooldown, for all kids together. A kid that is requested
 * again after a pause, which doubles each time, may cause a few more: its rotation may have coincided with a flood of
 * random kids, or the issuer's servers may return the old and the new set in turn.
 *
 * The budget is separate from regular refreshes, so that known keys never depend on it.
 */
export class UnknownKidBudget {
  private cooldown: Pause = NO_PAUSE;
  private retriesLeft = RETRIES_PER_COOLDOWN;
  private misses: LRUCache<string, Pause> | undefined;

  constructor(
    private readonly cooldownMs: number,
    private readonly maxMisses: number,
  ) {}

  isMissing(kid = NO_KID): boolean {
    return this.misses?.has(kid) ?? false;
  }

  allowsFetch(kid: string | undefined = NO_KID, now: number): boolean {
    if (isPauseOver(this.cooldown, now)) return true;
    const miss = this.misses?.get(kid);
    return miss !== undefined && isPauseOver(miss, now) && this.retriesLeft > 0;
  }

  get hasRetries(): boolean {
    return this.retriesLeft > 0;
  }

  recordFetch(now: number): void {
    if (isPauseOver(this.cooldown, now)) {
      this.cooldown = { from: now, until: now + this.cooldownMs };
      this.retriesLeft = RETRIES_PER_COOLDOWN;
    } else {
      this.retriesLeft -= 1;
    }
  }

  /** Records that the set does not contain the kid, or no longer contains it. */
  recordMiss(kid: string | undefined = NO_KID, now: number): void {
    if (kid.length > MAX_KID_LENGTH) return;
    this.misses ??= new LRUCache({ max: this.maxMisses });
    const last = this.misses.get(kid);
    // A miss within the pause does not extend it; otherwise a kid in constant use would never be retried.
    if (last !== undefined && !isPauseOver(last, now)) return;
    const lastPauseMs = last === undefined ? 0 : last.until - last.from;
    const pauseMs = Math.min(Math.max(lastPauseMs * 2, FIRST_PAUSE_MS), this.cooldownMs);
    this.misses.set(kid, { from: now, until: now + pauseMs });
  }

  /** Records that a newer set lacks a kid. Its first token may cause a fetch at once, as one of the retries. */
  recordWithdrawal(kid: string, now: number): void {
    if (kid.length > MAX_KID_LENGTH) return;
    this.misses ??= new LRUCache({ max: this.maxMisses });
    this.misses.set(kid, { from: now, until: now });
  }

  clearMiss(kid = NO_KID): void {
    this.misses?.delete(kid);
  }

  endCooldown(): void {
    this.cooldown = NO_PAUSE;
  }
}
