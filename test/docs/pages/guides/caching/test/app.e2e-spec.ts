import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

beforeAll(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
});

afterAll(() => app.close());

const orders = async (sub: string | undefined) => {
  const response = await request(app.getHttpServer())
    .get('/orders')
    .set(await issuer.as({ sub }))
    .expect(200);
  return response.body as { readonly of?: string; readonly readAt: string };
};

it('answers each caller from an own entry of the cache', async () => {
  const first = await orders('alice');
  expect(first.of).toBe('alice');
  expect((await orders('bob')).of).toBe('bob');
  expect(await orders('alice')).toEqual(first);
});

it('answers no request without a token from the cache', async () => {
  await orders('alice');
  await request(app.getHttpServer()).get('/orders').expect(401);
});
