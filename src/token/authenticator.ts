import type { VerifiedAccessToken } from '../model/access-token.js';
import type { MaybePromise } from '../model/maybe-promise.js';
import type { Demand, Presented } from './presented.js';

/** The result of an authentication that failed. The facts of the call are here, and never on the error, which may be a constant. */
export class Rejected {
  constructor(
    /** An `AuthError`, or what the application's own code threw. */
    readonly error: unknown,
    /** The issuer of the token, once it is known to be trusted. */
    readonly issuer: string | undefined,
  ) {}
}

/** Decides whether a call presents a valid access token. A known result travels synchronously. Neither throws nor rejects. */
export interface Authenticator {
  authenticate(presented: Presented, demand: Demand): MaybePromise<VerifiedAccessToken | Rejected>;
}

export const NO_DEMAND: Demand = Object.freeze({});
