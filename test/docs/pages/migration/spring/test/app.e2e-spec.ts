import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { openRoutes } from 'nestjs-resource-server';
import type { TestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { createPageApp } from '../../../../test/support/page-app.js';
import { AppModule } from '../src/app.module.js';

let issuer: TestIssuer;
let app: INestApplication<App>;

beforeAll(async () => {
  ({ app, issuer } = await createPageApp({ imports: [AppModule] }));
  await app.init();
});

afterAll(() => app.close());

it('requires the scope, the role and the verified email', async () => {
  const server = request(app.getHttpServer());
  const verified = { email_verified: true };
  const alice = await issuer.as({ sub: 'alice', scopes: ['read:orders'], claims: verified });
  await server.get('/orders').set(alice).expect(200, { owner: 'alice' });
  await server.delete('/orders/1').set(alice).expect(403);
  const admin = await issuer.as({ scopes: ['read:orders'], roles: ['admin'], claims: verified });
  await server.delete('/orders/1').set(admin).expect(200, { removed: '1' });
  const onlyRole = await issuer.as({ roles: ['admin'], claims: verified });
  await server.delete('/orders/1').set(onlyRole).expect(403);
  const { status, body } = await server.get('/orders').set(await issuer.as({ scopes: ['read:orders'] }));
  expect([status, body]).toEqual([401, expect.objectContaining({ code: 'CLAIM_INVALID' })]);
  expect(openRoutes(app)).toEqual(['GET /health']);
});
