import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { KeyHealth } from 'nestjs-resource-server';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }
}

let app: INestApplication<App>;
let issuer: TestIssuer;

beforeEach(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule], controllers: [OrdersController] }));
});

afterEach(() => app.close());

const orders = (token: string) => request(app.getHttpServer()).get('/orders').auth(token, { type: 'bearer' });
const keys = () => app.get(KeyHealth).isHealthy().keys.status;

it('accepts tokens with a known key during an outage, and answers 503 for others', async () => {
  await app.init();
  const token = await issuer.token();
  await orders(token).expect(200);
  const unknown = await issuer.unknownKeyToken();
  issuer.goDown();
  await orders(token).expect(200);
  await orders(await issuer.token({ sub: 'bob' })).expect(200);
  expect(keys()).toBe('up');
  const { status, body, headers } = await orders(unknown);
  expect([status, (body as { code: string }).code]).toEqual([503, 'KEYS_UNAVAILABLE']);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
});

it('starts without keys, and is not ready', async () => {
  issuer.goDown();
  await app.init();
  const token = await issuer.token();
  await orders(token).expect(503);
  expect(keys()).toBe('down');
});

it('accepts the first token after a rotation, and rejects the withdrawn key', async () => {
  await app.init();
  const before = await issuer.token();
  await orders(before).expect(200);
  issuer.rotateKeys();
  await orders(await issuer.token()).expect(200);
  const { status, body } = await orders(before);
  expect([status, (body as { code: string }).code]).toEqual([401, 'KEY_UNKNOWN']);
});
