import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('github');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

it.each([
  ['a token of another repository', { repository: 'octo-org/other' }, 'CLAIM_INVALID'],
  ['a job without an environment', { environment: undefined }, 'CLAIM_MISSING'],
  ['a token for the default audience', { aud: 'https://github.com/octo-org' }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
