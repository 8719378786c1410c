import { expect, it } from '@jest/globals';
import request from 'supertest';
import { createPageApp } from '../../../../test/support/page-app.js';
import { BillingModule } from '../apps/billing/src/billing.module.js';

it('applies the options and the decorator of the library', async () => {
  const { app, issuer } = await createPageApp({ imports: [BillingModule] });
  await app.init();
  const send = async (headers: Record<string, string>) =>
    (await request(app.getHttpServer()).get('/invoices').set(headers)).status;
  expect(await send(await issuer.as({ roles: ['admin'] }))).toBe(200);
  expect(await send(await issuer.as())).toBe(403);
  const other = await issuer.as({ roles: ['admin'], claims: { aud: 'https://api.example.com' } });
  expect(await send(other)).toBe(401);
  await app.close();
});
