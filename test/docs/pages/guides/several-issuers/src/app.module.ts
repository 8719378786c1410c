import { Controller, Get, Module } from '@nestjs/common';
import { CurrentUser, RequireRoles } from 'nestjs-resource-server';
import { auth } from './auth.js';

@Controller('orders')
class OrdersController {
  @Get()
  @RequireRoles('buyer')
  list(@CurrentUser() user: object) {
    return user;
  }
}

@Module({ imports: [auth], controllers: [OrdersController] })
export class AppModule {}
