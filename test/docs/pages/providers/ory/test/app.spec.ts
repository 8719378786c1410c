import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('ory');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['orders:read'], roles: ['support'] });
});

it.each([
  ['a token without a requested audience', { aud: [] }, 'AUDIENCE_MISMATCH'],
  ['an ID token', { client_id: undefined }, 'CLAIM_MISSING'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
