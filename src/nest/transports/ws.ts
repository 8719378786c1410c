import type { ExecutionContext } from '@nestjs/common';
import { isAuthRefusal } from '../refusals/refusal.js';
import { isSocketIo, type SocketClient, socketConnection, toWsException } from '../sockets/socket-connection.js';
import { disableRecoveryOf } from '../sockets/session-recovery.js';
import { OpeningContext, stateOf } from '../sockets/socket-state.js';
import { type HttpRequest, readHandshake } from './http.js';
import type { Transport } from './transport.js';

export const wsTransport: Transport = {
  requestOf: (context) => (context instanceof OpeningContext ? context.standIn : clientOf(context)),

  // Nest creates one context for all guards of a message: the global one and that of the gateway.
  memoOf: (context) => (context instanceof OpeningContext ? context.standIn : context),

  read(_request, context, extractor) {
    const client = clientOf(context);
    const state = stateOf(client);
    // A renewed token replaces the one that opened the socket.
    const token = (context instanceof OpeningContext ? context.newToken : undefined) ?? state.renewedToken;
    if (token !== undefined) return { token, scheme: 'Bearer', proofs: [] };
    if (isSocketIo(client)) {
      // The handshake has no raw headers, which show whether a header was sent twice.
      const { handshake, request: raw } = client as typeof client & { readonly request?: HttpRequest };
      return readHandshake({ ...handshake, raw }, context, extractor, { bare: [handshake.auth?.token] });
    }
    return readHandshake(state.request ?? { headers: {} }, context, extractor);
  },

  answer: (refusal) => (isAuthRefusal(refusal) ? toWsException(refusal) : refusal.error),

  // `SocketAuthenticator` sets owner and expiration itself, once each gateway has admitted the socket or its new token.
  connectionOf(context) {
    if (context instanceof OpeningContext) return undefined;
    const client = clientOf(context);
    // The gateway may guard its messages only. What they lead to belongs to the session as well.
    disableRecoveryOf(client);
    return socketConnection(client, context.switchToWs().getData<unknown>());
  },
};

function clientOf(context: ExecutionContext): SocketClient {
  return context.switchToWs().getClient<SocketClient>();
}
