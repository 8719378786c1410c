import { Controller, Get, Module, type OnModuleDestroy, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { AuthGuard, AuthModule, Public, RequireScopes } from '../../src/index.js';

const auth = (extras: object = {}) =>
  AuthModule.forRoot({ issuer: 'https://issuer.example.com', audience: 'https://api.example.com', ...extras });

@Controller('orders')
class OrdersController {
  @Get()
  @RequireScopes('read:orders')
  list() {
    return [];
  }

  @Get('health')
  @Public()
  health() {
    return 'ok';
  }
}

/** How often an application was closed. */
export const closing = { count: 0 };

@Module({ imports: [auth()], controllers: [OrdersController] })
export class AppModule implements OnModuleDestroy {
  onModuleDestroy(): void {
    closing.count += 1;
  }
}

@Module({ imports: [auth({ guard: 'manual' })], controllers: [OrdersController] })
export class ManualModule {}

@Controller()
class JobsController {
  @MessagePattern('job')
  job() {
    return 'done';
  }

  @MessagePattern('own')
  @UseGuards(AuthGuard)
  own() {
    return 'done';
  }
}

@Module({ imports: [auth()], controllers: [JobsController] })
export class JobsModule {}

@Module({ controllers: [OrdersController] })
export class OpenModule {}

@Module({
  imports: [auth()],
  providers: [{ provide: 'database', useFactory: () => Promise.reject(new Error('no database')) }],
})
export class BrokenModule {}

/** As a `main` that is split into making and listening. */
export async function createApplication() {
  return NestFactory.create(AppModule, { logger: false });
}

export async function createUnclosable() {
  const app = await createApplication();
  return {
    init: () => app.init(),
    get: (token: never, options: object) => app.get<unknown>(token, options),
    close: async () => {
      await app.close();
      throw new Error('no way out');
    },
  };
}

export async function createHybrid() {
  const app = await NestFactory.create(JobsModule, { logger: false });
  app.connectMicroservice({ options: { host: '127.0.0.1', port: 0 } }, { inheritAppConfig: true });
  return app;
}

export function createNothing(): void {
  // Nothing is returned, as of a `bootstrap` that only listens.
}

export const settings = { port: 3000 };

/** As a `main` that exports how it starts. */
export async function startAndListen() {
  const app = await createApplication();
  await app.listen(Number(process.env.PORT));
}

export async function startBroken() {
  await NestFactory.create(BrokenModule);
}

export async function seedAndCreate() {
  const seed = await NestFactory.create(OpenModule);
  await seed.init();
  await seed.close();
  return NestFactory.create(AppModule);
}
