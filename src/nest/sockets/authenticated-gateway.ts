import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  SetMetadata,
  type Type,
  UseGuards,
} from '@nestjs/common';
import type { MaybePromise } from '../../model/maybe-promise.js';
import { AuthGuard } from '../auth.guard.js';
import { SocketAuthenticator } from './socket-authenticator.js';
import { Public } from '../decorators.js';
import type { HandlerFunction } from '../routes/found-handler.js';
import { METADATA } from '../nest-internals.js';

/** Delegates to the guard of the application. For `@UseGuards(AuthGuard)` Nest would create another instance, never a subclass. */
@Injectable()
export class GatewayGuard implements CanActivate {
  constructor(@Inject(AuthGuard) private readonly guard: AuthGuard) {}

  canActivate(context: ExecutionContext): MaybePromise<boolean> {
    return this.guard.canActivate(context);
  }
}

/**
 * The base class of a gateway that admits only clients with a valid token, on socket.io and on ws:
 *
 * ```ts
 * @WebSocketGateway()
 * export class OrdersGateway extends AuthenticatedGateway { … }
 * ```
 *
 * The decorators of the class apply to the opening of a socket and to each message. With socket.io a client is authenticated before it
 * is connected, and refused by `connect_error`; with ws afterwards, by an `exception` event and a close code. A client may send
 * `authenticate` with a new token, and receives `authenticated` with `{ expiresAt }` (seconds since 1970). A socket is
 * closed when its last token expires.
 *
 * `handleConnection` of a subclass is called only for admitted clients, and its decorators (`@Public()`, …) apply to the opening.
 * Neither `handleConnection` nor `afterInit` of a subclass needs to call `super`.
 */
// Nest 11 does not call global guards for messages.
@UseGuards(GatewayGuard)
export abstract class AuthenticatedGateway {
  @Inject(SocketAuthenticator)
  protected readonly connections!: SocketAuthenticator;

  constructor() {
    wrapMethod(this, 'handleConnection', (own) => async (client, ...others) => {
      const isAdmitted = await this.connections.admit(this, client as object, others[0]);
      if (isAdmitted) await own?.(client, ...others);
      return isAdmitted;
    });
    wrapMethod(this, 'afterInit', (own) => (server, ...others) => {
      this.connections.guardNamespace(this, server as object);
      return own?.(server, ...others);
    });
  }

  /** Resolves to whether the client is admitted. Never rejects. */
  handleConnection(client: object, request?: unknown): unknown {
    return this.connections.admit(this, client, request);
  }

  // Public, because the token of the socket may have expired. The new one is verified instead.
  @Public()
  // `@SubscribeMessage('authenticate')`, whose package may not be installed.
  @SetMetadata(METADATA.messageMapping, true)
  @SetMetadata(METADATA.message, 'authenticate')
  async authenticate(
    client: object,
    token: unknown,
  ): Promise<{ event: string; data: { expiresAt: number } } | undefined> {
    // If the socket was opened to several such gateways, the first answers.
    const gateways = this.connections.gatewaysOf(client) as readonly Type[];
    const first = gateways.find(({ prototype }) => prototype instanceof AuthenticatedGateway);
    if (first !== undefined && first !== this.constructor) return undefined;
    return { event: 'authenticated', data: await this.connections.renew(client, token) };
  }
}

/**
 * Wraps a method, whether a subclass overrides it or assigns it as a property. Security must not depend on a call of `super`. A
 * subclass that declares it as a field cannot be instantiated.
 */
function wrapMethod(gateway: object, name: string, wrap: (own: HandlerFunction | undefined) => HandlerFunction): void {
  const wrapped = (own: unknown) =>
    wrap(typeof own === 'function' ? (own.bind(gateway) as HandlerFunction) : undefined);
  let current = wrapped(Reflect.get(gateway, name));
  Object.defineProperty(gateway, name, {
    get: () => current,
    set: (own: unknown) => {
      current = wrapped(own);
    },
  });
}
