/** How it stands with the keys of one issuer. */
export interface IssuerKeyHealth {
  readonly issuer: string;
  /** Whether it stands in the options; else it is a tenant that a resolver named. */
  readonly isConfigured: boolean;
  /**
   * `fresh`: as the issuer published them lately. `stale`: older than that, since the issuer cannot be reached or nobody
   * asked; they serve. `dead`: there are none; the next token asks the issuer, and is answered with 503 if that fails or
   * was tried just before.
   */
  readonly state: 'fresh' | 'stale' | 'unavailable';
  /** Where the keys in service came from; undefined when dead. */
  readonly source: 'issuer' | 'store' | 'fallback' | 'static' | undefined;
  /** Seconds since the issuer vouched for them; undefined where that is not known. */
  readonly ageSeconds: number | undefined;
  /** Failed attempts since the last one that did not fail. */
  readonly failures: number;
  /** Why the last attempt failed (`TIMEOUT`, `STATUS`, …); undefined when it did not. */
  readonly lastErrorCode: string | undefined;
}
