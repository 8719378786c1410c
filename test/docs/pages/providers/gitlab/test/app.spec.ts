import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('gitlab');

it('accepts the token of the page', async () => {
  expect(await verifyWith(auth, claims)).toMatchObject({ scopes: [], roles: [] });
});

it.each([
  ['a token of another project', { project_path: 'my-group/other' }, 'CLAIM_INVALID'],
  ['a new owner of the path', { namespace_id: '99' }, 'CLAIM_INVALID'],
  ['a branch that is not protected', { ref_protected: 'false' }, 'CLAIM_INVALID'],
  ['the ID token of a user', { project_id: undefined }, 'CLAIM_MISSING'],
  ['a token for another audience', { aud: 'https://gitlab.com' }, 'AUDIENCE_MISMATCH'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});
