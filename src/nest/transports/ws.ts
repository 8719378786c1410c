import type { ExecutionContext } from '@nestjs/common';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError } from '../../model/errors.js';
import { isSameCaller } from '../../token/claims.js';
import type { TokenCarrier } from '../../token/presented-token.js';
import { asAuthError } from '../refusals/exceptions.js';
import { refusalFacts, type RefusalFacts } from '../refusals/refusal-facts.js';
import type { HttpRequest } from './http.js';
import { handshakeCarrier } from './socket-handshake.js';
import type { LongConnection, Transport } from './transport.js';

/** A socket of socket.io. */
interface SocketIoClient {
  readonly handshake: HttpRequest & { readonly auth?: { readonly token?: unknown } };
  readonly disconnected: boolean;
  /** What its namespaces share. */
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

type Client = SocketIoClient | NativeClient;

/** What happened to a socket after it was opened. */
interface SocketState {
  /** The request that opened it, which ws tells to `handleConnection` only. */
  request?: HttpRequest;
  /** The token of the last `authenticate` that was accepted. */
  renewed?: string;
  /** Whose token it was let in with first: nobody else may use it, whatever is sent in between. */
  owner?: VerifiedAccessToken;
  /** Settled, and never rejected, when the last `authenticate` is accepted or refused. */
  renewal?: Promise<unknown>;
  /** How many wait for that. */
  renewals: number;
  /** What became of its opening, by the class of each gateway that it was opened to. */
  readonly admissions: Map<GatewayClass, Admission>;
  /** What its openings share: who is calling is found out once for all of them. */
  readonly opening: Opening;
}

type GatewayClass = ReturnType<ExecutionContext['getClass']>;

interface Admission {
  readonly context: ExecutionContext;
  readonly outcome: Promise<unknown>;
}

/** A call that `SocketAuthenticator` makes of a socket: to be let in, or to go on with another token. */
export interface Opening {
  /** Reads as the socket. What the guard writes on it is the socket's own once it was let in, and not before. */
  readonly client: object;
  /** The new token; undefined where the one counts that the socket was opened with. */
  readonly token?: string;
}

const UNUSED_MS = 15_000;

const states = new WeakMap<object, SocketState>();
const openings = new WeakMap<ExecutionContext, Opening>();

export function stateOfSocket(client: object): SocketState {
  let state = states.get(client);
  if (state === undefined)
    states.set(client, (state = { renewals: 0, admissions: new Map(), opening: openingOf(client) }));
  return state;
}

export function openingOf(client: object, token?: string): Opening {
  return { client: Object.create(client) as object, token };
}

/** Has `context` looked at as an opening, and not as a message. */
export function markOpening(context: ExecutionContext, opening: Opening): void {
  openings.set(context, opening);
}

export const wsTransport = {
  requestOf: (context: ExecutionContext) => openings.get(context)?.client ?? clientOf(context),

  carrierOf: (_request: object, context: ExecutionContext) => carrierOf(clientOf(context), openings.get(context)),

  // HandlerDiscovery read who is calling from the socket: another one would be taken for the caller of a message that is still at work.
  checkCaller(context: ExecutionContext, { token, claims }: VerifiedAccessToken) {
    const owner = stateOfSocket(clientOf(context)).owner;
    if (owner !== undefined && owner.token !== token && !isSameCaller(claims, owner.claims))
      throw new AuthError('CLAIM_INVALID', { claim: 'sub', expected: 'the subject that the socket belongs to' });
  },

  // An opening's is kept once all gateways have let it in.
  keepCaller(context: ExecutionContext, token: VerifiedAccessToken) {
    if (!openings.has(context)) stateOfSocket(clientOf(context)).owner ??= token;
  },

  // A message has one context for all guards: the global one, and that of the gateway.
  operationOf: (context: ExecutionContext) => openings.get(context) ?? context,

  ready(context: ExecutionContext) {
    const state = states.get(clientOf(context));
    if (state === undefined || openings.has(context)) return undefined;
    // A token that is not accepted yet must not be looked at for a message.
    return Promise.all([...Array.from(state.admissions.values(), ({ outcome }) => outcome), state.renewal]);
  },

  setHeader: () => undefined,

  async exceptionOf(refusal: AuthError, challenge: string | undefined): Promise<Error> {
    // Where there is a gateway this package is there.
    const { WsException } = await import('@nestjs/websockets');
    return asAuthError(new WsException(wsFacts(refusal, challenge)), refusal);
  },

  failureOf: (error: unknown) => error,

  connectionOf: (context: ExecutionContext) => socketConnection(clientOf(context)),
} satisfies Transport;

function clientOf(context: ExecutionContext): Client {
  return context.switchToWs().getClient<Client>();
}

/** As Nest's own `exception` events look, with what the body of a refused HTTP request has. */
export function wsFacts(refusal: AuthError, challenge?: string): RefusalFacts & { readonly status: 'error' } {
  return { status: 'error', ...refusalFacts(refusal, challenge) };
}

const NOTHING: TokenCarrier = Object.freeze({ authorization: [], bare: [], headers: {} });

function carrierOf(client: Client, opening: Opening | undefined): TokenCarrier {
  const state = states.get(client);
  const renewed = opening?.token ?? state?.renewed;
  if (renewed !== undefined) return { ...NOTHING, renewed };
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

/**
 * A client that was refused closes its transport by itself, unless it means to hold it. Not at once: it may be about to be let
 * into another namespace.
 */
export function closeIfUnused(socket: object): void {
  const { conn, client } = socket as Partial<SocketIoClient>;
  if (conn === undefined || unused.has(conn)) return;
  unused.add(conn);
  const gone = () => {
    clearTimeout(timer);
  };
  const timer = setTimeout(() => {
    unused.delete(conn);
    conn.removeListener('close', gone);
    if (client?.sockets?.size === 0) conn.close();
  }, UNUSED_MS).unref();
  conn.once('close', gone);
}

/** Connections that are looked at once more. */
const unused = new WeakSet<object>();

/** Where nobody let it in, there is no opening to be asked again. */
function isAdmitted(client: object): boolean {
  return (states.get(client)?.admissions.size ?? 0) > 0;
}

function socketIoConnection(client: SocketIoClient): SocketConnection {
  const disconnect = () => {
    // Its other namespaces have gateways of their own.
    client.disconnect(false);
    closeIfUnused(client);
  };
  return {
    key: client,
    isClosed: client.disconnected,
    canRenew: isAdmitted(client),
    warn(refusal) {
      client.emit('exception', wsFacts(refusal));
    },
    close(refusal) {
      client.emit('exception', wsFacts(refusal));
      disconnect();
    },
    fail: disconnect,
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
    isClosed: client.readyState > OPEN,
    canRenew: isAdmitted(client),
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
