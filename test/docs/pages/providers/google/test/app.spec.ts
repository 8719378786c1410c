import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('google');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

it.each([
  ['another caller', { email: 'mallory@example.com' }, 'CLAIM_INVALID'],
  ['a token without an address', { email: undefined }, 'CLAIM_MISSING'],
  ['an address that is not verified', { email_verified: false }, 'CLAIM_INVALID'],
  ['an ID token of a user', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
