import { Module } from '@nestjs/common';
import { AuthModule } from 'nestjs-resource-server';
import { OrderAccess } from './order.policies.js';
import { OrdersController } from './orders.controller.js';
import { Orders } from './orders.js';

@Module({
  imports: [AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' })],
  controllers: [OrdersController],
  providers: [Orders, OrderAccess],
})
export class AppModule {}
