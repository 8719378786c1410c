import { isJsonObject } from '../model/json-object.js';
import { importVerificationKey, type VerificationKey } from './verification-key.js';

const MAX_QUOTED = 64;

/** A JSON Web Key Set (RFC 7517 §5) with every key imported. Immutable: a new set replaces the old one whole. */
export class KeySet {
  private readonly keys: readonly VerificationKey[];
  private readonly named = new Map<string, VerificationKey[]>();

  /**
   * @param jwks the members of `keys`, as they were published. What is no object is passed over: one bad key does not
   * spoil the rest (RFC 7517 §5).
   */
  constructor(private readonly jwks: readonly unknown[]) {
    this.keys = jwks.filter(isJsonObject).map(importVerificationKey);
    for (const key of this.keys) {
      if (key.kid === undefined) continue;
      const same = this.named.get(key.kid);
      if (same === undefined) this.named.set(key.kid, [key]);
      else same.push(key);
    }
  }

  /** Whether there is any key in it that may verify a token. */
  get isUsable(): boolean {
    return this.keys.some(({ inputs }) => inputs.size > 0);
  }

  /** Why the keys in it that cannot be used cannot: for the log. */
  get problems(): readonly string[] {
    return this.keys.flatMap(({ kid, problem }) =>
      problem === undefined ? [] : [`${kid === undefined ? 'a key without kid' : quoted(kid)} ${problem}`],
    );
  }

  /** As it was published, so that two sets with the same text are the same. */
  toJSON(): readonly unknown[] {
    return this.jwks;
  }

  /** The names of its keys. */
  get kids(): Iterable<string> {
    return this.named.keys();
  }

  /** Whether this very kid names a key in it. */
  hasKid(kid: string | undefined): boolean {
    return kid !== undefined && this.named.has(kid);
  }

  /**
   * The keys that a token may have been signed with: those of its `kid`; without a `kid` all (RFC 7515 §4.1.4 leaves it
   * out where the key is clear). Where no key has a name, a `kid` cannot be looked up, and all are tried too. Empty when
   * the set does not know the `kid`.
   */
  candidates(kid: string | undefined): readonly VerificationKey[] {
    if (kid === undefined || this.named.size === 0) return this.keys;
    return this.named.get(kid) ?? [];
  }
}

/** For a line of the log, whatever an issuer calls its keys. */
function quoted(kid: string): string {
  return JSON.stringify(kid.length > MAX_QUOTED ? `${kid.slice(0, MAX_QUOTED)}…` : kid);
}
