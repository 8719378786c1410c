import { Controller, Get, Module } from '@nestjs/common';
import {
  AccessToken,
  type AccessTokenClaims,
  CurrentUser,
  OptionalAuth,
  Public,
  type VerifiedAccessToken,
} from 'nestjs-resource-server';

const ORDERS = [
  { id: 1, owner: 'alice', item: 'a bicycle' },
  { id: 2, owner: 'bob', item: 'a kettle' },
];

@Controller('orders')
export class OrdersController {
  /** Closed, as every route is unless it says otherwise. */
  @Get()
  list(@AccessToken() token: VerifiedAccessToken) {
    return { scopes: token.scopes, orders: ORDERS };
  }

  @Get('mine')
  mine(@CurrentUser('sub') sub: string) {
    return ORDERS.filter(({ owner }) => owner === sub);
  }

  @Get('catalogue')
  @OptionalAuth()
  catalogue(@CurrentUser() user?: AccessTokenClaims) {
    return {
      greeting: user?.sub === undefined ? 'Hello, guest' : `Hello, ${user.sub}`,
      items: ORDERS.map(({ item }) => item),
    };
  }

  @Get('health')
  @Public()
  health() {
    return { status: 'ok' };
  }
}

@Module({ controllers: [OrdersController] })
export class OrdersModule {}
