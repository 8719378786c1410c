import type { ExecutionContext } from '@nestjs/common';
import type { MaybePromise } from '../../model/maybe-promise.js';
import type { Presented } from '../../token/authenticator.js';
import type { TokenExtractor } from '../../token/token-extractor.js';
import type { Refusal } from '../refusals/refusal.js';
import type { LongConnection } from './long-connection.js';

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
  connectionOf(context: ExecutionContext, isEventStream: boolean): LongConnection | undefined;
}
