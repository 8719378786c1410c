import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { AuthError } from '../../model/errors.js';
import type { TokenCarrier } from '../../token/presented-token.js';

/** A connection that outlives the call which opened it. */
export interface LongConnection {
  /** What stands for it: the socket, or the response. */
  readonly key: object;
  /** It has no `close` to come any more. */
  readonly isClosed: boolean;
  /** Its client may send a new token; else a time of grace would be nothing but access after the expiry. */
  readonly canRenew: boolean;
  /** Tells the client; the connection stays. */
  warn(refusal: AuthError): void;
  /** Tells the client why, if there is a way, and closes it. */
  close(refusal: AuthError): void;
  /** Calls back once it is closed, by whomever. */
  onClosed(callback: () => void): void;
}

/** What guard, strategy and decorators need to know of a kind of transport. */
export interface Transport {
  /** What the authentication of the call is remembered on, and its user put. */
  requestOf(context: ExecutionContext): object;
  /**
   * What its handlers share, where one call has several: they are asked one by one, but who is calling is found out once.
   */
  operationOf(context: ExecutionContext): object | undefined;
  /** Told of a call that nobody is asked about (`@Public()`). */
  passed?(context: ExecutionContext): void;
  /** @throws AuthError for a token that must not be used here, though it is a good one. */
  checkCaller?(context: ExecutionContext, token: VerifiedAccessToken): void;
  /** Told of the token of a call that may go on. */
  keepCaller?(context: ExecutionContext, token: VerifiedAccessToken): void;
  /** Where its token may stand. */
  carrierOf(request: object, context: ExecutionContext): TokenCarrier;
  /** Undefined, or settled when the call may be looked at: a socket's first message must wait for its admission. */
  ready(context: ExecutionContext): Promise<unknown> | undefined;
  /** Puts a header on the answer, where there is one. */
  setHeader(context: ExecutionContext, name: string, value: string): void;
  /** What Nest is to be thrown, so that the client gets status, code and challenge as this transport has them. */
  exceptionOf(refusal: AuthError, challenge: string | undefined, context: ExecutionContext): Promise<Error> | Error;
  /** What Nest is to be thrown for an error that is no refusal: of a policy, or of the application's options. */
  failureOf(error: unknown, context: ExecutionContext): unknown;
  /** Undefined for a call that ends with its answer. */
  connectionOf(context: ExecutionContext, isEventStream: boolean): LongConnection | undefined;
}
