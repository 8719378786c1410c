import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('kubernetes');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

const other = { namespace: 'shop', serviceaccount: { name: 'default' } };
it.each([
  ['a token of another service account', { 'kubernetes.io': other }, 'CLAIM_INVALID'],
  ['a token without its service account', { 'kubernetes.io': undefined }, 'CLAIM_MISSING'],
  ['a token for the API server', { aud: [claims.iss] }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
