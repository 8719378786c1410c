/**
 * The credentials of a call, on any transport. A transport reads them and passes them to an `Authenticator`. Nothing in it is
 * verified.
 */
export interface Presented {
  /** The access token as it was sent. */
  readonly token: string;
  /** The authentication scheme that carried it (RFC 6750 §2.1). */
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

/** The requirements of a route that the authentication itself checks, not the rules of the route. */
export interface Demand {
  /** Accept only tokens for one of these audiences. Default: those of the issuer's options. */
  readonly audience?: readonly string[];
}
