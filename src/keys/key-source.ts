import type { KeySet } from './key-set.js';

/** Provides the keys of one issuer. */
export interface KeySource {
  /**
   * Returns the key set to search for a key. A source that can fetch does so if it has no set, or if the set lacks the
   * kid, as often as its policy allows. Synchronous if nothing has to be awaited.
   *
   * @param rejectedSet A set that may contain the key but did not verify the token. The source looks for a newer set, under
   * the same policy as for an unknown kid.
   * @throws AuthError KEYS_UNAVAILABLE if there is no key set.
   */
  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet | Promise<KeySet>;
  /** Returns the key set in use, if any. Never fetches. */
  current(): KeySet | undefined;
}

/** Keys from the options. They change only when the application restarts. */
export function staticKeys(keySet: KeySet): KeySource {
  return { keySetFor: () => keySet, current: () => keySet };
}
