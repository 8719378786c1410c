import type { KeySet } from './key-set.js';

/** Where the keys of one issuer come from. */
export interface KeySource {
  /**
   * The key set in which to look for this key. A source that can fetch does so when it has none, or when `kid` is not
   * in the one that it has, as often as its policy allows. Synchronous when nothing has to be waited for.
   *
   * @param rejectedSet a set with which the token could not be verified although its kid rules no key out: a newer one is
   * looked for, under the same policy as for an unknown kid.
   * @throws AuthError KEYS_UNAVAILABLE when there is no set to answer from.
   */
  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet | Promise<KeySet>;
  /** The key set that is in service, if there is one. Asks nobody, and counts for nothing. */
  current(): KeySet | undefined;
}
