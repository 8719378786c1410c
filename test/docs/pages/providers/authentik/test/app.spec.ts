import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('authentik');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['openid', 'profile'], roles: ['support'] });
});

it.each([
  ['a token of another client', { aud: 'other' }, 'AUDIENCE_MISMATCH'],
  ['an ID token', { azp: undefined, uid: undefined }, 'CLAIM_MISSING'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
