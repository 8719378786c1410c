import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../test/support/page-app.js';
import { auth, revokedTokens } from '../src/auth.js';

@Controller('orders')
class OrdersController {
  @Get()
  list() {
    return [];
  }
}

let app: INestApplication<App>;
let issuer: TestIssuer;

beforeAll(async () => {
  ({ app, issuer } = await createPageApp({ imports: [auth], controllers: [OrdersController] }));
  await app.init();
});

afterAll(() => app.close());

async function outcomeOf(token: string) {
  const response = await request(app.getHttpServer()).get('/orders').auth(token, { type: 'bearer' });
  const { code } = response.body as { code?: string };
  return code === undefined ? String(response.status) : `${String(response.status)} ${code}`;
}

it('rejects a token from the moment when it is revoked, although it was accepted before', async () => {
  const token = await issuer.token({ claims: { jti: 'lost' } });
  const other = await issuer.token({ claims: { jti: 'kept' } });
  expect(await outcomeOf(token)).toBe('200');
  expect(await outcomeOf(token)).toBe('200');
  revokedTokens.add('lost');
  expect(await outcomeOf(token)).toBe('401 USER_REFUSED');
  expect(await outcomeOf(other)).toBe('200');
});

it('rejects a token that cannot be revoked, because it has no jti', async () => {
  expect(await outcomeOf(await issuer.token({ claims: { jti: undefined } }))).toBe('401 CLAIM_MISSING');
});
