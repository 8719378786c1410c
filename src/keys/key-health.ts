/** How it stands with the keys of one issuer. */
export interface IssuerKeyHealth {
  readonly issuer: string;
  /**
   * `fresh`: as the issuer published them lately. `stale`: older than that, since the issuer cannot be reached or nobody
   * asked; they serve. `dead`: there are none; tokens of this issuer are answered with 503.
   */
  readonly state: 'fresh' | 'stale' | 'dead';
  /** Where the keys in service came from; undefined when dead. */
  readonly source: 'issuer' | 'store' | 'fallback' | 'static' | undefined;
  /** Seconds since the issuer vouched for them; undefined where that is not known. */
  readonly ageSeconds: number | undefined;
  /** Failed attempts since the last one that did not fail. */
  readonly failures: number;
  /** Why the last attempt failed (`TIMEOUT`, `STATUS`, …); undefined when it did not. */
  readonly lastErrorCode: string | undefined;
}
