import { describe, expect, it } from '@jest/globals';
import { googleIap } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const audience = '/projects/123456789012/locations/europe-west1/services/orders';
const keys = 'https://www.gstatic.com/iap/verify/public_key-jwk';
// The claims of https://docs.cloud.google.com/iap/docs/signed-headers-howto
const claims = {
  iss: 'https://cloud.google.com/iap',
  aud: audience,
  sub: 'accounts.google.com:113774264463038321964',
  email: 'alice@example.com',
  hd: 'example.com',
  google: { access_levels: ['accessPolicies/1234567890/accessLevels/office'] },
};
const provider = new Provider(claims, { typ: 'JWT' }, 'ES256', 'p-256').publishKeys(keys);
const options = googleIap({ audience });

describe('googleIap', () => {
  it('accepts the token of a request, without scopes, roles and permissions', async () => {
    const token = await provider.verify(options, provider.token({ scope: 'a', roles: ['b'], permissions: ['c'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it('reads the token only from the header of Identity-Aware Proxy', () => {
    expect(options.tokenFrom).toEqual([{ from: 'header', name: 'x-goog-iap-jwt-assertion', origins: [] }]);
  });

  it.each([
    '/projects/123456789012/apps/my-project',
    '/projects/123456789012/apps/example.com:my-project',
    '/projects/123456789012/global/backendServices/2547498265871930456',
  ])('accepts the audience of another kind of resource: %s', async (aud) => {
    expect(await provider.outcome(googleIap({ audience: aud }), provider.token({ aud }))).toBe('accepted');
  });

  rejectsTokens(provider, options, [
    ['of another issuer', { iss: 'https://accounts.google.com' }, 'ISSUER_UNTRUSTED'],
    [
      'for a service of another project',
      { aud: '/projects/1/locations/europe-west1/services/orders' },
      'AUDIENCE_MISMATCH',
    ],
    ['without an audience', { aud: undefined }, 'CLAIM_MISSING'],
    ['without a subject', { sub: undefined }, 'CLAIM_MISSING'],
    ['without a time', { iat: undefined }, 'CLAIM_MISSING'],
  ]);

  it('rejects RS256, with which Google signs ID tokens (ALGORITHM_NOT_ALLOWED)', async () => {
    const other = new Provider(claims).publishKeys(keys);
    expect(await other.outcome(options, other.token())).toBe('ALGORITHM_NOT_ALLOWED');
  });

  rejectsOptions(googleIap, { audience }, [
    ...['https://orders-abc.a.run.app', '/projects/my-project/apps/my-project', '/projects/123456789012'].map(
      (text) => [{ audience: text }, 'Set it to the path of the resource with the number of its project'] as const,
    ),
  ]);
});
