/** The key set of an issuer as it was published. */
export interface StoredKeys {
  /** When the issuer last confirmed the set: milliseconds since 1970. */
  readonly fetchedAtMs: number;
  /**
   * How the keys were found: the address of the set or of the metadata, with a digest instead of a query. Keys with another origin
   * are not used.
   */
  readonly origin: string;
  /** Public keys only. */
  readonly jwks: { readonly keys: readonly unknown[] };
}

/**
 * Persists the last valid key set of each issuer, so that the application can start and verify tokens while the issuer is
 * unreachable. Anyone who can write to the store decides which tokens are accepted.
 *
 * Errors are logged, and the store then counts as empty. A failing store never causes a token to be rejected.
 */
export interface KeyStore {
  /** Returns what was last saved for this issuer, if anything. */
  load(issuer: string): Promise<StoredKeys | undefined | null>;
  /** Called after each successful fetch. */
  save(issuer: string, keys: StoredKeys): Promise<void>;
}
