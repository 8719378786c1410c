import { AuthError } from '../../model/errors.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { isSameCaller } from '../../token/claims.js';
import { asAuthError, type AuthRefusal, messageFacts } from '../refusals/refusal.js';
import type { HttpRequest } from '../transports/http.js';
import type { LongConnection } from '../transports/transport.js';
import { stateOf } from './socket-state.js';
import { estimateBytes } from './waiting-messages.js';

/** A socket of socket.io. */
export interface SocketIoClient {
  readonly handshake: HttpRequest & { readonly auth?: { readonly token?: unknown } };
  readonly disconnected: boolean;
  /** Shared by the namespaces of one client. */
  readonly client?: { readonly sockets?: ReadonlyMap<string, unknown> };
  readonly conn?: {
    close(): unknown;
    once(event: 'close', callback: () => void): unknown;
    removeListener(event: 'close', callback: () => void): unknown;
  };
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

export type SocketClient = SocketIoClient | NativeClient;

export function isSocketIo(client: object): client is SocketIoClient {
  return typeof (client as Partial<SocketIoClient>).handshake === 'object';
}

/** @param data of the message that uses the connection, if the message can wait. */
export function socketConnection(socket: object, data?: unknown) {
  const client = socket as SocketClient;
  const state = stateOf(client);
  const { send, end, ...ofPackage } = isSocketIo(client) ? socketIo(client) : native(client);
  const warn = (refusal: AuthRefusal) => {
    // The challenge is for the caller of a request; an event that closes or warns has none.
    send(messageFacts({ ...refusal, challenges: [] }));
  };
  // Handlers read the caller from the socket, so a token of another caller would change the caller of messages in progress.
  const checkOwner = ({ token, claims }: VerifiedAccessToken) => {
    const { owner } = state;
    if (owner !== undefined && owner.token !== token && !isSameCaller(claims, owner.claims))
      throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the subject that opened the socket' });
  };
  const close = (refusal?: AuthRefusal) => {
    if (refusal !== undefined) warn(refusal);
    end(refusal?.error);
  };
  return {
    ...ofPackage,
    key: client,
    // A socket that no `SocketAuthenticator` admitted has no opening that a new token could be checked against.
    canRenew: state.admissions.size > 0,
    whenAdmitted() {
      const { decision, overflow, waiting } = state;
      if (decision === undefined || overflow !== undefined) return overflow;
      const bytes = estimateBytes(data);
      if (waiting.hasRoomFor(bytes)) return waiting.wait(decision, bytes);
      const error = new AuthError('MESSAGES_TOO_MANY');
      const refusal = { error, challenges: [] };
      // The guard does not report this form again: there is one event, although many messages are refused.
      state.overflow = toWsException(refusal).then((exception) => {
        waiting.refuse(exception);
        throw exception;
      });
      state.overflow.catch(() => undefined);
      close(refusal);
      throw error;
    },
    checkOwner,
    setOwner(token: VerifiedAccessToken) {
      checkOwner(token);
      state.owner ??= token;
    },
    warn,
    /** @param refusal undefined if this application failed. */
    close,
  } satisfies LongConnection;
}

/** The exception of a refusal. Nest sends it as an `exception` event. */
export async function toWsException(refusal: AuthRefusal): Promise<Error> {
  const WsException = await loadWsException();
  return asAuthError(new WsException(messageFacts(refusal)), refusal.error);
}

/** The package is installed where there is a gateway. The `try` lets bundlers build other applications. */
async function loadWsException() {
  try {
    return (await import('@nestjs/websockets')).WsException;
  } catch (error) {
    throw new Error('@nestjs/websockets cannot be loaded', { cause: error });
  }
}

function socketIo(client: SocketIoClient) {
  return {
    closeEvent: 'disconnect' as const,
    isClosed: () => client.disconnected,
    send: (data: object) => client.emit('exception', data),
    end: () => {
      // Other namespaces of the client have their own gateways.
      client.disconnect(false);
      closeIfUnused(client);
    },
  };
}

const UNUSED_MS = 15_000;
/** Connections of socket.io that wait to be closed if no namespace uses them. */
const unused = new WeakSet<object>();

/**
 * Closes the transport of a refused client after a delay if it is in no namespace. A well-behaved client closes it, an attacker keeps it open.
 * The delay is for a client that is about to join another namespace.
 */
export function closeIfUnused(socket: object): void {
  const { conn, client } = socket as Partial<SocketIoClient>;
  if (conn === undefined || unused.has(conn)) return;
  unused.add(conn);
  const cancel = () => {
    clearTimeout(timer);
  };
  const timer = setTimeout(() => {
    unused.delete(conn);
    conn.removeListener('close', cancel);
    if (client?.sockets?.size === 0) conn.close();
  }, UNUSED_MS).unref();
  conn.once('close', cancel);
}

const OPEN = 1;
// RFC 6455 §7.4: 4000 to 4999 are for applications, 1011 is an unexpected condition, 1013 (try again later) is registered.
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

function native(client: NativeClient) {
  return {
    isClosed: () => client.readyState > OPEN,
    send: (data: unknown) => {
      if (client.readyState === OPEN) client.send(JSON.stringify({ event: 'exception', data }));
    },
    end: (error: AuthError | undefined) => {
      if (error === undefined) client.close(INTERNAL_ERROR, 'INTERNAL_ERROR');
      else client.close(error.status === 503 ? TRY_AGAIN_LATER : 4000 + error.status, error.code);
    },
  };
}

/**
 * Sends `exception` events to a client of the package ws. The filter of Nest 11 emits them on the socket object, which with ws is a local
 * event that never reaches the client. Nest 12 sends them and emits nothing.
 */
export function forwardExceptions(socket: object): void {
  const client = socket as SocketClient;
  if (!isSocketIo(client)) client.on('exception', native(client).send);
}
