import { ConfigurationError } from '../errors.js';
import { KeySet } from './key-set.js';
import type { KeySource } from './key-source.js';

/** Keys from the options: no network, no rotation but a new start. */
export class StaticKeys implements KeySource {
  private readonly keySet: KeySet;

  /** @throws ConfigurationError when no key of the set can verify a token. */
  constructor(jwks: { readonly keys: readonly unknown[] }, path = 'keys.jwks') {
    this.keySet = new KeySet(jwks.keys);
    if (!this.keySet.isUsable) {
      throw new ConfigurationError([{ path, message: `holds no usable key: ${this.keySet.problems.join('; ')}` }]);
    }
  }

  keySetFor(): KeySet {
    return this.keySet;
  }
}
