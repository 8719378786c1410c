import type { ExecutionContext } from '@nestjs/common';
import { AUTH_ERROR, type AuthError } from '../../errors.js';
import { refusalFacts } from '../refusal-facts.js';
import type { Transport } from './transport.js';

/** What of the metadata of gRPC is used; its class comes with a package that may not be there. */
interface GrpcMetadata {
  get(key: string): readonly unknown[];
  set(key: string, value: string): void;
  getMap(): Record<string, unknown>;
}

const NO_HEADERS = Object.freeze({});

// google.rpc.Code, by HTTP status.
const GRPC_STATUS: Readonly<Record<AuthError['status'], number>> = { 400: 3, 401: 16, 403: 7, 503: 14 };

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
    // Where there is a message handler this package is there.
    const { RpcException } = await import('@nestjs/microservices');
    const facts = refusalFacts(refusal, challenge);
    const call = callOf(context);
    const exception = new RpcException(
      isGrpc(call) ? grpcStatus(refusal, challenge, call) : { status: 'error', ...facts },
    );
    const { code, status, detail, retryAfterSeconds } = refusal;
    return Object.assign(exception, { code, status, detail, retryAfterSeconds, cause: refusal, [AUTH_ERROR]: true });
  },

  connectionOf: () => undefined,
};

/** Nest makes a context for each message, and for gRPC it is the metadata; a transport of somebody's own may have none. */
function callOf(context: ExecutionContext): object {
  const call: unknown = context.switchToRpc().getContext();
  return typeof call === 'object' && call !== null ? call : context.getArgs<object & unknown[]>();
}

function isGrpc(call: object): call is GrpcMetadata {
  const { get, set, getMap } = call as Partial<GrpcMetadata>;
  return typeof get === 'function' && typeof set === 'function' && typeof getMap === 'function';
}

function grpcStatus(refusal: AuthError, challenge: string | undefined, sent: GrpcMetadata): object {
  const metadata = new (sent.constructor as new () => GrpcMetadata)();
  metadata.set('error-code', refusal.code);
  if (challenge !== undefined) metadata.set('www-authenticate', challenge);
  if (refusal.retryAfterSeconds !== undefined) metadata.set('retry-after', String(refusal.retryAfterSeconds));
  const details = `${refusal.code}: ${refusal.message}`;
  return { code: GRPC_STATUS[refusal.status], message: details, details, metadata };
}
