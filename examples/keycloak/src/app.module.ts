import { Controller, type DynamicModule, Get, Module } from '@nestjs/common';
import { AuthModule, type AuthOptions, CurrentUser, Public, RequireRoles } from 'nestjs-resource-server';

@Controller('orders')
export class OrdersController {
  /** Requires a valid token, as all routes do by default. */
  @Get('mine')
  mine(@CurrentUser('sub') sub: string) {
    return { owner: sub, orders: ['a bicycle'] };
  }

  /** Requires the realm role `support`. */
  @Get()
  @RequireRoles('support')
  all() {
    return [{ owner: 'alice', orders: ['a bicycle'] }];
  }

  @Get('health')
  @Public()
  health() {
    return { status: 'ok' };
  }
}

@Module({ controllers: [OrdersController] })
export class AppModule {
  static forRoot(options: AuthOptions): DynamicModule {
    return { module: AppModule, imports: [AuthModule.forRoot(options)] };
  }
}
