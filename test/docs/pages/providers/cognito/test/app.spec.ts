import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('cognito');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['orders/read'], roles: ['support'] });
});

it.each([
  ['an ID token', { token_use: 'id' }, 'TYPE_NOT_ALLOWED'],
  ['a token of another client', { client_id: 'other' }, 'AUDIENCE_MISMATCH'],
  ['a token for a resource', { aud: 'https://api.example.com' }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
