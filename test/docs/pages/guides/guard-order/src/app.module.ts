import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthModule } from 'nestjs-resource-server';
import { TenantGuard } from './tenant.guard.js';

@Controller('orders')
export class OrdersController {
  @Get()
  list() {
    return [];
  }
}

@Module({
  imports: [AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' })],
  controllers: [OrdersController],
  providers: [{ provide: APP_GUARD, useClass: TenantGuard }],
})
export class AppModule {}
