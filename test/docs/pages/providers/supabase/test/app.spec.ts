import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('supabase');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: ['authenticated', 'support'] });
});

it.each([['a token for another audience', { aud: 'other' }, 'AUDIENCE_MISMATCH']])(
  'rejects %s',
  async (_name, change, code) => {
    await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
  },
);
