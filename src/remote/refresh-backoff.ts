import type { FetchError, FetchErrorCode } from './fetch-error.js';

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** While there are no keys at all, each second of the pause is a second in which every token is answered with 503. */
const MAX_PAUSE_WITHOUT_KEYS_MS = 5_000;
/** How long a server may ask us to wait. */
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * When the issuer is to be asked next. All goes well: shortly before the set is no longer fresh. It failed: after a pause
 * that grows from one second to half a minute (to five seconds while no keys serve), or that the server asked for. Each
 * time a little earlier or later than another process would.
 */
export class RefreshBackoff {
  /** Since the last one that did not fail. */
  failures = 0;
  lastErrorCode: FetchErrorCode | undefined;
  private decidedAt = -Infinity;
  private isAskedToWait = false;

  /**
   * @param random from 0 to 1, as `Math.random`.
   * @param nextAt when the issuer may be asked first.
   */
  constructor(
    private readonly random: () => number,
    private nextAt = -Infinity,
  ) {}

  /** Also when the clock was set back: else a mistake of an hour would be a pause of an hour. */
  isDue(now: number): boolean {
    return now >= this.nextAt || now < this.decidedAt;
  }

  msUntilNext(now: number): number {
    return Math.max(0, this.nextAt - now);
  }

  succeeded(now: number, freshMs: number): void {
    this.failures = 0;
    this.lastErrorCode = undefined;
    this.decide(now, freshMs * (0.8 + 0.15 * this.random()));
  }

  failed(now: number, { code, retryAfterSeconds = 0 }: FetchError, hasKeys: boolean): void {
    const longestMs = hasKeys ? MAX_PAUSE_MS : MAX_PAUSE_WITHOUT_KEYS_MS;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, longestMs) * (0.75 + 0.25 * this.random());
    this.failures += 1;
    this.lastErrorCode = code;
    this.isAskedToWait = retryAfterSeconds > 0;
    this.decide(now, Math.max(pauseMs, Math.min(retryAfterSeconds * 1000, MAX_RETRY_AFTER_MS)));
  }

  /** Whoever needs the keys next may ask at once, unless the server asked to wait. */
  allowAtOnce(now: number): void {
    if (!this.isAskedToWait) this.decide(now, 0);
  }

  private decide(now: number, delayMs: number): void {
    this.decidedAt = now;
    this.nextAt = now + delayMs;
  }
}
