import { afterEach, expect, it } from '@jest/globals';
import { verifyWith } from '../../../../test/support/provider-page.js';
import { AppModule } from '../src/app.module.js';
import { Auth0Module } from '../src/auth0.module.js';

const names = ['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH0_DOMAIN'];

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

it('reads the options of a preset from the environment', async () => {
  await expect(verifyWith(Auth0Module, {})).rejects.toThrow('AUTH0_DOMAIN: is missing');
  process.env.AUTH0_DOMAIN = 'tenant.eu.auth0.com';
  process.env.AUTH_AUDIENCE = 'https://api.example.com';
  const claims = { iss: 'https://tenant.eu.auth0.com/', aud: 'https://api.example.com' };
  expect(await verifyWith(Auth0Module, claims)).toMatchObject({ issuer: claims.iss });
});
