import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';
import { auth as both } from '../src/both.js';

const claims = claimsOfPage('workos');
const connect = {
  iss: 'https://youthful-ginger-43.authkit.app',
  aud: 'https://api.example.com',
  sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
  scope: 'orders:read',
};

it('accepts the token of the page', async () => {
  const granted = { roles: ['member'], permissions: ['posts:read'] };
  expect(await verifyWith(auth, claims)).toMatchObject(granted);
  expect(await verifyWith(both, claims)).toMatchObject(granted);
});

it('accepts a token of Connect with both presets', async () => {
  expect(await verifyWith(both, connect)).toMatchObject({ scopes: ['orders:read'], roles: [] });
});

it.each([
  ['a session token with an audience', { ...claims, aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
  ['a token without a session', { ...claims, sid: undefined }, 'CLAIM_MISSING'],
  ['a token of Connect for another resource', { ...connect, aud: 'client_123456789' }, 'AUDIENCE_MISMATCH'],
  ['an ID token of Connect', { ...connect, jti: undefined }, 'CLAIM_MISSING'],
])('rejects %s', async (_name, token, code) => {
  await expect(verifyWith(both, token)).rejects.toMatchObject({ code });
});
