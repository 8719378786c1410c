import { Controller, Get, Module } from '@nestjs/common';
import { CurrentUser } from 'nestjs-resource-server';
import { AuthTestingModule, TestIssuer } from 'nestjs-resource-server/testing';

export const issuer = await TestIssuer.create();

@Controller('orders')
export class OrdersController {
  @Get()
  list(@CurrentUser('sub') of: string) {
    return { of };
  }
}

@Module({ imports: [AuthTestingModule.forIssuer(issuer)], controllers: [OrdersController] })
export class AppModule {}
