import { describe, expect, it } from '@jest/globals';
import { kinde } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const iss = 'https://shop.kinde.com';
const audience = 'https://api.example.com';
// https://docs.kinde.com/build/tokens/about-access-tokens/#example-access-token
const provider = new Provider({
  aud: [audience],
  azp: 'dee7f3c57b3c47e8b96edde2c7ecab7d',
  feature_flags: { theme: { t: 's', v: 'pink' } },
  iss,
  jti: 'fbb6bc62-x64e-4256-8ea4-8fb9a645b123',
  org_code: 'org_xxxxxxxxx',
  permissions: ['create:competitions', 'view:stats'],
  scp: ['openid', 'profile', 'email', 'offline'],
  sub: 'kp:_xxxxxxxxx',
}).publish(iss, `${iss}/.well-known/jwks`);
const options = kinde({ domain: 'shop.kinde.com', audience });

describe('kinde', () => {
  it('accepts an access token of a user, with its permissions and scopes', async () => {
    const token = await provider.verify(options, provider.token());
    expect([token.permissions, token.scopes, token.roles]).toEqual([
      ['create:competitions', 'view:stats'],
      ['openid', 'profile', 'email', 'offline'],
      [],
    ]);
  });

  it.each([
    // https://docs.kinde.com/developer-tools/sdks/backend/nextjs-sdk/
    ['objects', [{ id: '018ee9aa-f92b-83fc-1d40-1234567890', key: 'admin', name: 'Admin' }], ['admin']],
    // https://docs.kinde.com/manage-users/roles-and-permissions/user-roles/
    ['strings', ['admin', 'owner'], ['admin', 'owner']],
  ])('reads roles that are a list of %s', async (_form, roles, expected) => {
    expect((await provider.verify(options, provider.token({ roles }))).roles).toEqual(expected);
  });

  it('accepts an M2M token, with the granted scopes instead of the requested ones', async () => {
    // https://docs.kinde.com/machine-to-machine-applications/about-m2m/token-structure-and-claims-for-m2m-applications/
    const m2m = { gty: ['client_credentials'], sub: undefined, permissions: undefined, v: '2' };
    const granted = { scope: 'read:users', scp: ['read:users', 'write:flags'] };
    const token = await provider.verify(options, provider.token({ ...m2m, ...granted }));
    expect([token.scopes, token.permissions]).toEqual([['read:users'], []]);
    expect((await provider.verify(options, provider.token({ ...m2m, ...granted, scope: '' }))).scopes).toEqual([]);
  });

  it('accepts a custom domain', () => {
    expect(kinde({ domain: 'Account.example.com', audience }).issuer).toBe('https://account.example.com');
  });

  rejectsTokens(provider, options, [
    ['for another API', { aud: ['https://billing.example.com'] }, 'AUDIENCE_MISMATCH'],
    ['for the Management API', { aud: [`${iss}/api`] }, 'AUDIENCE_MISMATCH'],
    ['that requested no audience', { aud: [] }, 'AUDIENCE_MISMATCH'],
    // https://docs.kinde.com/build/tokens/about-id-tokens/
    ['that is an ID token', { at_hash: 'VZ6cU0Ay0RKB5EosbWuTCQ', aud: [iss] }, 'TYPE_NOT_ALLOWED'],
    ['that is an ID token for the API', { at_hash: 'VZ6cU0Ay0RKB5EosbWuTCQ' }, 'TYPE_NOT_ALLOWED'],
    ['of another environment', { iss: 'https://shop-development.kinde.com' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('rejects HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  const own = 'This audience is for Kinde itself.';
  rejectsOptions(kinde, { domain: 'shop.kinde.com', audience }, [
    [{ domain: 'https://shop.kinde.com' }, 'domain: is "https://shop.kinde.com". Set it to the host of the issuer'],
    [{ audience: iss }, `audience: is "${iss}". ${own}`],
    [{ audience: 'https://shop.kinde.com/api' }, own],
    [{ domain: 'account.example.com', audience: 'https://account.example.com' }, own],
    [{ domain: 'account.example.com', audience: 'https://shop.kinde.com/api' }, own],
    [{ audience: undefined }, 'audience: is missing. Set it to the Audience of your API in Kinde'],
  ]);
});
