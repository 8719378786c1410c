import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule, CurrentUser, Public } from 'nestjs-resource-server';

@Controller()
export class AppController {
  @Get('health')
  @Public()
  health() {
    return 'ok';
  }

  @Get('orders')
  orders(@CurrentUser('sub') sub: string) {
    return { owner: sub };
  }
}

@Module({
  imports: [
    AuthModule.forRoot({
      issuer: 'https://tenant.eu.auth0.com/',
      audience: 'https://api.example.com',
      algorithms: ['RS256'],
      clockToleranceSeconds: 10,
    }),
  ],
  controllers: [AppController],
})
export class AppModule {}
