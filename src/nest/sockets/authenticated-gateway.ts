import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { AuthGuard } from '../auth.guard.js';
import { SocketAuthenticator } from './socket-authenticator.js';
import { Public } from '../decorators.js';
import type { HandlerFunction } from '../routes/handler-discovery.js';
import { MESSAGE_MAPPING_METADATA, MESSAGE_METADATA } from '../routes/nest-metadata.js';

/** `@SubscribeMessage`, of a package that may not be installed. */
function SubscribeMessage(message: string): MethodDecorator {
  return applyDecorators(SetMetadata(MESSAGE_MAPPING_METADATA, true), SetMetadata(MESSAGE_METADATA, message));
}

/** The application's guard: of `@UseGuards(AuthGuard)` Nest makes an instance of its own, which no subclass takes the place of. */
@Injectable()
export class GatewayGuard implements CanActivate {
  constructor(@Inject(AuthGuard) private readonly guard: AuthGuard) {}

  canActivate(context: ExecutionContext): Promise<boolean> {
    return this.guard.canActivate(context);
  }
}

/**
 * The base of a gateway that admits nobody without a good token, on socket.io and on ws:
 *
 * ```ts
 * @WebSocketGateway()
 * export class OrdersGateway extends AuthenticatedGateway { … }
 * ```
 *
 * The decorators of the class hold for the opening of a socket and for each message. With socket.io a client is checked
 * before it is connected, and refused by `connect_error`; with ws after that, by an `exception` event and a close code. A
 * client may send `authenticate` with a new token, and is answered `authenticated` with `{ expiresAt }` (seconds since
 * 1970); a socket is closed when its last token expires.
 *
 * A `handleConnection` of a subclass is called once the client was admitted, and not for others; its decorators
 * (`@Public()`, …) hold for the opening. So is `afterInit`, with nothing to be called on `super`.
 */
// On Nest 11 a global guard is not asked about messages; this one is.
@UseGuards(GatewayGuard)
export abstract class AuthenticatedGateway {
  @Inject(SocketAuthenticator)
  protected readonly connections!: SocketAuthenticator;

  constructor() {
    enclose(this, 'handleConnection', (own) => async (client, ...others) => {
      const isAdmitted = await this.connections.admit(this, client as object, others[0]);
      if (isAdmitted) await own?.(client, ...others);
      return isAdmitted;
    });
    enclose(this, 'afterInit', (own) => (server, ...others) => {
      this.connections.guardNamespace(this, server as object);
      return own?.(server, ...others);
    });
  }

  /** @returns a promise of whether the client was admitted. It never rejects. */
  handleConnection(client: object, request?: unknown): unknown {
    return this.connections.admit(this, client, request);
  }

  // Its token may have expired; the new one is looked at instead.
  @Public()
  @SubscribeMessage('authenticate')
  async authenticate(
    client: object,
    token: unknown,
  ): Promise<{ event: string; data: { expiresAt: number } } | undefined> {
    // Where it was opened to several such gateways, one of them answers.
    const gateways = this.connections.gatewaysOf(client).filter(isAuthenticated);
    if (gateways.length > 0 && gateways[0] !== this.constructor) return undefined;
    return { event: 'authenticated', data: await this.connections.renew(client, token) };
  }
}

function isAuthenticated(gateway: unknown): boolean {
  return typeof gateway === 'function' && gateway.prototype instanceof AuthenticatedGateway;
}

/**
 * Puts something around a method, whether a subclass overrides it or sets it as a property: what guards must not depend on
 * somebody's call of `super`. A subclass that defines it as a field anew cannot be made.
 */
function enclose(gateway: object, name: string, around: (own: HandlerFunction | undefined) => HandlerFunction): void {
  const enclosed = (own: unknown) =>
    around(typeof own === 'function' ? (own.bind(gateway) as HandlerFunction) : undefined);
  let current = enclosed(Reflect.get(gateway, name));
  Object.defineProperty(gateway, name, {
    get: () => current,
    set: (own: unknown) => {
      current = enclosed(own);
    },
  });
}
