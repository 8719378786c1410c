/** A key set as the issuer published it, and when. */
export interface StoredKeys {
  /** When the issuer vouched for it last: milliseconds since 1970. */
  readonly fetchedAtMs: number;
  /** Which address, or whose metadata, they came by: keys that came another way are not used. */
  readonly origin: string;
  /** Public keys only. */
  readonly jwks: { readonly keys: readonly unknown[] };
}

/**
 * Keeps the last good key set of each issuer outside of the process, so that one which starts while the issuer cannot be
 * reached serves all the same. Whoever can write to it decides which tokens are accepted.
 *
 * Errors are logged and otherwise taken for "nothing there": a store can never refuse a token.
 */
export interface KeyStore {
  /** What was saved last for this issuer, or nothing. */
  load(issuer: string): Promise<StoredKeys | undefined | null>;
  /** Called after each successful fetch. */
  save(issuer: string, keys: StoredKeys): Promise<void>;
}
