import { afterEach, expect, it } from '@jest/globals';
import { verifyWith } from '../../../../test/support/provider-page.js';
import { AppModule } from '../src/app.module.js';

const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE'];

afterEach(() => {
  for (const name of names) Reflect.deleteProperty(process.env, name);
});

it('reads issuer and audience from the environment', async () => {
  process.env.AUTH_ISSUER = 'https://id.example.com';
  process.env.AUTH_AUDIENCE = 'https://orders.example.com, https://api.example.com';
  const claims = { iss: 'https://id.example.com', aud: 'https://api.example.com' };
  expect(await verifyWith(AppModule, claims)).toMatchObject({ issuer: claims.iss });
  await expect(verifyWith(AppModule, { ...claims, aud: 'other' })).rejects.toMatchObject({ code: 'AUDIENCE_MISMATCH' });
});
