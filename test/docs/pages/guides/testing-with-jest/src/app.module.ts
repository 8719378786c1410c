import { Controller, Get, Module, Post } from '@nestjs/common';
import { AuthModule, CurrentUser, RequireScopes } from 'nestjs-resource-server';

@Controller('orders')
export class OrdersController {
  @Get()
  list(@CurrentUser('sub') sub: string) {
    return { orders: [], of: sub };
  }

  @Post()
  @RequireScopes('write:orders')
  create() {
    return { created: true };
  }
}

@Module({ controllers: [OrdersController] })
export class OrdersModule {}

@Module({
  imports: [
    AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' }),
    OrdersModule,
  ],
})
export class AppModule {}
