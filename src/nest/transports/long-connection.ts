import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { MaybePromise } from '../../model/maybe-promise.js';
import type { AuthRefusal } from '../refusals/refusal.js';

/** A connection that outlives the call that opened it: a socket, a subscription or an event stream. */
export interface LongConnection {
  /** The object that identifies the connection: the socket, or the response. It emits an event when either side closes it. */
  readonly key: { once(event: string, callback: () => void): unknown };
  /** Default `close`. */
  readonly closeEvent?: 'disconnect';
  /** Whether it is closed. Then no further close event follows. */
  readonly isClosed: boolean;
  /** Whether its client can send a new token. Otherwise a grace time would only extend access after the expiration. */
  readonly canRenew?: boolean;
  /**
   * Waits until the connection is admitted and its last new token is accepted or rejected.
   * @throws the refusal of the connection
   */
  whenAdmitted?(): MaybePromise<unknown>;
  /**
   * Checks that the connection may be used with this token. Undefined if each token is accepted.
   * @throws AuthError CLAIM_INVALID if the connection belongs to another caller.
   */
  checkOwner?(token: VerifiedAccessToken): void;
  /**
   * Makes the caller the owner of the connection, unless it has one.
   * @throws AuthError CLAIM_INVALID if another caller has become the owner since `checkOwner`.
   */
  setOwner?(token: VerifiedAccessToken): void;
  /** Sends the refusal to the client and leaves the connection open. Needed if it can be renewed. */
  warn?(refusal: AuthRefusal): void;
  /** Sends the refusal to the client if the protocol has a message for it, and closes the connection. */
  close(refusal: AuthRefusal): void;
}
