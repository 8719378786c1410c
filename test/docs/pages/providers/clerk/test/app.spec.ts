import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('clerk');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ roles: ['support'] });
});

it.each([
  ['a token of another origin', { azp: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
  ['a token with an audience', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
  ['a token without an origin', { azp: undefined }, 'CLAIM_MISSING'],
  ['a token of a JWT template', { sid: undefined }, 'CLAIM_MISSING'],
  ['a pending session', { sts: 'pending' }, 'CLAIM_INVALID'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
