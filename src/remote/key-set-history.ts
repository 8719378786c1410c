import { KeySet } from '../keys/key-set.js';

interface KnownKey {
  readonly jwk: unknown;
  /** When a set contained the key last, in milliseconds since 1970. */
  seenAt: number;
  isInLastSet: boolean;
}

/** The keys of some sets. More than any issuer publishes, also during a rotation. */
const MAX_KEYS = 200;

/**
 * Detects a key set that flaps: a key that a newer set lacked is in the set again, because several servers of the issuer answer in turn
 * and have different keys. Then the keys of all sets of the last time are used together, as no single set can verify all tokens.
 */
export class KeySetHistory {
  private readonly known = new Map<string, KnownKey>();
  private flapsUntil = -Infinity;
  private united: { readonly id: string; readonly keySet: KeySet } | undefined;

  /** @param windowMs how long a key that is in some sets only is used after it was seen last */
  constructor(private readonly windowMs: number) {}

  isFlapping(now: number): boolean {
    return now < this.flapsUntil;
  }

  /** Records a set that was fetched, and returns the set to use: the same one, unless the set flaps. */
  add(fetched: KeySet, now: number): KeySet {
    const current = new Map(fetched.toJSON().map((jwk) => [JSON.stringify(jwk), jwk]));
    for (const [id, key] of this.known) {
      if (now - key.seenAt >= this.windowMs) this.known.delete(id);
      if (!current.has(id)) key.isInLastSet = false;
    }
    for (const [id, jwk] of current) {
      if (this.known.get(id)?.isInLastSet === false) this.flapsUntil = now + this.windowMs;
      if (this.known.has(id) || this.known.size < MAX_KEYS) this.known.set(id, { jwk, seenAt: now, isInLastSet: true });
    }
    return this.isFlapping(now) ? this.unite(fetched, current) : fetched;
  }

  private unite(fetched: KeySet, current: ReadonlyMap<string, unknown>): KeySet {
    if (this.known.size <= current.size) return fetched;
    const id = [...this.known.keys()].sort().join();
    // The same set for the same keys: tokens that it has verified are not verified again.
    if (this.united?.id !== id)
      this.united = { id, keySet: new KeySet(Array.from(this.known.values(), ({ jwk }) => jwk)) };
    return this.united.keySet;
  }
}
