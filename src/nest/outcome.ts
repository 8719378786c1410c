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

/** Returns whether a value that the application returned as the user means that there is none. In passport, every falsy value does. */
export function isNobody(user: unknown): boolean {
  return !user;
}

export const GUEST: Outcome = Object.freeze({ kind: 'guest' });

/** The results that the guard of one module remembers for one call. */
export class CallRecord {
  private demand: object | undefined;
  private authentication: MaybePromise<Outcome> | undefined;
  /** For the fields of a GraphQL operation that belong to other resources. */
  private others: Map<object, MaybePromise<Outcome>> | undefined;
  /** The record of another module for the same call. Its options may reject what this module accepts. */
  private next: CallRecord | undefined;
  private admitted: ExecutionContext | undefined;
  private othersAdmitted: WeakSet<ExecutionContext> | undefined;

  /** @param owner the strategy of the module. */
  constructor(private readonly owner: object) {}

  of(owner: object): CallRecord {
    return this.owner === owner ? this : (this.next ??= new CallRecord(owner)).of(owner);
  }

  /** Returns the result of the strategy, which is produced once for all guards and GraphQL fields of the call with this demand. */
  resultFor(demand: object): MaybePromise<Outcome> | undefined {
    return this.demand === demand ? this.authentication : this.others?.get(demand);
  }

  remember(demand: object, result: MaybePromise<Outcome>): MaybePromise<Outcome> {
    this.demand ??= demand;
    if (this.demand === demand) this.authentication = result;
    else (this.others ??= new Map()).set(demand, result);
    return result;
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
export class CallMemory {
  /** The GraphQL operations that this request belongs to. */
  operations: Set<object> | undefined;
  /** The handler calls of the message that this context of a microservice belongs to. */
  handlerCalls: ExecutionContext[] | undefined;
  private outcome: Outcome | undefined;
  private records: CallRecord | undefined;

  /** @param request of the call. A GraphQL context that the application reuses for several requests has a memory for each. */
  constructor(
    private readonly memo: object,
    readonly request: object,
  ) {}

  /** Returns the record of the call for one module. Modules with other options authenticate the call again. */
  recordOf(owner: object): CallRecord {
    return (this.records ??= new CallRecord(owner)).of(owner);
  }

  /** Makes the result of a guard, after `handleRequest`, available to the parameter decorators of the request. */
  decide(outcome: Outcome): void {
    const memory = this.memo === this.request ? this : memoryOf(this.request, this.request);
    memory.outcome = outcome;
  }

  get decided(): Outcome | undefined {
    return this.outcome;
  }
}

// `Symbol.for`, so that `@CurrentUser()` of another copy of this package finds it.
const MEMORY = Symbol.for('nestjs-resource-server:call');

interface Holder {
  [MEMORY]?: CallMemory;
}

const memories = new WeakMap<object, CallMemory>();

/**
 * Returns the memory of a call. If the request identifies the call, it is in a property, because a WeakMap entry costs the garbage
 * collector more time than the verification of a repeated token takes. Other memos have a WeakMap entry, because a copy of a
 * GraphQL context would include a property and make two operations share one authentication.
 * @param memo the object by which the transport identifies the call.
 */
export function memoryOf(memo: object, request: object): CallMemory {
  const holder = memo === request ? holderOf(request) : undefined;
  const kept = holder?.[MEMORY];
  if (kept instanceof CallMemory && kept.request === request) return kept;
  // Another copy of this package decided about the call. Its memory stays where decorators find it.
  const isForeign = kept !== undefined && !(kept instanceof CallMemory);
  const owner = isForeign ? undefined : holder;
  const known = owner === undefined ? memories.get(memo) : undefined;
  if (known?.request === request) return known;
  const memory = new CallMemory(memo, request);
  if (owner === undefined) memories.set(memo, memory);
  else owner[MEMORY] = memory;
  return memory;
}

/** Returns the caller or guest that the guard decided on. Undefined on a public route. */
export function outcomeOf(request: object): Outcome | undefined {
  const memory = holderOf(request)[MEMORY];
  return memory?.request === request ? memory.decided : undefined;
}

/** Copies what the guard set on a request, such as the user, to another request of the same caller. */
export function copyCall(from: object, to: object): void {
  const { [MEMORY]: memory, ...own } = from as Holder;
  Object.assign(to, own);
  if (memory?.decided !== undefined) memoryOf(to, to).decide(memory.decided);
}

/**
 * Express sets the prototype of each request anew, so that a new property of it costs V8 a hidden class of its own. The list of raw
 * headers, which Node creates for each request, has no such cost.
 */
function holderOf(request: object): Holder {
  const { rawHeaders } = request as { readonly rawHeaders?: Holder };
  return rawHeaders ?? request;
}
