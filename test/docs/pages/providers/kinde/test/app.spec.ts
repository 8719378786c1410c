import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('kinde');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({
    scopes: ['openid', 'profile'],
    roles: ['support'],
    permissions: ['read:orders'],
  });
});

it.each([
  ['a token without an audience', { aud: [] }, 'AUDIENCE_MISMATCH'],
  ['an ID token', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
