import type { ExecutionContext } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import type { AuthError } from '../../model/errors.js';
import { isJsonObject } from '../../model/json-object.js';
import { asAuthError } from '../refusals/exceptions.js';
import { refusalFacts } from '../refusals/refusal-facts.js';
import type { LongConnection, Transport } from './transport.js';

/** What of the metadata of gRPC is used; its class comes with a package that may not be there. */
interface GrpcMetadata {
  get(key: string): readonly unknown[];
  set(key: string, value: string): void;
  getMap(): Record<string, unknown>;
}

/** A call whose answer is a stream. */
interface GrpcStream {
  write(message: unknown): unknown;
  sendMetadata(metadata: unknown): unknown;
  emit(event: 'error' | 'cancelled', argument: unknown): unknown;
  once(event: 'close', callback: () => void): unknown;
  readonly cancelled?: boolean;
  readonly destroyed?: boolean;
  readonly call?: GrpcCall;
}

/** Inside: what knows which kind of method it is. Interceptors are put in front of it. */
interface GrpcCall {
  readonly handler?: { readonly type?: string };
  readonly nextCall?: GrpcCall;
}

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

  carrierOf(request) {
    // TCP, Redis, NATS, Kafka and so on: where the token stands is an affair of the application (`tokenFrom`).
    const authorization = isGrpc(request) ? request.get('authorization').map(String) : [];
    return { authorization, bare: [], headers: NO_HEADERS };
  },

  operationOf: () => undefined,

  ready: () => undefined,

  setHeader: () => undefined,

  async exceptionOf(refusal, challenge, context) {
    const held = heldStream(context);
    if (held !== undefined) return answerHeldStream(held, grpcStatus(refusal, challenge, held.metadata), context);
    // Where there is a message handler this package is there.
    const { RpcException } = await import('@nestjs/microservices');
    const facts = refusalFacts(refusal, challenge);
    const call = callOf(context);
    const told = isGrpc(call) ? grpcStatus(refusal, challenge, call) : { status: 'error', ...facts };
    return asAuthError(new RpcException(told), refusal);
  },

  failureOf(error, context) {
    const held = heldStream(context);
    if (held === undefined) return error;
    logger.error(error);
    return answerHeldStream(held, statusOf(error), context);
  },

  connectionOf(context) {
    const stream = context.getArgs<unknown[]>().find(isGrpcStream);
    return stream === undefined || isUnary(stream.call) ? undefined : grpcStream(stream, callOf(context));
  },
};

/** Nest makes a context for each message, and for gRPC it is the metadata; a transport of somebody's own may have none. */
function callOf(context: ExecutionContext): object {
  const call: unknown = context.switchToRpc().getContext();
  return heldStream(context)?.metadata ?? metadataOrArguments(call, context);
}

function metadataOrArguments(call: unknown, context: ExecutionContext): object {
  return typeof call === 'object' && call !== null ? call : context.getArgs<object & unknown[]>();
}

function isGrpc(call: object): call is GrpcMetadata {
  const { get, set, getMap } = call as Partial<GrpcMetadata>;
  return typeof get === 'function' && typeof set === 'function' && typeof getMap === 'function';
}

/** What the handler of `@GrpcStreamCall()` is given: the stream itself, for it to answer. */
function heldStream(context: ExecutionContext): HeldStream | undefined {
  const stream = context.getArgByIndex<Partial<HeldStream> | undefined>(0);
  const { metadata } = typeof stream === 'object' && (stream as unknown) !== null ? stream : {};
  return metadata !== undefined && isGrpc(metadata) ? (stream as HeldStream) : undefined;
}

/**
 * Nest answers for no handler of this kind: what a guard throws is rejected to nobody, and ends the process. So the stream is
 * answered here, and nothing is thrown, ever: what waits for it is forgotten together with the call.
 */
function answerHeldStream(stream: HeldStream, status: object, context: ExecutionContext): Promise<never> {
  const callback: unknown = context.getArgByIndex(1);
  if (typeof callback === 'function') (callback as (error: object) => void)(status);
  else stream.emit('error', status);
  return new Promise(() => undefined);
}

/** What an `RpcException` says, if it is for gRPC. Of anything else the client is told nothing, as Nest's filter does it. */
function statusOf(error: unknown): object {
  const { getError } = (error ?? {}) as { getError?: () => unknown };
  const told = typeof getError === 'function' ? getError.call(error) : undefined;
  return isJsonObject(told) && typeof told.code === 'number'
    ? told
    : { code: INTERNAL, details: 'Internal server error' };
}

function isGrpcStream(value: unknown): value is GrpcStream {
  const { write, emit, sendMetadata } = (value ?? {}) as Partial<GrpcStream>;
  return typeof write === 'function' && typeof emit === 'function' && typeof sendMetadata === 'function';
}

/** A call with one answer ends with it, and is of the same class as a stream. */
function isUnary(call: GrpcCall | undefined): boolean {
  let inner = call;
  while (inner !== undefined && inner.handler === undefined) inner = inner.nextCall;
  return inner?.handler?.type === 'unary';
}

function grpcStream(stream: GrpcStream, metadata: object): LongConnection {
  return {
    key: stream,
    isClosed: stream.cancelled === true || stream.destroyed === true,
    canRenew: false,
    // The protocol has no message for it.
    warn: () => undefined,
    close(refusal) {
      if (isGrpc(metadata)) stream.emit('error', grpcStatus(refusal, undefined, metadata));
      // By this Nest gives up what it reads from.
      stream.emit('cancelled', refusal.code);
    },
    onClosed(callback) {
      stream.once('close', callback);
    },
  };
}

function grpcStatus(refusal: AuthError, challenge: string | undefined, sent: GrpcMetadata): object {
  const metadata = new (sent.constructor as new () => GrpcMetadata)();
  metadata.set('error-code', refusal.code);
  if (challenge !== undefined) metadata.set('www-authenticate', challenge);
  if (refusal.retryAfterSeconds !== undefined) metadata.set('retry-after', String(refusal.retryAfterSeconds));
  const details = `${refusal.code}: ${refusal.message}`;
  return { code: GRPC_STATUS[refusal.status], message: details, details, metadata };
}
