import type { ExecutionContext } from '@nestjs/common';
import type { AuthError } from '../../errors.js';
import type { TokenCarrier } from '../../token/presented-token.js';
import { asAuthError } from '../exceptions.js';
import { refusalFacts, type RefusalFacts } from '../refusal-facts.js';
import type { HttpRequest } from './http.js';
import { handshakeCarrier } from './socket-handshake.js';
import type { LongConnection, Transport } from './transport.js';

/** A socket of socket.io. */
interface SocketIoClient {
  readonly handshake: HttpRequest & { readonly auth?: { readonly token?: unknown } };
  emit(event: string, data: unknown): unknown;
  disconnect(closesTransport: boolean): unknown;
  once(event: 'disconnect', callback: () => void): unknown;
}

/** A socket of the package ws. */
interface NativeClient {
  readonly readyState: number;
  send(data: string): void;
  close(code: number, reason: string): void;
  once(event: 'close', callback: () => void): unknown;
  on(event: 'exception', callback: (data: unknown) => void): unknown;
}

type Client = SocketIoClient | NativeClient;

/** What happened to a socket after it was opened. */
interface SocketState {
  /** The request that opened it, which ws tells to `handleConnection` only. */
  request?: HttpRequest;
  /** The token of the last `authenticate`. */
  renewed?: string;
  /** Settled, and never rejected, when the last `authenticate` is accepted or refused. */
  renewal?: Promise<unknown>;
  /** The call that `ConnectionGuard` made of its opening, and what became of it. */
  opening?: ExecutionContext;
  admission?: Promise<unknown>;
}

const states = new WeakMap<object, SocketState>();

export function stateOfSocket(client: object): SocketState {
  let state = states.get(client);
  if (state === undefined) states.set(client, (state = {}));
  return state;
}

export const wsTransport = {
  requestOf: (context: ExecutionContext) => context.switchToWs().getClient<object>(),

  carrierOf: (client: object) => carrierOf(client as Client),

  // A message has one context for all guards: the global one, and that of the gateway.
  operationOf: (context: ExecutionContext) => context,

  ready(context: ExecutionContext) {
    const state = states.get(context.switchToWs().getClient<object>());
    if (state === undefined || state.opening === context) return undefined;
    // A token that is not accepted yet must not be looked at for a message.
    return state.renewal === undefined ? state.admission : Promise.all([state.admission, state.renewal]);
  },

  setHeader: () => undefined,

  async exceptionOf(refusal: AuthError, challenge: string | undefined): Promise<Error> {
    // Where there is a gateway this package is there.
    const { WsException } = await import('@nestjs/websockets');
    return asAuthError(new WsException(wsFacts(refusal, challenge)), refusal);
  },

  connectionOf: (context: ExecutionContext) => socketConnection(context.switchToWs().getClient<object>()),
} satisfies Transport;

/** As Nest's own `exception` events look, with what the body of a refused HTTP request has. */
function wsFacts(refusal: AuthError, challenge?: string): RefusalFacts & { readonly status: 'error' } {
  return { status: 'error', ...refusalFacts(refusal, challenge) };
}

const NOTHING: TokenCarrier = Object.freeze({ authorization: [], bare: [], headers: {} });

function carrierOf(client: Client): TokenCarrier {
  const state = states.get(client);
  if (state?.renewed !== undefined) return { ...NOTHING, renewed: state.renewed };
  if (isSocketIo(client)) return handshakeCarrier(client.handshake, [client.handshake.auth?.token]);
  return state?.request === undefined ? NOTHING : handshakeCarrier(state.request);
}

function isSocketIo(client: object): client is SocketIoClient {
  return typeof (client as Partial<SocketIoClient>).handshake === 'object';
}

/** A socket may also be closed for a fault of ours. */
export interface SocketConnection extends LongConnection {
  fail(): void;
}

export function socketConnection(socket: object): SocketConnection {
  const client = socket as Client;
  return isSocketIo(client) ? socketIoConnection(client) : nativeConnection(client);
}

function socketIoConnection(client: SocketIoClient): SocketConnection {
  return {
    key: client,
    warn(refusal) {
      client.emit('exception', wsFacts(refusal));
    },
    close(refusal) {
      client.emit('exception', wsFacts(refusal));
      client.disconnect(true);
    },
    fail() {
      client.disconnect(true);
    },
    onClosed(callback) {
      client.once('disconnect', callback);
    },
  };
}

/**
 * On Nest 11 the filter of sockets emits `exception` on the client, which with ws is an event of our own process: the client
 * would never hear why it is not answered. Nest 12 sends it, and emits nothing.
 */
export function forwardExceptions(socket: object): void {
  const client = socket as Client;
  if (isSocketIo(client)) return;
  client.on('exception', (data) => {
    if (client.readyState === OPEN) client.send(JSON.stringify({ event: 'exception', data }));
  });
}

const OPEN = 1;
// RFC 6455 §7.4: 4000 to 4999 are the application's own, 1011 an unexpected condition; 1013 stands in its registry.
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

function nativeConnection(client: NativeClient): SocketConnection {
  const warn = (refusal: AuthError) => {
    if (client.readyState === OPEN) client.send(JSON.stringify({ event: 'exception', data: wsFacts(refusal) }));
  };
  return {
    key: client,
    warn,
    close(refusal) {
      warn(refusal);
      client.close(refusal.status === 503 ? TRY_AGAIN_LATER : 4000 + refusal.status, refusal.code);
    },
    fail() {
      client.close(INTERNAL_ERROR, 'INTERNAL_ERROR');
    },
    onClosed(callback) {
      client.once('close', callback);
    },
  };
}
