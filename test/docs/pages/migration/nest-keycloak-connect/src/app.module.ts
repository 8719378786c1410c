import { Controller, Delete, Get, Module } from '@nestjs/common';
import { AuthModule, CurrentUser, RequireAnyRole, RequirePolicy } from 'nestjs-resource-server';
import { keycloak } from 'nestjs-resource-server/presets';
import { decidedByKeycloak } from './keycloak.policy.js';

@Controller('orders')
export class OrdersController {
  @Get()
  @RequireAnyRole('customer', 'staff') // @Roles({ roles: ['customer', 'realm:staff'] })
  list(@CurrentUser('sub') sub: string) {
    return { owner: sub };
  }

  @Delete(':id')
  @RequirePolicy(decidedByKeycloak('Order', 'Delete')) // @Resource('Order'), @Scopes('Delete')
  remove() {}
}

@Module({
  imports: [
    AuthModule.forRoot(keycloak({ url: 'https://keycloak.example.com', realm: 'staff', audience: 'orders-api' })),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
