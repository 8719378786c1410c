import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import { AuthenticatedGateway, CurrentUser, RequireScopes } from 'nestjs-resource-server';
import { Orders } from './orders.js';

/** A client needs a valid token to open a socket. The socket is closed when the token expires. */
@WebSocketGateway({ namespace: 'orders' })
export class OrdersGateway extends AuthenticatedGateway {
  constructor(private readonly service: Orders) {
    super();
  }

  @SubscribeMessage('orders')
  @RequireScopes('read:orders')
  orders() {
    return { event: 'orders', data: this.service.all() };
  }

  @SubscribeMessage('create')
  @RequireScopes('write:orders')
  create(@CurrentUser('sub') sub: string, @MessageBody() item: unknown) {
    if (typeof item !== 'string' || item.trim() === '') throw new WsException('item must be a string');
    return { event: 'created', data: this.service.add(sub, item) };
  }
}
