import { importVerificationKey, type VerificationKey } from './verification-key.js';

/** A JSON Web Key Set (RFC 7517 §5) with every key imported. Immutable: a new set replaces the old one whole. */
export class KeySet {
  private readonly keys: readonly VerificationKey[];
  private readonly named = new Map<string, VerificationKey[]>();
  private readonly nameless: readonly VerificationKey[];

  /** @param jwks members that are no objects are passed over: one bad key does not spoil the rest (RFC 7517 §5). */
  constructor(jwks: readonly unknown[]) {
    this.keys = jwks.filter(isObject).map(importVerificationKey);
    this.nameless = this.keys.filter(({ kid }) => kid === undefined);
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
      problem === undefined ? [] : [`${kid ?? 'key without kid'} ${problem}`],
    );
  }

  /**
   * The keys that a token may have been signed with: those of its `kid`, else those that have none; without a `kid` all
   * (RFC 7515 §4.1.4 leaves it out where the key is clear). Empty when the set does not know the `kid`.
   */
  candidates(kid: string | undefined): readonly VerificationKey[] {
    return kid === undefined ? this.keys : (this.named.get(kid) ?? this.nameless);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
