import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('better-auth');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ roles: ['support'] });
});

it.each([['a token for the application', { aud: 'https://app.example.com' }, 'AUDIENCE_MISMATCH']])(
  'rejects %s',
  async (_name, change, code) => {
    await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
  },
);
