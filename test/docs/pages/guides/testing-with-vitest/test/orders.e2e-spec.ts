import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { openRoutes } from 'nestjs-resource-server';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { expect, it } from 'vitest';
import { AppModule } from '../src/app.module.js';

it('returns the orders of the caller', async () => {
  const issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
  const app: INestApplication<App> = module.createNestApplication();
  await app.init();
  await request(app.getHttpServer()).get('/orders').expect(401);
  const alice = await issuer.as({ sub: 'alice' });
  await request(app.getHttpServer()).get('/orders').set(alice).expect(200, { orders: [], of: 'alice' });
  expect(openRoutes(app)).toEqual([]);
  await app.close();
});
