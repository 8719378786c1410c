import { describeValue, isJsonObject } from '../model/unknown-value.js';
import { importVerificationKey, type VerificationKey } from './verification-key.js';

/** A JSON Web Key Set (RFC 7517 §5) whose keys are imported. It is immutable; a newer set replaces it as a whole. */
export class KeySet {
  private readonly keys: readonly VerificationKey[];
  private readonly named = new Map<string, VerificationKey[]>();

  /**
   * @param jwks The members of `keys` as published. A member that is not an object is ignored, so that it does not
   * invalidate the other keys (RFC 7517 §5).
   */
  constructor(private readonly jwks: readonly unknown[]) {
    this.keys = jwks.filter(isJsonObject).map(importVerificationKey);
    for (const key of this.keys) {
      if (key.kid === undefined) continue;
      const named = this.named.get(key.kid);
      if (named === undefined) this.named.set(key.kid, [key]);
      else named.push(key);
    }
  }

  get isUsable(): boolean {
    return this.keys.some(({ inputs }) => inputs.size > 0);
  }

  /** Why keys of the set cannot be used, for the log. */
  get problems(): readonly string[] {
    return this.keys.flatMap(({ kid, problem }) =>
      problem === undefined ? [] : [`${kid === undefined ? 'a key without kid' : describeValue(kid)} ${problem}`],
    );
  }

  toJSON(): readonly unknown[] {
    return this.jwks;
  }

  get kids(): Iterable<string> {
    return this.named.keys();
  }

  hasKid(kid: string | undefined): boolean {
    return kid !== undefined && this.named.has(kid);
  }

  /**
   * Returns the keys that may have signed a token: those with its `kid`, or all keys if the token has no `kid` (it is
   * optional, RFC 7515 §4.1.4) or no key of the set has one. Empty if the `kid` is unknown.
   */
  candidates(kid: string | undefined): readonly VerificationKey[] {
    if (kid === undefined || this.named.size === 0) return this.keys;
    return this.named.get(kid) ?? [];
  }
}
