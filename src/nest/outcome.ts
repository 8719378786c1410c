import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../model/access-token.js';
import type { MaybePromise } from '../model/maybe-promise.js';

/** The result of the authentication of one call. */
export type Outcome =
  /** `token` is undefined only if a strategy or a `handleRequest` of the application supplied the user. */
  | { readonly kind: 'caller'; readonly user: unknown; readonly token: VerifiedAccessToken | undefined }
  /** The call presented no credentials. */
  | { readonly kind: 'guest' }
  | {
      readonly kind: 'refused';
      readonly error: Error;
      /** The verified token, if it was refused after the verification. */
      readonly token?: VerifiedAccessToken;
      /** The issuer of the token, once it is known to be trusted. */
      readonly issuer?: string;
    };

export const GUEST: Outcome = Object.freeze({ kind: 'guest' });

/** The guard's memory of one call. This package creates it, so that nothing is written onto objects of the framework. */
interface CallRecord {
  /** The request of the call. A GraphQL context that the application reuses for several requests has one record for each. */
  request?: object;
  /** The result of the strategy. Produced once, however many guards and GraphQL fields the call has. */
  authentication?: MaybePromise<Outcome>;
  /** The result of the guard, after `handleRequest`. */
  outcome?: Outcome;
  /** The handler calls whose requirements are met, so that a second guard of a handler does not check them again. */
  admitted?: WeakSet<ExecutionContext>;
  /** The GraphQL operations that this request belongs to. */
  operations?: Set<object>;
}

const records = new WeakMap<object, CallRecord>();

/**
 * Returns the record of a call.
 * @param memo the object by which the transport identifies the call.
 */
export function recordOf(memo: object, request: object): CallRecord {
  let record = records.get(memo);
  if (record?.request !== request) records.set(memo, (record = { request }));
  return record;
}

/** Makes the outcome available to the parameter decorators of the call. */
export function rememberOutcome(request: object, outcome: Outcome): void {
  recordOf(request, request).outcome = outcome;
}

/** Returns the guard's result for the caller. Undefined on a public route. */
export function outcomeOf(request: object): Outcome | undefined {
  return records.get(request)?.outcome;
}
