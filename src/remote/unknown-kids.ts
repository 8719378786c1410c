import { LRUCache } from 'lru-cache';

// What is remembered of strangers has a bound, for each issuer.
const MAX_REMEMBERED = 500;
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
export class UnknownKids {
  private nextAt = -Infinity;
  private retriesLeft = RETRIES_PER_COOLDOWN;
  private readonly misses = new LRUCache<string, { readonly againAt: number; readonly pauseMs: number }>({
    max: MAX_REMEMBERED,
  });

  constructor(private readonly cooldownMs: number) {}

  /** Whether this kid was looked for before, in vain. */
  wasMissed(kid: string | undefined): boolean {
    return this.misses.has(nameOf(kid));
  }

  /** Whether the issuer may be asked for this kid now. */
  mayAsk(kid: string | undefined, now: number): boolean {
    if (now >= this.nextAt) return true;
    const missed = this.misses.get(nameOf(kid));
    return missed !== undefined && now >= missed.againAt && this.retriesLeft > 0;
  }

  /** The issuer was asked because of an unknown kid, and has answered. */
  asked(now: number): void {
    if (now >= this.nextAt) {
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
    const before = this.misses.get(name);
    // Not again within the pause: who asks all the time would have to wait for ever.
    if (before !== undefined && now < before.againAt) return;
    const pauseMs = before === undefined ? FIRST_PAUSE_MS : Math.min(before.pauseMs * 2, this.cooldownMs);
    this.misses.set(name, { againAt: now + pauseMs, pauseMs });
  }

  /** The set has this kid: if it ever is missed again, that is a new story. */
  found(kid: string | undefined): void {
    this.misses.delete(nameOf(kid));
  }
}

/** Tokens without a kid count as one. */
function nameOf(kid: string | undefined): string {
  return kid ?? '';
}
