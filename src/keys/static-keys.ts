import type { KeySet } from './key-set.js';
import type { KeySource } from './key-source.js';

/** Keys from the options: no network, no rotation but a new start. */
export class StaticKeys implements KeySource {
  constructor(private readonly keySet: KeySet) {}

  keySetFor(): KeySet {
    return this.keySet;
  }

  current(): KeySet {
    return this.keySet;
  }
}
