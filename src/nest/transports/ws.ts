import type { ExecutionContext } from '@nestjs/common';
import { asAuthError } from '../refusals/exceptions.js';
import { type AuthRefusal, isAuthRefusal } from '../refusals/refusal.js';
import { isSocketIo, type SocketClient, socketConnection, socketFacts } from '../sockets/socket-connection.js';
import { knownState, type Opening, OpeningContext } from '../sockets/socket-state.js';
import { readHandshake } from './handshake.js';
import type { Transport } from './transport.js';

export const wsTransport: Transport = {
  requestOf: (context) => openingIn(context)?.client ?? clientOf(context),

  // Nest creates one context for all guards of a message: the global one and that of the gateway.
  memoOf: (context) => openingIn(context) ?? context,

  read(_request, context, extractor) {
    const client = clientOf(context);
    const state = knownState(client);
    // A renewed token replaces the one that opened the socket.
    const token = openingIn(context)?.token ?? state?.renewedToken;
    if (token !== undefined) return { token, scheme: 'Bearer', proofs: [] };
    if (isSocketIo(client))
      return readHandshake(client.handshake, context, extractor, { bare: [client.handshake.auth?.token] });
    return readHandshake(state?.request ?? { headers: {} }, context, extractor);
  },

  answer: (refusal) => (isAuthRefusal(refusal) ? toWsException(refusal) : refusal.error),

  // `SocketAuthenticator` sets owner and expiration itself, once each gateway has admitted the socket or its new token.
  connectionOf: (context) => (openingIn(context) === undefined ? socketConnection(clientOf(context)) : undefined),
};

/** The exception of a refusal. Nest sends it as an `exception` event. */
export async function toWsException(refusal: AuthRefusal): Promise<Error> {
  // This package is installed where there is a gateway.
  const { WsException } = await import('@nestjs/websockets');
  return asAuthError(new WsException(socketFacts(refusal)), refusal.error);
}

function clientOf(context: ExecutionContext): SocketClient {
  return context.switchToWs().getClient<SocketClient>();
}

function openingIn(context: ExecutionContext): Opening | undefined {
  return context instanceof OpeningContext ? context.opening : undefined;
}
