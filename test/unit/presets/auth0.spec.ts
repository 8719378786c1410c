import { describe, expect, it } from '@jest/globals';
import { auth0 } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles: "Auth0 profile sample token".
const provider = new Provider({
  iss: 'https://my-domain.auth0.com/',
  sub: 'auth0|123456',
  aud: ['https://example.com/health-api', 'https://my-domain.auth0.com/userinfo'],
  azp: 'my_client_id',
  scope: 'openid profile read:patients read:admin',
  permissions: ['create:bar', 'read:bar'],
  'https://example.com/roles': ['admin'],
}).publish(
  'https://my-domain.auth0.com/',
  'https://my-domain.auth0.com/.well-known/jwks.json',
  'https://my-domain.auth0.com/.well-known/openid-configuration',
);
const tenant = { domain: 'my-domain.auth0.com', audience: 'https://example.com/health-api' };
const options = auth0(tenant);

describe('auth0', () => {
  it('accepts an access token of the Auth0 profile, with its scopes and permissions', async () => {
    const token = await provider.verify(options, provider.token());
    expect(token.scopes).toEqual(['openid', 'profile', 'read:patients', 'read:admin']);
    expect(token.permissions).toEqual(['create:bar', 'read:bar']);
    expect(token.roles).toEqual([]);
  });

  it('accepts an access token of the RFC 9068 profile', async () => {
    const token = provider.token({ azp: undefined, client_id: 'my_client_id', jti: '73W' }, { typ: 'at+jwt' });
    expect(await provider.outcome(options, token)).toBe('accepted');
  });

  it('reads roles from `rolesClaim`', async () => {
    const withRoles = auth0({ ...tenant, rolesClaim: 'https://example.com/roles' });
    expect((await provider.verify(withRoles, provider.token())).roles).toEqual(['admin']);
  });

  it('does not read `rolesClaim` as a path', async () => {
    const withRoles = auth0({ ...tenant, rolesClaim: 'example.com/roles' });
    const token = provider.token({ 'example.com/roles': ['editor'], example: { 'com/roles': ['admin'] } });
    expect((await provider.verify(withRoles, token)).roles).toEqual(['editor']);
  });

  it('writes the issuer of a custom domain in lower case', () => {
    expect(auth0({ domain: 'Login.Example.com', audience: 'api' }).issuer).toBe('https://login.example.com/');
  });

  rejectsTokens(provider, options, [
    ['without the slash of the issuer', { iss: 'https://my-domain.auth0.com' }, 'ISSUER_UNTRUSTED'],
    ['of another tenant', { iss: 'https://other.auth0.com/' }, 'ISSUER_UNTRUSTED'],
    ['for userinfo only', { aud: 'https://my-domain.auth0.com/userinfo' }, 'AUDIENCE_MISMATCH'],
    ['for the client (an ID token)', { aud: 'my_client_id', nonce: 'n' }, 'AUDIENCE_MISMATCH'],
  ]);

  const ownApi = 'This is an API of Auth0. Set it to the Identifier of your own API.';
  rejectsOptions(auth0, tenant, [
    [
      { audience: 'https://Tenant.auth0.com/userinfo/' },
      `audience: is "https://Tenant.auth0.com/userinfo/". ${ownApi}`,
    ],
    [{ domain: 'a.example.com', audience: ['api', 'https://a.example.com/userinfo'] }, `userinfo". ${ownApi}`],
    [{ domain: 'a.example.com', audience: 'https://tenant.eu.auth0.com/api/v2/' }, `api/v2/". ${ownApi}`],
  ]);
});
