import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('dex');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: ['support'] });
});

it('rejects a token without the scope audience:server:client_id:…', async () => {
  await expect(verifyWith(auth, { ...claims, aud: 'web' })).rejects.toMatchObject({ code: 'AUDIENCE_MISMATCH' });
});
