import type { KeySet } from './key-set.js';

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

/** The state of the keys of one issuer. */
export interface IssuerKeyHealth {
  readonly issuer: string;
  /** True for an issuer in the options, false for a tenant that the `issuers` function returned. */
  readonly isConfigured: boolean;
  /**
   * - `fresh`: The keys were fetched recently.
   * - `stale`: The keys are older, because the issuer is unreachable or no token was received. They are still used.
   * - `unavailable`: There are no keys. The next token causes a fetch, unless one has just failed, and is rejected with 503
   *   if there are still no keys.
   */
  readonly state: 'fresh' | 'stale' | 'unavailable';
  /** Where the keys in use came from; undefined if there are none. */
  readonly source: 'issuer' | 'store' | 'fallback' | 'static' | undefined;
  /** Seconds since the issuer last confirmed the keys; undefined if that is unknown. */
  readonly ageSeconds: number | undefined;
  /** Failed attempts since the last success. */
  readonly failures: number;
  /** Why the last attempt failed (`TIMEOUT`, `STATUS`, …); undefined after a success. */
  readonly lastErrorCode: string | undefined;
}
