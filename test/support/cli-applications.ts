import { type DynamicModule, Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import { type ApolloDriverConfig, ApolloDriver } from '@nestjs/apollo';
import { APP_GUARD, NestFactory, RouterModule } from '@nestjs/core';
import { GraphQLModule, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { MessagePattern } from '@nestjs/microservices';
import {
  type AccessPolicy,
  AuthGuard,
  AuthModule,
  type AuthOptions,
  Public,
  RequireAuthorizationDetails,
  RequirePolicy,
  RequireScopes,
} from '../../src/index.js';
import { CONTROL_TEXT } from './catching.js';

const OPTIONS = { issuer: 'https://issuer.example.com', audience: 'https://api.example.com' };

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

/** The number of times that an application was closed. */
export const closed = { count: 0 };

@Module({ imports: [AuthModule.forRoot(OPTIONS)], controllers: [OrdersController] })
export class AppModule {
  onModuleDestroy(): void {
    closed.count += 1;
  }
}

@Controller('offers')
class OffersController {
  @Get()
  list() {
    return [];
  }
}

@Module({
  imports: [AuthModule.forRoot({ ...OPTIONS, guard: 'manual' })],
  controllers: [OffersController],
})
export class ManualModule {}

/** The options of ConfiguredModule and createSeveral, which a test sets. */
export const configured = {
  options: OPTIONS as AuthOptions,
  several: [] as readonly AuthOptions[],
  onDestroy: (): unknown => undefined,
};

@Module({
  imports: [AuthModule.forRootAsync({ useFactory: () => configured.options })],
  controllers: [OffersController],
})
export class ConfiguredModule {
  onModuleDestroy() {
    closed.count += 1;
    return configured.onDestroy();
  }
}

@Module({})
class RootModule {}

/** An application whose controllers can have different issuers. */
export function createSeveral() {
  const imports = configured.several.map((options) =>
    AuthModule.forRoot({ ...options, guard: 'manual', isGlobal: false }),
  );
  return NestFactory.create({ module: RootModule, imports }, { logger: false });
}

@Injectable()
class OrderOwner implements AccessPolicy {
  allows() {
    return true;
  }
}

@Controller()
class JobsController {
  @MessagePattern('job')
  @RequirePolicy(OrderOwner)
  job() {
    return 'done';
  }

  @MessagePattern('own')
  @UseGuards(AuthGuard)
  own() {
    return 'done';
  }
}

@Module({ imports: [AuthModule.forRoot(OPTIONS)], controllers: [JobsController], providers: [OrderOwner] })
export class JobsModule {}

@Controller()
class ControlsController {
  @MessagePattern(CONTROL_TEXT)
  @RequireAuthorizationDetails(CONTROL_TEXT)
  [CONTROL_TEXT]() {
    return 'done';
  }
}

@Module({ imports: [AuthModule.forRoot(OPTIONS)], controllers: [ControlsController] })
export class ControlsModule {}

@Module({ controllers: [OrdersController] })
export class OpenModule {}

@Module({ imports: [AuthModule.forRoot(OPTIONS)] })
export class EmptyModule {}

export const dynamicModule: DynamicModule = { module: OpenModule, imports: [AppModule] };
export const modulePromise = Promise.resolve(dynamicModule);

@Injectable()
class Database {
  constructor() {
    throw new Error('no database');
  }
}

@Module({ imports: [AuthModule.forRoot(OPTIONS)], providers: [Database] })
export class BrokenModule {}

export function createApp() {
  return NestFactory.create(AppModule, { logger: false });
}

export async function createHybrid() {
  const app = await NestFactory.create(JobsModule, { logger: false });
  app.connectMicroservice({ options: { host: '127.0.0.1', port: 0 } }, { inheritAppConfig: true });
  return app;
}

export function createMicroservice() {
  return NestFactory.createMicroservice(JobsModule, { logger: false, options: { host: '127.0.0.1', port: 0 } });
}

export const createNothing = () => undefined;
export const createNever = () => new Promise(() => undefined);

@Resolver('Order')
class OrdersResolver {
  @Query(() => String)
  order() {
    return 'order';
  }

  @ResolveField(() => String)
  state() {
    return 'new';
  }
}

@Module({ controllers: [OrdersController, JobsController], providers: [Database, OrderOwner] })
class OrdersModule {}

const admin = [OrdersModule, RouterModule.register([{ path: 'admin', module: OrdersModule }])];

@Module({ imports: [AuthModule.forRoot({ ...OPTIONS, require: { scopes: ['api'] } }), ...admin] })
export class PreviewModule {}

const fail = () => Promise.reject(new Error('a factory is called'));

@Module({
  imports: [
    AuthModule.forRootAsync({ useFactory: fail, guard: 'manual' }),
    // @nestjs/graphql calls its factory in preview mode too.
    GraphQLModule.forRootAsync<ApolloDriverConfig>({ driver: ApolloDriver, useFactory: () => ({}) }),
    ...admin,
  ],
  providers: [OrdersResolver, { provide: APP_GUARD, useFactory: fail }],
})
export class FactoriesModule {}

@Module({ imports: [AuthModule.forRoot(OPTIONS)], controllers: [JobsController] })
export class PolicyModule {}
