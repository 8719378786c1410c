import { type ExecutionContext, Logger } from '@nestjs/common';
import type { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/unknown-value.js';
import { asAuthError } from '../refusals/exceptions.js';
import { type AuthRefusal, isAuthRefusal, type Refusal, refusalFacts } from '../refusals/refusal.js';
import type { LongConnection } from './long-connection.js';
import type { Transport } from './transport.js';

/** The parts of the gRPC metadata class that are used. The package that declares it may not be installed. */
interface GrpcMetadata {
  get(key: string): readonly unknown[];
  set(key: string, value: string): void;
  getMap(): Record<string, unknown>;
}

/** A call whose response is a stream. */
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

const NO_HEADERS = Object.freeze({});

// google.rpc.Code, by HTTP status.
const INTERNAL = 13;
const GRPC_STATUS: Readonly<Record<AuthError['status'], number>> = { 400: 3, 401: 16, 403: 7, 503: 14 };

const logger = new Logger('AuthGuard');

export const rpcTransport: Transport = {
  requestOf: callOf,

  // Nest creates one context for all guards of a message. The context of a custom transport may be shared by its messages.
  memoOf: (context) => context,

  read(request, context, extractor) {
    // For TCP, Redis, NATS, Kafka and so on, the application states in `tokenFrom` where the token is.
    const authorization = isGrpc(request) ? request.get('authorization').map(String) : [];
    const token = extractor.extract({ authorization, bare: [], headers: NO_HEADERS }, context);
    return token === undefined ? undefined : { token, scheme: 'Bearer', proofs: [] };
  },

  answer(refusal, context) {
    const held = heldStream(context);
    if (isAuthRefusal(refusal)) return answerRefusal(refusal, held, context);
    if (held === undefined) return refusal.error;
    logger.error(refusal.error);
    return answerHeldStream(held, statusOf(refusal), context);
  },

  connectionOf(context) {
    const stream = context.getArgs<unknown[]>().find(isGrpcStream);
    return stream === undefined || isUnary(stream.call) ? undefined : grpcStream(stream, callOf(context));
  },
};

async function answerRefusal(refusal: AuthRefusal, held: HeldStream | undefined, context: ExecutionContext) {
  if (held !== undefined) return answerHeldStream(held, grpcStatus(refusal, held.metadata), context);
  // This package is installed where there is a message handler.
  const { RpcException } = await import('@nestjs/microservices');
  const call = callOf(context);
  const response = isGrpc(call) ? grpcStatus(refusal, call) : { status: 'error', ...refusalFacts(refusal) };
  return asAuthError(new RpcException(response), refusal.error);
}

/** Nest creates a context for each message; for gRPC it is the metadata. A custom transport may have none. */
function callOf(context: ExecutionContext): object {
  const call = heldStream(context)?.metadata ?? context.switchToRpc().getContext<unknown>();
  return typeof call === 'object' && call !== null ? call : context.getArgs<object & unknown[]>();
}

function isGrpc(call: object): call is GrpcMetadata {
  const { get, set, getMap } = call as Partial<GrpcMetadata>;
  return typeof get === 'function' && typeof set === 'function' && typeof getMap === 'function';
}

/** Returns the stream that a handler of `@GrpcStreamCall()` receives and has to answer. */
function heldStream(context: ExecutionContext): HeldStream | undefined {
  const stream = context.getArgByIndex<Partial<HeldStream> | undefined>(0);
  const { metadata } = typeof stream === 'object' && (stream as unknown) !== null ? stream : {};
  return metadata !== undefined && isGrpc(metadata) ? (stream as HeldStream) : undefined;
}

/**
 * Answers a stream that Nest does not answer: an error that a guard throws for such a handler is an unhandled rejection, which
 * ends the process. The returned promise never settles, and is collected with the call.
 */
function answerHeldStream(stream: HeldStream, status: object, context: ExecutionContext): Promise<never> {
  const callback: unknown = context.getArgByIndex(1);
  if (typeof callback === 'function') (callback as (error: object) => void)(status);
  else stream.emit('error', status);
  return new Promise(() => undefined);
}

/** Returns the gRPC status of an `RpcException`. The details of other errors are not sent, as in Nest's filter. */
function statusOf({ error }: Refusal): object {
  const { getError } = (error ?? {}) as { getError?: () => unknown };
  const status = typeof getError === 'function' ? getError.call(error) : undefined;
  return isJsonObject(status) && typeof status.code === 'number'
    ? status
    : { code: INTERNAL, details: 'Internal server error' };
}

function isGrpcStream(value: unknown): value is GrpcStream {
  const { write, emit, sendMetadata } = (value ?? {}) as Partial<GrpcStream>;
  return typeof write === 'function' && typeof emit === 'function' && typeof sendMetadata === 'function';
}

/** A call with one response ends with it, although it has the class of a stream. */
function isUnary(call: GrpcCall | undefined): boolean {
  let inner = call;
  while (inner !== undefined && inner.handler === undefined) inner = inner.nextCall;
  return inner?.handler?.type === 'unary';
}

function grpcStream(stream: GrpcStream, metadata: object): LongConnection {
  return {
    key: stream,
    get isClosed() {
      return stream.cancelled === true || stream.destroyed === true;
    },
    close(refusal) {
      if (isGrpc(metadata)) stream.emit('error', grpcStatus({ ...refusal, challenges: [] }, metadata));
      // Makes Nest unsubscribe from the observable of the handler.
      stream.emit('cancelled', refusal.error.code);
    },
  };
}

function grpcStatus({ error, challenges }: AuthRefusal, received: GrpcMetadata): object {
  const metadata = new (received.constructor as new () => GrpcMetadata)();
  metadata.set('error-code', error.code);
  if (challenges.length > 0) metadata.set('www-authenticate', challenges.join(', '));
  if (error.retryAfterSeconds !== undefined) metadata.set('retry-after', String(error.retryAfterSeconds));
  const details = `${error.code}: ${error.message}`;
  return { code: GRPC_STATUS[error.status], message: details, details, metadata };
}
