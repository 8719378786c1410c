import { expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { AppModule } from '../src/app.module.js';
import { ForbiddenFilter } from '../src/forbidden.filter.js';

it('answers 403 to old clients', async () => {
  const issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [AppModule] }), issuer).compile();
  const app: INestApplication<App> = module.createNestApplication();
  app.useGlobalFilters(new ForbiddenFilter(app.get(HttpAdapterHost).httpAdapter));
  await app.init();
  const server = request(app.getHttpServer());
  await server.get('/health').expect(200);
  await server
    .get('/orders')
    .set(await issuer.as({ sub: 'alice' }))
    .expect(200, { owner: 'alice' });
  const { status, body, headers } = await server.get('/orders');
  expect([status, body]).toEqual([403, expect.objectContaining({ code: 'TOKEN_MISSING' })]);
  expect(headers['www-authenticate']).toBe('Bearer');
  await app.close();
});
