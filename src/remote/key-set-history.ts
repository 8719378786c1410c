import { KeySet } from '../keys/key-set.js';
import { isJsonObject } from '../model/unknown-value.js';

interface KnownKey {
  readonly jwk: unknown;
  /** When a set contained the key last, in milliseconds since 1970. */
  readonly seenAt: number;
  readonly isInLastSet: boolean;
}

/** The keys of some sets. More than any issuer publishes, also during a rotation. */
const MAX_KEYS = 200;

/**
 * Detects a key set that flaps: a key that a newer set lacked is in the set again, because several servers of the issuer answer in turn
 * and have different keys. Then the keys of all sets since that key was seen before are used together, as no single set can verify all
 * tokens.
 */
export class KeySetHistory {
  private readonly known = new Map<string, KnownKey>();
  private flapsUntil = -Infinity;
  /** Keys that were seen last before this time had been withdrawn before the set started to flap. */
  private unitesSince = Infinity;
  private united: { readonly id: string; readonly keySet: KeySet } | undefined;

  /** @param windowMs how long a key that is in some sets only is used after it was seen last */
  constructor(private readonly windowMs: number) {}

  isFlapping(now: number): boolean {
    return now < this.flapsUntil;
  }

  /** Records a set that was fetched, and returns the set to use: the same one, unless the set flaps. */
  add(fetched: KeySet, now: number): KeySet {
    if (!this.isFlapping(now)) this.unitesSince = Infinity;
    const current = new Map(fetched.toJSON().map((jwk) => [identityOf(jwk), jwk]));
    for (const [id, key] of this.known) {
      if (now - key.seenAt >= this.windowMs) this.known.delete(id);
      else if (!current.has(id)) this.known.set(id, { ...key, isInLastSet: false });
    }
    for (const [id, jwk] of current) {
      const key = this.known.get(id);
      if (key?.isInLastSet === false) {
        this.flapsUntil = now + this.windowMs;
        this.unitesSince = Math.min(this.unitesSince, key.seenAt);
      }
      if (key !== undefined || this.known.size < MAX_KEYS) this.known.set(id, { jwk, seenAt: now, isInLastSet: true });
    }
    return this.isFlapping(now) ? this.unite(fetched, current) : fetched;
  }

  private unite(fetched: KeySet, current: ReadonlyMap<string, unknown>): KeySet {
    const others = [...this.known].filter(([id, { seenAt }]) => !current.has(id) && seenAt >= this.unitesSince);
    if (others.length === 0) return fetched;
    const keys = new Map([...current, ...others.map(([id, { jwk }]) => [id, jwk] as const)]);
    const id = [...keys.keys()].sort().join();
    // The same set for the same keys: tokens that it has verified are not verified again.
    if (this.united?.id !== id) this.united = { id, keySet: new KeySet([...keys.values()]) };
    return this.united.keySet;
  }
}

/** Servers may write the members of the same key in another order. */
function identityOf(jwk: unknown): string {
  return isJsonObject(jwk) ? JSON.stringify(Object.entries(jwk).sort(([one], [other]) => (one < other ? -1 : 1))) : '';
}
