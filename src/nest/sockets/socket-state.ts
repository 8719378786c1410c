import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { HttpRequest } from '../transports/http.js';

type GatewayClass = ReturnType<ExecutionContext['getClass']>;
type Handler = ReturnType<ExecutionContext['getHandler']>;

/** The data that this package keeps for an open socket. */
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
  /** The admission to each gateway that the socket was opened to. */
  readonly admissions: Map<GatewayClass, Admission>;
  /** Shared by the admissions, so that the caller is authenticated once for all of them. */
  readonly opening: Opening;
}

interface Admission {
  readonly context: OpeningContext;
  readonly result: Promise<unknown>;
}

/** An authentication of a socket by `SocketAuthenticator`: to admit it, or to renew its token. */
export interface Opening {
  /** Reads as the socket. What the guard sets on it is copied to the socket only after the admission. */
  readonly client: object;
  /** The new token; undefined if the token that opened the socket counts. */
  readonly token?: string;
}

const states = new WeakMap<object, SocketState>();

/** Returns the state of a socket, or undefined if no gateway with authentication has seen it. */
export function knownState(client: object): SocketState | undefined {
  return states.get(client);
}

export function stateOf(client: object): SocketState {
  let state = states.get(client);
  if (state === undefined)
    states.set(client, (state = { pendingRenewals: 0, admissions: new Map(), opening: openingOf(client) }));
  return state;
}

export function openingOf(client: object, token?: string): Opening {
  return { client: Object.create(client) as object, token };
}

/** The context of an opening. Nest creates none, because it calls no guard for `handleConnection`. */
export class OpeningContext extends ExecutionContextHost {
  constructor(
    args: unknown[],
    controller: GatewayClass,
    handler: Handler,
    readonly opening: Opening,
  ) {
    super(args, controller, handler);
    this.setType('ws');
  }
}
