import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule, CurrentUser } from 'nestjs-resource-server';
import { fromEnv } from 'nestjs-resource-server/presets';

@Controller('orders')
export class OrdersController {
  @Get('mine')
  mine(@CurrentUser('sub') sub: string) {
    return { owner: sub };
  }
}

@Module({
  imports: [AuthModule.forRootAsync({ useFactory: () => fromEnv() })],
  controllers: [OrdersController],
})
export class AppModule {}
