import { applyDecorators, Inject, SetMetadata, UseGuards } from '@nestjs/common';
import { AuthGuard } from './auth.guard.js';
import { ConnectionGuard } from './connection.guard.js';
import { Public } from './decorators.js';
import { MESSAGE_MAPPING_METADATA, MESSAGE_METADATA } from './nest-metadata.js';

/** `@SubscribeMessage`, of a package that may not be installed. */
function SubscribeMessage(message: string): MethodDecorator {
  return applyDecorators(SetMetadata(MESSAGE_MAPPING_METADATA, true), SetMetadata(MESSAGE_METADATA, message));
}

/**
 * The base of a gateway that admits nobody without a good token, on socket.io and on ws:
 *
 * ```ts
 * @WebSocketGateway()
 * export class OrdersGateway extends AuthenticatedGateway { … }
 * ```
 *
 * The decorators of the class hold for the opening of a socket and for each message. A client may send `authenticate`
 * with a new token, and is answered `authenticated` with `{ expiresAt }` (seconds since 1970); a socket is closed when its
 * last token expires. A subclass that has a `handleConnection` of its own calls `super.handleConnection(client, request)`,
 * and goes on if that says `true`.
 */
// On Nest 11 a global guard is not asked about messages; this one is.
@UseGuards(AuthGuard)
export abstract class AuthenticatedGateway {
  @Inject(ConnectionGuard)
  protected readonly connections!: ConnectionGuard;

  /** @returns whether the client was admitted. Never rejects. */
  handleConnection(client: object, request?: unknown): Promise<boolean> {
    return this.connections.admit(this, client, request);
  }

  // Its token may have expired; the new one is looked at instead.
  @Public()
  @SubscribeMessage('authenticate')
  async authenticate(client: object, token: unknown): Promise<{ event: string; data: { expiresAt: number } }> {
    return { event: 'authenticated', data: await this.connections.renew(client, token) };
  }
}
