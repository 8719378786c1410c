import { afterEach, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module, type Type, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { openRoutes } from 'nestjs-resource-server';
import { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

const issuer = await TestIssuer.create();
let app: INestApplication<App>;

afterEach(() => app.close());

async function start(module: Type) {
  ({ app } = await createPageApp({ imports: [module] }, issuer));
  await app.init();
  return request(app.getHttpServer());
}

it('answers as before the migration', async () => {
  const server = await start(AppModule);
  await server.get('/orders').expect(401);
  await server
    .get('/orders')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
  expect(openRoutes(app)).toEqual(['GET /orders/health']);
});

it('answers 500 where the guard of the old strategy is left', async () => {
  @Controller('left')
  class LeftController {
    @Get()
    @UseGuards(AuthGuard('jwt'))
    left() {
      return 'never';
    }
  }
  @Module({ imports: [AppModule], controllers: [LeftController] })
  class LeftModule {}
  const server = await start(LeftModule);
  await server
    .get('/left')
    .set(await issuer.as())
    .expect(500);
});
