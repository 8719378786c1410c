import { Args, Field, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { CurrentUser, Public, RequireScopes } from 'nestjs-resource-server';
import { type Order, Orders } from './orders.js';

@ObjectType('Order')
class OrderType implements Order {
  @Field(() => Int)
  readonly id!: number;

  @Field()
  readonly owner!: string;

  @Field()
  readonly item!: string;
}

/** Uses the same decorators and returns the same codes as the controller. */
@Resolver()
export class OrdersResolver {
  constructor(private readonly service: Orders) {}

  @Query(() => [OrderType])
  @RequireScopes('read:orders')
  orders(): readonly Order[] {
    return this.service.all();
  }

  @Query(() => [String])
  @Public()
  catalogue(): string[] {
    return this.service.all().map(({ item }) => item);
  }

  @Mutation(() => OrderType)
  @RequireScopes('write:orders')
  createOrder(@CurrentUser('sub') sub: string, @Args('item') item: string): Order {
    return this.service.add(sub, item);
  }
}
