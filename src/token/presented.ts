/** The credentials of a call, as its transport reads them. Nothing in it is verified. */
export interface Presented {
  /** The access token as it was sent. */
  readonly token: string;
  readonly scheme: 'Bearer';
  /** Every DPoP proof that was sent (RFC 9449 §4.1); a valid request has at most one. */
  readonly proofs: readonly string[];
  /** The HTTP method. Undefined for calls that have none. */
  readonly method?: string;
  /** The path and query as they were sent. */
  readonly uri?: string;
  /** The DER-encoded client certificate of the TLS connection (RFC 8705 §3). */
  certificate?(): Uint8Array | undefined;
}

/** The requirements of a route that the authentication itself checks. */
export interface Demand {
  /** Accept only tokens for one of these audiences. Default: those of the issuer's options. */
  readonly audience?: readonly string[];
}
