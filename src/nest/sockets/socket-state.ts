import type { Type } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import { openingHandlerOf } from '../routes/handler-discovery.js';
import type { HttpRequest } from '../transports/http.js';
import { WaitingMessages } from './waiting-messages.js';

/** The data that this package keeps for an open socket, in a property that is not enumerable: a logged socket shows no token. */
export interface SocketState {
  /** The request that opened the socket. ws passes it to `handleConnection` only. */
  request?: HttpRequest;
  /** The token of the last `authenticate` message that was accepted. */
  renewedToken?: string;
  /** The token that opened the socket. Later tokens must have the same issuer and subject. */
  owner?: VerifiedAccessToken;
  /** Settles, and never rejects, when the last `authenticate` message is accepted or rejected. */
  renewal?: Promise<unknown>;
  /** The number of `authenticate` messages that wait for their turn. */
  pendingRenewals: number;
  /** The admission to each gateway class that the socket was opened to. Rejects with the refusal. */
  readonly admissions: Map<Type, Promise<unknown>>;
  /** Pending while an admission or a new token is decided. Undefined if all are accepted. Rejects with the refusal of the socket. */
  decision?: Promise<unknown>;
  readonly waiting: WaitingMessages;
  /** Rejects with the refusal of every message after too many have waited. */
  overflow?: Promise<never>;
  /** Shared by the admissions, so that the caller is authenticated once for all of them. */
  readonly standIn: object;
}

const STATE = Symbol('nestjs-resource-server:socket');

export function stateOf(client: object & { [STATE]?: SocketState }): SocketState {
  const known = Object.hasOwn(client, STATE) ? client[STATE] : undefined;
  if (known !== undefined) return known;
  const state = {
    pendingRenewals: 0,
    admissions: new Map(),
    waiting: new WaitingMessages(),
    standIn: standInFor(client),
  };
  Object.defineProperty(client, STATE, { value: state });
  return state;
}

/** Makes the messages of a socket wait for an admission or a new token. */
export function holdMessages(state: SocketState, decided: Promise<unknown>): void {
  const decision = Promise.all([state.decision, decided]);
  const release = () => {
    if (state.decision === decision) state.decision = undefined;
  };
  state.decision = decision;
  // After a rejection, it stays: later messages are refused as well.
  decision.then(release, () => undefined);
}

/** Creates an object that reads as the socket. What the guard sets on it is copied to the socket only after the admission. */
export function standInFor(client: object): object {
  return Object.create(client) as object;
}

/** The context of an admission or a renewal. Nest creates none, because it calls no guard for `handleConnection`. */
export class OpeningContext extends ExecutionContextHost {
  /** @param newToken undefined if the token that opened the socket counts. */
  constructor(
    client: object,
    gateway: Type,
    readonly standIn: object,
    readonly newToken?: string,
  ) {
    super([client, stateOf(client).request], gateway, openingHandlerOf(gateway));
    this.setType('ws');
  }
}
