import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('google-iap');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

it.each([
  ['a token for another service', { aud: '/projects/1/locations/europe-west1/services/orders' }, 'AUDIENCE_MISMATCH'],
  ['a token without a subject', { sub: undefined }, 'CLAIM_MISSING'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
