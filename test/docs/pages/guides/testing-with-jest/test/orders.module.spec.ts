import { it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { AuthTestingModule } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { OrdersModule } from '../src/app.module.js';

it('gives the caller of forCaller to a feature module', async () => {
  const imports = [OrdersModule, AuthTestingModule.forCaller({ scopes: ['read:orders'] })];
  const app = (await Test.createTestingModule({ imports }).compile()).createNestApplication();
  await app.init();
  await request(app.getHttpServer() as App)
    .post('/orders')
    .expect(403);
  await app.close();
});
