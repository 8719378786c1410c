import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('adfs');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: ['openid'], roles: ['Domain Users', 'support'] });
});

it.each([
  ['a token for UserInfo', { aud: 'urn:microsoft:userinfo' }, 'AUDIENCE_MISMATCH'],
  ['a token without a client', { appid: undefined }, 'CLAIM_MISSING'],
  ['an ID token', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
