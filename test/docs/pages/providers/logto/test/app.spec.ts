import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('logto');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['read:orders'] });
});

it.each([['a token for an organization', { aud: 'urn:logto:organization:1' }, 'AUDIENCE_MISMATCH']])(
  'rejects %s',
  async (_name, change, code) => {
    await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
  },
);
