import { type ExecutionContext, Logger } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isAuthRefusal, toHttpException } from '../refusals/refusal.js';
import { handlerName } from '../nest-internals.js';
import { nameWithoutBound } from '../routes/method-metadata.js';
import { readCarrier } from './http.js';
import type { Transport } from './transport.js';

const SHARED_ARGUMENTS =
  'no argument is an object of this call only, so that parameter decorators could return the user of another call';

const logger = new Logger('AuthGuard');

/**
 * The handlers of other libraries (RabbitMQ, Telegraf, Discord), which call them through `ExternalContextCreator`. Where their
 * messages have a token is known only to the functions of `tokenFrom`.
 */
export const externalTransport: Transport = {
  requestOf: callOf,

  memoOf(context, call) {
    // A public handler has no caller. The `getRequest` of a guard may return an argument that calls share.
    if (!(call instanceof ExternalCall)) return context;
    call.claim(context);
    return call;
  },

  read(call, context, extractor) {
    if (call instanceof ExternalCall) call.reader = extractor;
    return readCarrier({ headers: {} }, context, extractor, { authorization: [] });
  },

  answer(refusal, context) {
    if (!isAuthRefusal(refusal)) return refusal.error;
    const { code, detail } = refusal.error;
    if (code !== 'TOKEN_MISSING') return toHttpException(refusal);
    warnOnce(callOf(context).reader, context, detail.reason === SHARED_ARGUMENTS);
    const error = new AuthError(code, { transport: context.getType<string>(), ...detail });
    return toHttpException({ ...refusal, error });
  },

  connectionOf: () => undefined,
};

/** A call of a handler. The user is set on it, not on an argument: a client of Discord has a `user` of its own. */
class ExternalCall {
  /** The extractor of the module that read the call. */
  reader: object = logger;
  private context: ExecutionContext | undefined;

  /** @param isIdentified whether an argument identifies the call. */
  constructor(private readonly isIdentified: boolean) {}

  /** @throws AuthError TOKEN_MISSING if parameter decorators could return the user of another call. */
  claim(context: ExecutionContext): void {
    this.context ??= context;
    if (this.isIdentified && this.context === context) return;
    throw new AuthError('TOKEN_MISSING', { reason: SHARED_ARGUMENTS });
  }
}

/**
 * The calls by their class, handler and arguments. Calls may share an argument, such as a channel or a bot, if another one tells
 * them apart.
 */
class CallTree {
  readonly call = new ExternalCall(true);
  isWarned = false;
  private branches: WeakMap<object, CallTree> | undefined;
  private named: Map<string, CallTree> | undefined;

  at(key: object | string): CallTree {
    const branches = (
      typeof key === 'string' ? (this.named ??= new Map()) : (this.branches ??= new WeakMap())
    ) as Branches;
    let branch = branches.get(key);
    if (branch === undefined) branches.set(key, (branch = new CallTree()));
    return branch;
  }
}

interface Branches {
  get(key: object | string): CallTree | undefined;
  set(key: object | string, branch: CallTree): unknown;
}

const root = new CallTree();

/**
 * Returns the call that a context belongs to. Guards and parameter decorators have a context each, and nothing in common but
 * the handler and its arguments.
 */
function callOf(context: ExecutionContext): ExternalCall {
  const identifying = context.getArgs<unknown[]>().filter(isReference);
  if (identifying.length === 0) return new ExternalCall(false);
  // Handlers are compared by name, because instrumentation replaces methods, and a library may bind the function that guards see.
  // Several handlers may receive the same event.
  const handler = root.at(context.getClass()).at(nameWithoutBound(context.getHandler()));
  return identifying.reduce((tree: CallTree, argument) => tree.at(argument), handler).call;
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** @param reader of the module: each application has its own warning. */
function warnOnce(reader: object, context: ExecutionContext, isShared: boolean): void {
  const transport = context.getType<string>();
  const warning = root.at(reader).at(transport);
  if (warning.isWarned) return;
  warning.isWarned = true;
  const reason = isShared
    ? `${SHARED_ARGUMENTS}. Have the library pass an object that is new for each call`
    : 'the call has no token. Add a function to `tokenFrom` that reads it from the arguments: (context) => context.getArgByIndex(0)…';
  logger.warn(
    `Refused ${handlerName(context)}, a handler of the transport "${transport}": ${reason}, or mark the handler as @Public().`,
  );
}
