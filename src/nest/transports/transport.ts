import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { MaybePromise } from '../../model/maybe-promise.js';
import type { Presented } from '../../token/authenticator.js';
import type { TokenExtractor } from '../../token/token-extractor.js';
import type { AuthRefusal, Refusal } from '../refusals/refusal.js';

/** Transport-specific operations used by the guard, the strategy and the parameter decorators. */
export interface Transport {
  /** The object that represents the caller: `request.user` is set on it, and parameter decorators read its outcome. */
  requestOf(context: ExecutionContext): object;
  /**
   * The object that identifies the call. The fields of one GraphQL operation share it, so that the call is authenticated once.
   * @param request what `requestOf` returned, if it was called.
   */
  memoOf(context: ExecutionContext, request?: object): object;
  /**
   * Reads what the call presents.
   * @returns undefined if the call presents no credentials.
   * @throws AuthError if it presents something that cannot be a token.
   */
  read(request: object, context: ExecutionContext, extractor: TokenExtractor): Presented | undefined;
  /** Returns the error to throw into Nest, so that the client receives status, code and challenges in the form of this transport. */
  answer(refusal: Refusal, context: ExecutionContext): MaybePromise<unknown>;
  /** Returns the connection if it outlives the call. The guard waits for its admission first. */
  connectionOf(context: ExecutionContext, eventStream: 'always' | 'possible' | undefined): LongConnection | undefined;
}

/** A connection that outlives the call that opened it: a socket, a subscription or an event stream. */
export interface LongConnection {
  /** The object that identifies the connection: the socket, or the response. It emits an event when either side closes it. */
  readonly key: { once(event: string, callback: () => void): unknown };
  /** Default `close`. */
  readonly closeEvent?: 'disconnect';
  /** Whether its client can send a new token. Otherwise a grace time would only extend access after the expiration. */
  readonly canRenew?: boolean;
  /** Calls the listener when the response turns out to be a stream. Undefined if that is certain. */
  whenOpened?(listener: () => void): void;
  /** Returns whether it is closed. Then no further close event follows. */
  isClosed(): boolean;
  /** Waits until the connection is admitted and its last new token is decided. @throws the refusal of the connection */
  whenAdmitted?(): MaybePromise<unknown>;
  /** @throws AuthError CLAIM_INVALID if the connection belongs to another caller. Undefined if each token is accepted. */
  checkOwner?(token: VerifiedAccessToken): void;
  /** Makes the caller the owner of the connection. @throws AuthError CLAIM_INVALID if another caller became it since `checkOwner`. */
  setOwner?(token: VerifiedAccessToken): void;
  /** Sends the refusal to the client and leaves the connection open. Needed if it can be renewed. */
  warn?(refusal: AuthRefusal): void;
  /** Sends the refusal to the client if the protocol has a message for it, and closes the connection. */
  close(refusal: AuthRefusal): void;
}
