import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('cloudflare-access');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

it('accepts the service token of the page', async () => {
  const service = { sub: '', email: undefined, common_name: 'e367826f93b8d71185e03fe518aff3b4.access' };
  expect(await verifyWith(auth, { ...claims, ...service })).toMatchObject({ claims: { sub: '' } });
});

it.each([
  ['a token of another application', { aud: '0'.repeat(64) }, 'AUDIENCE_MISMATCH'],
  ['a global session token', { type: 'org' }, 'CLAIM_INVALID'],
  ['another service token', { sub: '', common_name: 'other.access' }, 'CLAIM_INVALID'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
