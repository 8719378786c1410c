import { expect, it, jest } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import { AppModule } from '../src/app.module.js';

it('accepts a token until it expires', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
  const app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
  await app.init();
  const headers = await issuer.as({ sub: 'alice', expiresInSeconds: 600 });
  expect((await app.inject({ url: '/orders', headers })).json()).toEqual({ orders: [], of: 'alice' });
  jest.setSystemTime(Date.now() + 606_000); // clockToleranceSeconds is 5
  expect((await app.inject({ url: '/orders', headers })).json()).toMatchObject({ code: 'TOKEN_EXPIRED' });
  await app.close();
  jest.useRealTimers();
});
