import { afterEach, expect, it } from '@jest/globals';
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  mixin,
  Module,
  type ModuleMetadata,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, AuthModule } from 'nestjs-resource-server';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;
const called: string[] = [];

async function start(metadata: ModuleMetadata, prepare?: (app: INestApplication) => unknown): Promise<void> {
  ({ app, issuer } = await createPageApp(metadata));
  prepare?.(app);
  await app.init();
  called.length = 0;
}

afterEach(() => app.close());

/** A guard that records its name and the caller that it reads. */
function recorder(name: string, scope?: Scope) {
  @Injectable({ scope })
  class Recorder implements CanActivate {
    canActivate(context: ExecutionContext) {
      const { user } = context.switchToHttp().getRequest<{ user?: { sub: string } }>();
      called.push(`${name}: ${user?.sub ?? 'no caller'}`);
      return true;
    }
  }
  return mixin(Recorder);
}

const [Imported, First, Second] = [recorder('imported'), recorder('first'), recorder('second')];
const [Scoped, Class, Handler] = [recorder('scoped', Scope.REQUEST), recorder('class'), recorder('handler')];
const Used = recorder('useGlobalGuards');

@UseGuards(Class)
@Controller('guarded')
class GuardedController {
  @Get()
  @UseGuards(Handler)
  read() {
    return 'ok';
  }
}

@Module({ providers: [{ provide: APP_GUARD, useClass: Imported }] })
class ImportedModule {}

const options = { issuer: 'https://tenant.eu.auth0.com/', audience: 'https://api.example.com' };

it('gives the guards of the application the caller', async () => {
  await start({ imports: [AppModule] });
  const headers = await issuer.as({ claims: { tenant: 'acme' } });
  const get = (tenant: string) =>
    request(app.getHttpServer())
      .get('/orders')
      .set({ ...headers, 'x-tenant': tenant });
  await get('acme').expect(200);
  await get('other').expect(403);
  const withoutTenant = await issuer.as({ sub: 'alice' });
  await request(app.getHttpServer()).get('/orders').set(withoutTenant).expect(403);
});

it('calls the guards in the order of the page, and none after a refusal', async () => {
  const providers = [Scoped, First, Second].map((useClass) => ({ provide: APP_GUARD, useClass }));
  await start(
    { imports: [ImportedModule, AuthModule.forRoot(options)], controllers: [GuardedController], providers },
    (created) => created.useGlobalGuards(new Used()),
  );
  await request(app.getHttpServer()).get('/guarded').expect(401);
  expect(called).toEqual([]);
  const headers = await issuer.as({ sub: 'alice' });
  await request(app.getHttpServer()).get('/guarded').set(headers).expect(200);
  const order = ['first', 'second', 'imported', 'useGlobalGuards', 'scoped', 'class', 'handler'];
  expect(called).toEqual(order.map((name) => `${name}: alice`));
});

it("leaves the order to the application with guard: 'manual'", async () => {
  @UseGuards(First, AuthGuard)
  @Controller('guarded')
  class ManualController {
    @Get()
    read() {
      return 'ok';
    }
  }
  await start({
    imports: [AuthModule.forRoot({ ...options, guard: 'manual' })],
    controllers: [ManualController],
    providers: [First],
  });
  await request(app.getHttpServer()).get('/guarded').expect(401);
  expect(called).toEqual(['first: no caller']);
  await app.close();

  await start(
    {
      imports: [AuthModule.forRoot({ ...options, guard: 'manual' })],
      controllers: [GuardedController],
      providers: [First],
    },
    (created) => created.useGlobalGuards(created.get(First), created.get(AuthGuard)),
  );
  await request(app.getHttpServer()).get('/guarded').expect(401);
  expect(called).toEqual(['first: no caller']);
});
