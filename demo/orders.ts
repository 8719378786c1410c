import {
  BadRequestException,
  Body,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Param,
  ParseIntPipe,
  Post,
} from '@nestjs/common';
import { ApiBadRequestResponse, ApiBody, ApiProperty } from '@nestjs/swagger';
import {
  AccessToken,
  type AccessPolicy,
  type AccessTokenClaims,
  CurrentUser,
  OptionalAuth,
  Public,
  RequirePolicy,
  RequireScopes,
  type VerifiedAccessToken,
} from 'nestjs-resource-server';

export interface Order {
  readonly id: number;
  readonly owner: string;
  readonly item: string;
}

@Injectable()
export class Orders {
  private readonly orders: Order[] = [
    { id: 1, owner: 'alice', item: 'a bicycle' },
    { id: 2, owner: 'bob', item: 'a kettle' },
  ];

  all(): readonly Order[] {
    return this.orders;
  }

  find(id: number): Order | undefined {
    return this.orders.find((order) => order.id === id);
  }

  add(owner: string, item: string): Order {
    const order = { id: this.orders.length + 1, owner, item };
    this.orders.push(order);
    return order;
  }
}

/** Grants access to the owner of an order. The token does not contain the owner, so look up the order. */
@Injectable()
export class OrderOwner implements AccessPolicy {
  constructor(private readonly orders: Orders) {}

  allows({ claims }: VerifiedAccessToken, context: ExecutionContext): boolean {
    const { params } = context.switchToHttp().getRequest<{ params: { id: string } }>();
    return this.orders.find(Number(params.id))?.owner === claims.sub;
  }
}

class NewOrder {
  @ApiProperty({ example: 'a lamp', minLength: 1 })
  readonly item!: string;
}

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: Orders) {}

  @Get()
  @RequireScopes('read:orders')
  list(@AccessToken() token: VerifiedAccessToken) {
    return { scopes: token.scopes, orders: this.orders.all() };
  }

  @Post()
  @RequireScopes('write:orders')
  @ApiBody({ type: NewOrder })
  @ApiBadRequestResponse({ description: 'No item' })
  create(@CurrentUser('sub') sub: string, @Body('item') item: unknown) {
    // The guard has authorized the caller. The body is not validated yet.
    if (typeof item !== 'string' || item.trim() === '') throw new BadRequestException('item must be a string');
    return this.orders.add(sub, item);
  }

  /** Requires a valid token, as all routes do by default. */
  @Get('mine')
  mine(@CurrentUser('sub') sub: string) {
    return this.orders.all().filter(({ owner }) => owner === sub);
  }

  @Get('catalogue')
  @OptionalAuth()
  catalogue(@CurrentUser() user?: AccessTokenClaims) {
    return {
      greeting: user?.sub === undefined ? 'Hello, guest' : `Hello, ${user.sub}`,
      items: this.orders.all().map(({ item }) => item),
    };
  }

  @Get('health')
  @Public()
  health() {
    return { status: 'ok' };
  }

  @Get(':id')
  @RequirePolicy(OrderOwner)
  one(@Param('id', ParseIntPipe) id: number) {
    return this.orders.find(id);
  }
}
