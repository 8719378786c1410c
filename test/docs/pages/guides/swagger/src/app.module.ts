import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule, OptionalAuth, Public, RequireRoles, RequireScopes } from 'nestjs-resource-server';

@Controller('orders')
export class OrdersController {
  @Get()
  @RequireScopes('read:orders')
  list() {
    return [];
  }

  @Get('catalogue')
  @OptionalAuth()
  catalogue() {
    return [];
  }

  @Get('health')
  @Public()
  health() {
    return 'ok';
  }

  @Get('audit')
  @RequireRoles('auditor')
  audit() {
    return [];
  }
}

@Module({
  imports: [
    AuthModule.forRoot({ issuer: 'https://keycloak.example.com/realms/staff', audience: 'https://api.example.com' }),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
