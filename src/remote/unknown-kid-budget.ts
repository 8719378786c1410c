import { LRUCache } from 'lru-cache';

const MAX_KID_LENGTH = 128;
const FIRST_PAUSE_MS = 1_000;
/** Beside the one fetch of a cool-down: what kids that come back may cause. */
const RETRIES_PER_COOLDOWN = 5;

/**
 * How often key ids that are not in the set may make us ask the issuer: once in a cool-down, whoever they are. A kid that
 * comes back may, after a pause that doubles each time, cause a few fetches more: it may be that of a rotation which met
 * a flood, or an issuer whose servers have the old set and the new one in turn for a while.
 *
 * All of it is a budget of its own: known keys never depend on it.
 */
export class UnknownKidBudget {
  private nextAt = -Infinity;
  private askedAt = -Infinity;
  private retriesLeft = RETRIES_PER_COOLDOWN;
  private misses: LRUCache<string, Miss> | undefined;

  /** @param maxRemembered what is remembered of strangers has a bound. */
  constructor(
    private readonly cooldownMs: number,
    private readonly maxRemembered: number,
  ) {}

  /** Whether this kid was looked for before, in vain. */
  wasMissed(kid: string | undefined): boolean {
    return this.misses?.has(nameOf(kid)) ?? false;
  }

  /** Whether the issuer may be asked for this kid now. */
  mayAsk(kid: string | undefined, now: number): boolean {
    if (this.isCool(now)) return true;
    const missed = this.misses?.get(nameOf(kid));
    return missed !== undefined && isOver(missed, now) && this.retriesLeft > 0;
  }

  /** The issuer was asked because of an unknown kid, and has answered. */
  asked(now: number): void {
    if (this.isCool(now)) {
      this.askedAt = now;
      this.nextAt = now + this.cooldownMs;
      this.retriesLeft = RETRIES_PER_COOLDOWN;
    } else {
      this.retriesLeft -= 1;
    }
  }

  /** The set does not have this kid, whether the issuer was asked for it or not, or has it no more. */
  missed(kid: string | undefined, now: number): void {
    const name = nameOf(kid);
    if (name.length > MAX_KID_LENGTH) return;
    this.misses ??= new LRUCache({ max: this.maxRemembered });
    const before = this.misses.get(name);
    // Not again within the pause: who asks all the time would have to wait for ever.
    if (before !== undefined && !isOver(before, now)) return;
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(before.pauseMs * 2, this.cooldownMs);
    this.misses.set(name, { at: now, pauseMs });
  }

  /** The set has this kid: if it ever is missed again, that is a new story. */
  found(kid: string | undefined): void {
    this.misses?.delete(nameOf(kid));
  }

  /** As if the cool-down were over. */
  forgetCooldown(): void {
    this.nextAt = -Infinity;
  }

  /** Also when the clock was set back: else a mistake of an hour would be a cool-down of an hour. */
  private isCool(now: number): boolean {
    return now >= this.nextAt || now < this.askedAt;
  }
}

interface Miss {
  readonly at: number;
  readonly pauseMs: number;
}

function isOver({ at, pauseMs }: Miss, now: number): boolean {
  return now >= at + pauseMs || now < at;
}

/** Tokens without a kid count as one. */
function nameOf(kid: string | undefined): string {
  return kid ?? '';
}
