import type { FetchError, FetchErrorCode } from './fetch-error.js';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Without keys, every token is rejected with 503 until the next attempt. */
const MAX_PAUSE_WITHOUT_KEYS_MS = 5_000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Decides when the keys of an issuer are fetched next. After a success: shortly before the set is no longer fresh. After
 * a failure: after a pause that doubles from 1 to 30 seconds (5 seconds without keys), or that the server requested. Each
 * delay is shortened at random, so that several processes do not fetch at the same time.
 */
export class RefreshBackoff {
  /** Failed attempts since the last success. */
  failures = 0;
  lastErrorCode: FetchErrorCode | undefined;
  private decidedAt = -Infinity;
  private hasRetryAfter = false;

  /** @param random Returns a number from 0 to 1, as `Math.random` does. */
  constructor(
    private readonly random: () => number,
    private nextAt = -Infinity,
  ) {}

  /** Also true if the clock was set back; otherwise the pause would be as long as the correction of the clock. */
  isDue(now: number): boolean {
    return now >= this.nextAt || now < this.decidedAt;
  }

  msUntilNext(now: number): number {
    return Math.max(0, this.nextAt - now);
  }

  recordSuccess(now: number, freshMs: number): void {
    this.failures = 0;
    this.lastErrorCode = undefined;
    this.scheduleNext(now, freshMs * (0.8 + 0.15 * this.random()));
  }

  recordFailure(now: number, { code, retryAfterSeconds = 0 }: FetchError, hasKeys: boolean): void {
    const maxPauseMs = hasKeys ? MAX_PAUSE_MS : MAX_PAUSE_WITHOUT_KEYS_MS;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, maxPauseMs) * (0.75 + 0.25 * this.random());
    this.failures += 1;
    this.lastErrorCode = code;
    this.hasRetryAfter = retryAfterSeconds > 0;
    this.scheduleNext(now, Math.max(pauseMs, Math.min(retryAfterSeconds * 1000, MAX_RETRY_AFTER_MS)));
  }

  /** Ends the pause after a failure, unless the server requested it. */
  skipPause(now: number): void {
    if (this.failures > 0 && !this.hasRetryAfter) this.scheduleNext(now, 0);
  }

  private scheduleNext(now: number, delayMs: number): void {
    this.decidedAt = now;
    this.nextAt = now + delayMs;
  }
}
