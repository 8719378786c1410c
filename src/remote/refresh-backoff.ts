import type { FetchError, FetchErrorCode } from './http-exchange.js';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** Without keys, every token is rejected with 503 until the next attempt. */
const MAX_PAUSE_WITHOUT_KEYS_MS = 5_000;
const MAX_RETRY_AFTER_MS = 60_000;

/** A time without requests, in milliseconds since 1970. */
export interface Pause {
  readonly from: number;
  readonly until: number;
}

export const NO_PAUSE: Pause = { from: -Infinity, until: -Infinity };

/** Also true if the clock was set back; otherwise the pause would be as long as the correction of the clock. */
export function isPauseOver({ from, until }: Pause, now: number): boolean {
  return now >= until || now < from;
}

/**
 * Decides when the keys of an issuer are fetched next. After a success: shortly before the set is no longer fresh. After
 * a failure: after a pause that doubles from 1 to 30 seconds (5 seconds without keys), or that the server requested. Each
 * delay is shortened at random, so that several processes do not fetch at the same time.
 */
export class RefreshBackoff {
  failures = 0;
  lastErrorCode: FetchErrorCode | undefined;
  private pause: Pause;
  private hasRetryAfter = false;

  constructor(notBefore = -Infinity) {
    this.pause = { from: -Infinity, until: notBefore };
  }

  isDue(now: number): boolean {
    return isPauseOver(this.pause, now);
  }

  msUntilNext(now: number): number {
    return Math.max(0, this.pause.until - now);
  }

  recordSuccess(now: number, freshMs: number): void {
    this.failures = 0;
    this.lastErrorCode = undefined;
    this.pause = { from: now, until: now + freshMs * (0.8 + 0.15 * Math.random()) };
  }

  recordFailure(now: number, { code, retryAfterSeconds = 0 }: FetchError, hasKeys: boolean): void {
    const maxPauseMs = hasKeys ? MAX_PAUSE_MS : MAX_PAUSE_WITHOUT_KEYS_MS;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, maxPauseMs) * (0.75 + 0.25 * Math.random());
    const retryAfterMs = Math.min(retryAfterSeconds * 1000, MAX_RETRY_AFTER_MS);
    this.failures += 1;
    this.lastErrorCode = code;
    this.hasRetryAfter = retryAfterMs > 0;
    this.pause = { from: now, until: now + Math.max(pauseMs, retryAfterMs) };
  }

  /** Ends the pause after a failure, unless the server requested it. */
  skipPause(): void {
    if (this.failures > 0 && !this.hasRetryAfter) this.pause = NO_PAUSE;
  }
}
