import { AuthError } from '../../model/errors.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { isSameCaller } from '../../token/claims.js';
import { type AuthRefusal, type RefusalFacts, refusalFacts } from '../refusals/refusal.js';
import type { HttpRequest } from '../transports/http.js';
import type { LongConnection } from '../transports/long-connection.js';
import { knownState, stateOf } from './socket-state.js';

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

/** A socket can also be closed because of a fault of this application. */
export interface SocketConnection extends LongConnection {
  fail(): void;
}

export function isSocketIo(client: object): client is SocketIoClient {
  return typeof (client as Partial<SocketIoClient>).handshake === 'object';
}

export function socketConnection(socket: object): SocketConnection {
  const client = socket as SocketClient;
  return isSocketIo(client) ? socketIoConnection(client) : nativeConnection(client);
}

/** The payload of Nest's `exception` events, with the facts of an HTTP response. */
export function socketFacts(refusal: AuthRefusal): RefusalFacts & { readonly status: 'error' } {
  return { status: 'error', ...refusalFacts(refusal) };
}

/** Handlers read the caller from the socket, so a token of another caller would change the caller of messages in progress. */
function ownerOf(client: object): Pick<SocketConnection, 'canRenew' | 'whenAdmitted' | 'checkOwner' | 'setOwner'> {
  const checkOwner = ({ token, claims }: VerifiedAccessToken) => {
    const owner = knownState(client)?.owner;
    if (owner !== undefined && owner.token !== token && !isSameCaller(claims, owner.claims))
      throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the subject that opened the socket' });
  };
  return {
    // A socket that no `SocketAuthenticator` admitted has no opening that a new token could be checked against.
    canRenew: (knownState(client)?.admissions.size ?? 0) > 0,
    whenAdmitted() {
      const state = knownState(client);
      return state && Promise.all([...Array.from(state.admissions.values(), ({ result }) => result), state.renewal]);
    },
    checkOwner,
    setOwner(token) {
      checkOwner(token);
      stateOf(client).owner ??= token;
    },
  };
}

/** The challenge is for the caller of a request; an event that closes or warns has none. */
function eventOf(refusal: AuthRefusal) {
  return socketFacts({ ...refusal, challenges: [] });
}

function socketIoConnection(client: SocketIoClient): SocketConnection {
  const disconnect = () => {
    // Other namespaces of the client have their own gateways.
    client.disconnect(false);
    closeIfUnused(client);
  };
  return {
    ...ownerOf(client),
    key: client,
    closeEvent: 'disconnect',
    get isClosed() {
      return client.disconnected;
    },
    warn(refusal) {
      client.emit('exception', eventOf(refusal));
    },
    close(refusal) {
      client.emit('exception', eventOf(refusal));
      disconnect();
    },
    fail: disconnect,
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

/**
 * Sends `exception` events to a client of the package ws. The filter of Nest 11 emits them on the socket object, which with ws is a local
 * event that never reaches the client. Nest 12 sends them and emits nothing.
 */
export function forwardExceptions(socket: object): void {
  const client = socket as SocketClient;
  if (isSocketIo(client)) return;
  client.on('exception', (data) => {
    if (client.readyState === OPEN) client.send(JSON.stringify({ event: 'exception', data }));
  });
}

function nativeConnection(client: NativeClient): SocketConnection {
  const warn = (refusal: AuthRefusal) => {
    if (client.readyState === OPEN) client.send(JSON.stringify({ event: 'exception', data: eventOf(refusal) }));
  };
  return {
    ...ownerOf(client),
    key: client,
    get isClosed() {
      return client.readyState > OPEN;
    },
    warn,
    close(refusal) {
      const { status, code } = refusal.error;
      warn(refusal);
      client.close(status === 503 ? TRY_AGAIN_LATER : 4000 + status, code);
    },
    fail() {
      client.close(INTERNAL_ERROR, 'INTERNAL_ERROR');
    },
  };
}
