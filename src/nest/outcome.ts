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

/** The results that the guard of one module remembers for one call. */
export class CallRecord {
  /** The result of the strategy. It is produced once for all guards and GraphQL fields of the call. */
  authentication: MaybePromise<Outcome> | undefined;
  /** The record of another module for the same call. Its options may reject what this module accepts. */
  private next: CallRecord | undefined;
  private admitted: ExecutionContext | undefined;
  private othersAdmitted: WeakSet<ExecutionContext> | undefined;

  /** @param owner the strategy of the module. */
  constructor(private readonly owner: object) {}

  of(owner: object): CallRecord {
    return this.owner === owner ? this : (this.next ??= new CallRecord(owner)).of(owner);
  }

  /** Returns whether a handler call met its requirements, so that a second guard of the handler does not check them again. */
  isAdmitted(context: ExecutionContext): boolean {
    return this.admitted === context || this.othersAdmitted?.has(context) === true;
  }

  /** Records that a handler call met its requirements. An operation of GraphQL has several. */
  admit(context: ExecutionContext): void {
    if (this.admitted === undefined) this.admitted = context;
    else if (this.admitted !== context) (this.othersAdmitted ??= new WeakSet()).add(context);
  }
}

/** Everything that is remembered for one call. */
class CallMemory {
  /** The result of the last guard, after `handleRequest`. */
  outcome: Outcome | undefined;
  /** The GraphQL operations that this request belongs to. */
  operations: Set<object> | undefined;
  private records: CallRecord | undefined;

  /** @param request of the call. A GraphQL context that the application reuses for several requests has a memory for each. */
  constructor(readonly request: object) {}

  recordOf(owner: object): CallRecord {
    return (this.records ??= new CallRecord(owner)).of(owner);
  }
}

const MEMORY = Symbol('nestjs-resource-server:call');

interface Remembered {
  [MEMORY]?: CallMemory;
}

const memories = new WeakMap<object, CallMemory>();

/**
 * Returns the memory of a call. An HTTP request has it in a property, because a WeakMap entry costs the garbage collector more time
 * than the verification of a repeated token takes. Other memos have a WeakMap entry, because a copy of a GraphQL context would
 * include a property and make two operations share one authentication.
 * @param memo the object by which the transport identifies the call.
 */
function memoryOf(memo: object, request: object): CallMemory {
  const known = memo === request ? (request as Remembered)[MEMORY] : memories.get(memo);
  if (known?.request === request) return known;
  const memory = new CallMemory(request);
  if (memo === request) (request as Remembered)[MEMORY] = memory;
  else memories.set(memo, memory);
  return memory;
}

/** Returns the record of a call for one module. Modules with other options authenticate the call again. */
export function recordOf(memo: object, request: object, owner: object): CallRecord {
  return memoryOf(memo, request).recordOf(owner);
}

/** The GraphQL operations that an HTTP request belongs to. */
export function operationsOf(request: object): Set<object> {
  return (memoryOf(request, request).operations ??= new Set());
}

/** Makes the outcome available to the parameter decorators of the call. */
export function rememberOutcome(request: object, outcome: Outcome): void {
  memoryOf(request, request).outcome = outcome;
}

/** Returns the caller or guest that the guard decided on. Undefined on a public route. */
export function outcomeOf(request: object): Outcome | undefined {
  const memory = (request as Remembered)[MEMORY];
  return memory?.request === request ? memory.outcome : undefined;
}
