import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('auth0');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({
    scopes: ['openid', 'read:orders'],
    roles: ['support'],
    permissions: ['read:orders'],
  });
});

it.each([['a token for UserInfo only', { aud: ['https://tenant.eu.auth0.com/userinfo'] }, 'AUDIENCE_MISMATCH']])(
  'rejects %s',
  async (_name, change, code) => {
    await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
  },
);
