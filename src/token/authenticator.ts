import type { VerifiedAccessToken } from '../model/access-token.js';
import type { MaybePromise } from '../model/maybe-promise.js';

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
  /** Accept only tokens for one of these audiences. Undefined: those of the issuer's options. */
  readonly audience: readonly string[] | undefined;
  /** Reject tokens that also name another audience. Undefined: as the issuer's options say. */
  readonly exclusiveAudience: boolean | undefined;
}

export const NO_DEMAND: Demand = Object.freeze({ audience: undefined, exclusiveAudience: undefined });

/** Decides whether a call presents a valid access token. A known result travels synchronously. Neither throws nor rejects. */
export interface Authenticator {
  authenticate(presented: Presented, demand: Demand): MaybePromise<VerifiedAccessToken | Rejected>;
}

/** The result of an authentication that failed. The facts of the call are here, and never on the error, which may be a constant. */
export class Rejected {
  constructor(
    /** An `AuthError`, or what the application's own code threw. */
    readonly error: unknown,
    /** The issuer of the token, once it is known to be trusted. */
    readonly issuer: string | undefined,
  ) {}
}
