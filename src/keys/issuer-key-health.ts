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
