import { expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TestIssuer, withTestIssuer } from 'nestjs-resource-server/testing';
import request from 'supertest';
import type { App } from 'supertest/types.js';
import { BillingModule } from '../apps/billing/src/billing.module.js';

it('applies the options and the decorator of the library', async () => {
  const issuer = await TestIssuer.create();
  const module = await withTestIssuer(Test.createTestingModule({ imports: [BillingModule] }), issuer).compile();
  const app: INestApplication<App> = module.createNestApplication();
  await app.init();
  const send = async (headers: Record<string, string>) =>
    (await request(app.getHttpServer()).get('/invoices').set(headers)).status;
  expect(await send(await issuer.as({ roles: ['admin'] }))).toBe(200);
  expect(await send(await issuer.as())).toBe(403);
  const other = await issuer.as({ roles: ['admin'], claims: { aud: 'https://api.example.com' } });
  expect(await send(other)).toBe(401);
  await app.close();
});
