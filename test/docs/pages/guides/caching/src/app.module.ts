import { CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AuthModule, CurrentUser } from 'nestjs-resource-server';
import { CallerCacheInterceptor } from './caller-cache.interceptor.js';

@Controller('orders')
export class OrdersController {
  @Get()
  list(@CurrentUser('sub') sub: string) {
    return { of: sub, readAt: new Date() };
  }
}

@Module({
  imports: [
    AuthModule.forRoot({ issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' }),
    CacheModule.register({ ttl: 60_000 }),
  ],
  controllers: [OrdersController],
  providers: [{ provide: APP_INTERCEPTOR, useClass: CallerCacheInterceptor }],
})
export class AppModule {}
