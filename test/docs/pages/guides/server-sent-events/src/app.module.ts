import { Module } from '@nestjs/common';
import { AuthModule } from 'nestjs-resource-server';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' })],
  controllers: [OrdersController],
})
export class AppModule {}
