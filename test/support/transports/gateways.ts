import { Inject, type Type, UseGuards } from '@nestjs/common';
import { type GatewayMetadata, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { AuthenticatedGateway, CurrentUser, Public, SocketAuthenticator } from '../../../src/index.js';
import { GatewayGuard } from '../../../src/nest/sockets/authenticated-gateway.js';
import { decorated, greeting, handlerClasses } from './handlers.js';

/** Creates the options of a gateway: a namespace of socket.io, or a path of ws. */
export type Place = (name: string) => GatewayMetadata;

export const reply = (text: string) => ({ event: 'reply', data: text });

/** A gateway whose opening is guarded, with one handler: `closed`. */
export function guardedGateway(place: GatewayMetadata, ...decorators: ClassDecorator[]): Type {
  class GuardedGateway extends AuthenticatedGateway {
    @SubscribeMessage('closed')
    closed(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }
  }
  return decorated(GuardedGateway, WebSocketGateway(place), ...decorators);
}

/** A gateway that calls `SocketAuthenticator` itself. Its sockets are open before they are admitted, on socket.io as well. */
export function manualGateway(
  place: GatewayMetadata,
  onAdmission: (isAdmitted: boolean) => void = () => undefined,
): Type {
  // Nest 11 does not call the global guard for messages.
  @UseGuards(GatewayGuard)
  class ManualGateway {
    constructor(@Inject(SocketAuthenticator) private readonly connections: SocketAuthenticator) {}

    async handleConnection(client: object, request?: unknown) {
      onAdmission(await this.connections.admit(this, client, request));
    }

    @SubscribeMessage('closed')
    closed(@CurrentUser('sub') sub?: string) {
      return reply(greeting(sub));
    }

    @Public()
    @SubscribeMessage('authenticate')
    async authenticate(client: object, token: unknown) {
      return { event: 'authenticated', data: await this.connections.renew(client, token) };
    }

    @Public()
    @SubscribeMessage('ping')
    ping() {
      return { event: 'pong', data: '' };
    }
  }
  return decorated(ManualGateway, WebSocketGateway(place));
}

/** Any client may open its sockets; only the messages are guarded. */
abstract class OpenGateway extends AuthenticatedGateway {
  @Public()
  override handleConnection(client: object, request?: unknown) {
    return super.handleConnection(client, request);
  }
}

/** A gateway for each opening that the handlers of all transports need. */
export function defaultGateways(place: Place): Type[] {
  const [Plain, OfClass] = handlerClasses(SubscribeMessage, reply, OpenGateway as unknown as Type);
  return [
    guardedGateway(place('guarded')),
    decorated(Plain, WebSocketGateway(place('open'))),
    decorated(OfClass, WebSocketGateway(place('class'))),
  ];
}
