import { type ExecutionContext, Logger } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { metadataOf } from '../nest-internals.js';
import { memoryOf } from '../outcome.js';
import {
  asAuthError,
  type AuthRefusal,
  isAuthRefusal,
  isTransportException,
  messageFacts,
} from '../refusals/refusal.js';
import { readCarrier } from './http.js';
import type { Transport } from './transport.js';

/** The parts of the gRPC metadata class that are used. The package that declares it may not be installed. */
interface GrpcMetadata {
  get(key: string): readonly unknown[];
  set(key: string, value: string): void;
  getMap(): Record<string, unknown>;
}

interface GrpcStream {
  write(message: unknown): unknown;
  sendMetadata(metadata: unknown): unknown;
  emit(event: 'error' | 'cancelled', argument: unknown): unknown;
  once(event: 'close', callback: () => void): unknown;
  readonly cancelled?: boolean;
  readonly destroyed?: boolean;
  readonly call?: GrpcCall;
}

/** The inner call, which knows the kind of its method. Interceptors wrap it. */
interface GrpcCall {
  readonly handler?: { readonly type?: string };
  readonly nextCall?: GrpcCall;
}

/** The argument of a handler of `@GrpcStreamCall()`. */
interface HeldStream {
  readonly metadata: GrpcMetadata;
  emit(event: 'error', status: object): unknown;
}

// google.rpc.Code, by HTTP status.
const INTERNAL = { code: 13, details: 'Internal server error' };
const GRPC_STATUS: Readonly<Record<AuthError['status'], number>> = { 400: 3, 401: 16, 403: 7, 503: 14 };

const logger = new Logger('AuthGuard');

export const rpcTransport: Transport = {
  requestOf: callOf,

  // Nest creates one execution context for all guards of a handler call. Public handlers claim the message context as well: they may
  // read the caller.
  memoOf(context) {
    if (claimContext(callOf(context), context)) return context;
    const reason = 'the context belongs to another message: create a new object for each';
    throw new AuthError('TOKEN_MISSING', { transport: 'rpc', reason });
  },

  read(request, context, extractor) {
    // For TCP, Redis, NATS, Kafka and so on, the application states in `tokenFrom` where the token is.
    const authorization = isGrpc(request) ? request.get('authorization').map(String) : [];
    return readCarrier({ headers: {} }, context, extractor, { authorization });
  },

  async answer(refusal, context) {
    const RpcException = await loadRpcException();
    const exceptionOf = (own: AuthRefusal) => asAuthError(new RpcException(bodyOf(own, context)), own.error);
    const error = isAuthRefusal(refusal) ? exceptionOf(refusal) : refusal.error;
    const held = heldStream(context);
    if (held === undefined) return error;
    // Nest does not answer such a stream: an error that a guard throws is an unhandled rejection, which ends the process.
    if (!isAuthRefusal(refusal)) logger.error(error);
    const status: unknown = isTransportException(Object(error) as object)
      ? (error as { getError(): unknown }).getError()
      : undefined;
    // The details of other errors are not sent, as in Nest's filter.
    held.emit('error', isJsonObject(status) && typeof status.code === 'number' ? status : INTERNAL);
    // Never settles, and is collected with the call.
    return new Promise(() => undefined);
  },

  connectionOf(context) {
    const stream = context.getArgs<unknown[]>().find(isGrpcStream);
    if (stream === undefined || isUnary(stream.call)) return undefined;
    return {
      key: stream,
      isClosed: () => stream.cancelled === true || stream.destroyed === true,
      close(refusal) {
        const metadata = callOf(context);
        if (isGrpc(metadata)) stream.emit('error', grpcStatus({ ...refusal, challenges: [] }, metadata));
        // Makes Nest unsubscribe from the observable of the handler.
        stream.emit('cancelled', refusal.error.code);
      },
    };
  },
};

/** The package is installed where there is a message handler. The `try` lets bundlers build other applications. */
async function loadRpcException() {
  try {
    return (await import('@nestjs/microservices')).RpcException;
  } catch (error) {
    throw new Error('@nestjs/microservices cannot be loaded', { cause: error });
  }
}

/** Nest creates a context for each message; for gRPC it is the metadata. A custom transport may have none. */
function callOf(context: ExecutionContext): object {
  const call = heldStream(context)?.metadata ?? context.switchToRpc().getContext<unknown>();
  return typeof call === 'object' && call !== null ? call : context.getArgs<object & unknown[]>();
}

/**
 * Returns whether a message context may belong to this handler call. The caller is kept on the message context, so one that a custom
 * transport uses again, such as its channel, would have the caller of another message.
 */
function claimContext(messageContext: object, context: ExecutionContext): boolean {
  // The caller cannot be kept on a frozen object.
  if (!Object.isExtensible(messageContext)) return true;
  const calls = (memoryOf(messageContext, messageContext).handlerCalls ??= []);
  const [first] = calls;
  if (first !== undefined) {
    if (calls.includes(context) || isRepetition(first, context)) return true;
    if (!calls.every((call) => isSameEvent(call, context))) return false;
  }
  calls.push(context);
  return true;
}

/** Returns whether the same message is handled again: by another event handler, or because the transport or a hook repeats it. */
function isRepetition(first: ExecutionContext, next: ExecutionContext): boolean {
  const data = next.getArgByIndex<unknown>(0);
  return first.getArgs() === next.getArgs() || (Object(data) === data && first.getArgByIndex(0) === data);
}

/** Returns whether Nest may have called both handlers for one event. Its data is not an object, so it does not identify the event. */
function isSameEvent(call: ExecutionContext, next: ExecutionContext): boolean {
  if (!Object.is(call.getArgByIndex(0), next.getArgByIndex(0))) return false;
  if (call.getHandler() === next.getHandler() && call.getClass() === next.getClass()) return false;
  const patterns = patternsOf(call);
  return patternsOf(next).some((pattern) => patterns.includes(pattern));
}

function patternsOf(context: ExecutionContext): readonly string[] {
  return [metadataOf('pattern', context.getHandler())].flat().map((pattern) => JSON.stringify(pattern));
}

function bodyOf(refusal: AuthRefusal, context: ExecutionContext): object {
  const call = callOf(context);
  return isGrpc(call) ? grpcStatus(refusal, call) : messageFacts(refusal);
}

function isGrpc(value: unknown): value is GrpcMetadata {
  const { get, set, getMap } = (value ?? {}) as Partial<GrpcMetadata>;
  return typeof get === 'function' && typeof set === 'function' && typeof getMap === 'function';
}

/** Returns the stream that a handler of `@GrpcStreamCall()` receives and has to answer. */
function heldStream(context: ExecutionContext): HeldStream | undefined {
  const stream = context.getArgByIndex<Partial<HeldStream> | null | undefined>(0);
  return isGrpc(stream?.metadata) ? (stream as HeldStream) : undefined;
}

function isGrpcStream(value: unknown): value is GrpcStream {
  const { write, emit, sendMetadata } = (value ?? {}) as Partial<GrpcStream>;
  return typeof write === 'function' && typeof emit === 'function' && typeof sendMetadata === 'function';
}

/** A call with one response ends with it, although it has the class of a stream. */
function isUnary(call: GrpcCall | undefined): boolean {
  return call?.nextCall === undefined ? call?.handler?.type === 'unary' : isUnary(call.nextCall);
}

function grpcStatus({ error, challenges }: AuthRefusal, received: GrpcMetadata): object {
  const metadata = new (received.constructor as new () => GrpcMetadata)();
  metadata.set('error-code', error.code);
  if (challenges.length > 0) metadata.set('www-authenticate', challenges.join(', '));
  if (error.retryAfterSeconds !== undefined) metadata.set('retry-after', String(error.retryAfterSeconds));
  const details = `${error.code}: ${error.message}`;
  return { code: GRPC_STATUS[error.status], message: details, details, metadata };
}
