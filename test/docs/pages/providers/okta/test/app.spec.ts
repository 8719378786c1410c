import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('okta');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['orders.read'], roles: ['support'] });
});

it.each([
  ['an ID token', { cid: undefined }, 'CLAIM_MISSING'],
  ['a token of another authorization server', { aud: 'api://other' }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
