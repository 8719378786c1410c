import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { TestIssuer, TokenRequest } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';
import { Orders } from '../src/orders.js';

let app: INestApplication<App>;
let issuer: TestIssuer;

beforeAll(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
  const { all } = app.get(Orders);
  all.set('1', { id: '1', owner: 'alice' });
  all.set('2', { id: '2', owner: 'bob' });
});

afterAll(() => app.close());

const scopes = ['read:orders'];
const ACR = 'urn:example:mfa';
const auth_time = Math.floor(Date.now() / 1000) - 60;
const authorization_details = [{ type: 'payment_initiation', actions: ['status'] }];

it.each<[string, TokenRequest, number, string | undefined]>([
  ['GET /orders', { scopes }, 200, undefined],
  ['GET /orders', { scopes: ['other'] }, 403, 'SCOPE_INSUFFICIENT'],
  ['GET /orders', { scopes, claims: { suspended: true } }, 403, 'POLICY_DENIED'],
  ['GET /orders', { scopes, claims: { suspended: true }, roles: ['auditor'] }, 200, undefined],
  ['GET /orders/1', { sub: 'alice', scopes }, 200, undefined],
  ['GET /orders/2', { sub: 'alice', scopes }, 404, undefined],
  ['GET /orders/3', { sub: 'alice', scopes }, 404, undefined],
  ['GET /orders/2', { sub: 'sam', scopes, roles: ['support'] }, 200, undefined],
  ['DELETE /orders/1', { sub: 'alice', scopes: ['delete:orders'] }, 403, 'SCOPE_INSUFFICIENT'],
  ['DELETE /orders/1', { sub: 'alice', scopes: [...scopes, 'delete:orders'] }, 401, 'AUTHENTICATION_INSUFFICIENT'],
  [
    'DELETE /orders/1',
    { sub: 'alice', scopes: [...scopes, 'delete:orders'], claims: { acr: ACR, auth_time } },
    200,
    undefined,
  ],
  ['POST /orders', { scopes }, 403, 'ROLE_INSUFFICIENT'],
  ['POST /orders', { scopes, roles: ['seller'] }, 201, undefined],
  [
    'POST /orders/payments',
    { scopes: ['payments'], claims: { authorization_details } },
    403,
    'AUTHORIZATION_DETAILS_INSUFFICIENT',
  ],
])('%s for %j: %d', async (route, token, status, code) => {
  const [method = '', path = ''] = route.split(' ');
  const sent = request(app.getHttpServer())
    [method.toLowerCase() as 'get'](path)
    .set(await issuer.as(token));
  const response = await sent;
  expect([response.status, (response.body as { code?: string }).code]).toEqual([status, code]);
});

it('passes the order that the policy loaded to the handler', async () => {
  const headers = await issuer.as({ sub: 'alice', scopes });
  await request(app.getHttpServer()).get('/orders/1').set(headers).expect({ id: '1', owner: 'alice' });
});

it('names the missing authentication in the challenge of the page', async () => {
  const headers = await issuer.as({ sub: 'alice', scopes: [...scopes, 'delete:orders'] });
  const response = await request(app.getHttpServer()).delete('/orders/1').set(headers);
  expect(response.headers['www-authenticate']).toBe(
    'Bearer error="insufficient_user_authentication", error_description="A stronger or more recent authentication is required", acr_values="urn:example:mfa", max_age="300"',
  );
});
