import type { ExecutionContext } from '@nestjs/common';
import { type MaybePromise, whenKnown } from '../../model/maybe-promise.js';
import type { Presented } from '../../token/presented.js';
import type { TokenExtractor } from '../../token/token-extractor.js';
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
    const opening = openingIn(context);
    return whenKnown(opening === undefined ? admissionOf(client) : undefined, () =>
      readToken(client, opening, context, extractor),
    );
  },

  answer: (refusal) => (isAuthRefusal(refusal) ? toWsException(refusal) : refusal.error),

  connectionOf: (context) => socketConnection(clientOf(context)),
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

/** A message waits until its socket is admitted, and until a new token is accepted or rejected. */
function admissionOf(client: SocketClient): MaybePromise<unknown> {
  const state = knownState(client);
  if (state === undefined) return undefined;
  return Promise.all([...Array.from(state.admissions.values(), ({ result }) => result), state.renewal]);
}

function readToken(
  client: SocketClient,
  opening: Opening | undefined,
  context: ExecutionContext,
  extractor: TokenExtractor,
): Presented | undefined {
  const state = knownState(client);
  // A renewed token replaces the one that opened the socket.
  const token = opening?.token ?? state?.renewedToken;
  if (token !== undefined) return { token, scheme: 'Bearer', proofs: [] };
  if (isSocketIo(client))
    return readHandshake(client.handshake, context, extractor, { bare: [client.handshake.auth?.token] });
  const request = state?.request ?? { headers: {} };
  return readHandshake(request, context, extractor);
}
