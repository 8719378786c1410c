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

/** The results that the guard remembers for one call. */
export class CallRecord {
  /** The result of the strategy. It is produced once for all guards and GraphQL fields of the call. */
  authentication: MaybePromise<Outcome> | undefined;
  /** The result of `handleRequest`, which may change that of the strategy. */
  outcome: Outcome | undefined;
  /** The handler call whose requirements this outcome met, so that a second guard of the handler does not repeat them. */
  admitted: ExecutionContext | undefined;
  /** The GraphQL operations that this request belongs to. */
  operations: Set<object> | undefined;

  /** @param request of the call. A GraphQL context that the application reuses for several requests has a record for each. */
  constructor(readonly request: object) {}
}

// `Symbol.for`, so that two installed copies of this package share it.
const RECORD = Symbol.for('nestjs-resource-server.call');

interface Recorded {
  [RECORD]?: CallRecord;
}

const records = new WeakMap<object, CallRecord>();

/**
 * Returns the record of a call. The record of a request is a property of it, because the garbage collector needs longer for a
 * WeakMap entry than the verification of a repeated token. Other memos have a WeakMap entry, because a copy of a GraphQL context
 * would include a property and make two operations share one authentication.
 * @param memo the object by which the transport identifies the call.
 */
export function recordOf(memo: object, request: object): CallRecord {
  const known = memo === request ? (request as Recorded)[RECORD] : records.get(memo);
  if (known?.request === request) return known;
  const record = new CallRecord(request);
  if (memo === request) (request as Recorded)[RECORD] = record;
  else records.set(memo, record);
  return record;
}

/** Makes the outcome available to the parameter decorators of the call. */
export function rememberOutcome(request: object, outcome: Outcome): void {
  recordOf(request, request).outcome = outcome;
}

/** Returns the caller, guest or refusal that the guard decided on. Undefined on a public route. */
export function outcomeOf(request: object): Outcome | undefined {
  const record = (request as Recorded)[RECORD];
  return record?.request === request ? record.outcome : undefined;
}
