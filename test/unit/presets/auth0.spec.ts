import { describe, expect, it } from '@jest/globals';
import { auth0 } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles: "Auth0 profile sample token".
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    iss: 'https://my-domain.auth0.com/',
    sub: 'auth0|123456',
    aud: ['https://example.com/health-api', 'https://my-domain.auth0.com/userinfo'],
    azp: 'my_client_id',
    scope: 'openid profile read:patients read:admin',
    permissions: ['create:bar', 'read:bar'],
    'https://example.com/roles': ['admin'],
  },
).publish(
  'https://my-domain.auth0.com/.well-known/openid-configuration',
  'https://my-domain.auth0.com/',
  'https://my-domain.auth0.com/.well-known/jwks.json',
);
const options = auth0({ domain: 'my-domain.auth0.com', audience: 'https://example.com/health-api' });

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

  it('reads roles from the namespaced claim that it is told', async () => {
    const withRoles = auth0({
      domain: 'my-domain.auth0.com',
      audience: 'https://example.com/health-api',
      rolesClaim: 'https://example.com/roles',
    });
    expect((await provider.verify(withRoles, provider.token())).roles).toEqual(['admin']);
  });

  it('takes the dots of a claim for a part of its name', async () => {
    const withRoles = auth0({
      domain: 'my-domain.auth0.com',
      audience: 'https://example.com/health-api',
      rolesClaim: 'example.com/roles',
    });
    const token = provider.token({ 'example.com/roles': ['editor'], example: { 'com/roles': ['admin'] } });
    expect((await provider.verify(withRoles, token)).roles).toEqual(['editor']);
  });

  it('takes an API of your own whose Identifier looks like one of Auth0', () => {
    for (const audience of ['https://api.example.com/userinfo', 'https://api.example.com/api/v2/'])
      expect(auth0({ domain: 'my-domain.auth0.com', audience }).audience).toEqual([audience]);
  });

  it('takes a custom domain for the issuer', () => {
    expect(auth0({ domain: 'Login.Example.com', audience: 'api' }).issuer).toBe('https://login.example.com/');
  });

  it.each([
    ['without the slash of the issuer', { iss: 'https://my-domain.auth0.com' }, 'ISSUER_UNTRUSTED'],
    ['of another tenant', { iss: 'https://other.auth0.com/' }, 'ISSUER_UNTRUSTED'],
    ['for userinfo only', { aud: 'https://my-domain.auth0.com/userinfo' }, 'AUDIENCE_MISMATCH'],
    ['that is an ID token, for the client', { aud: 'my_client_id', nonce: 'n' }, 'AUDIENCE_MISMATCH'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('refuses HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it.each([
    [
      { domain: 'https://tenant.auth0.com/', audience: 'api' },
      "auth0().domain: must be a host alone, without a scheme and without a slash: write 'tenant.auth0.com'",
    ],
    [
      { domain: 'tenant.auth0.com/', audience: 'api' },
      "auth0().domain: must be a host alone, without a scheme and without a slash: write 'tenant.auth0.com'",
    ],
    [
      { domain: 'tenant', audience: 'api' },
      "auth0().domain: must be a host alone, without a scheme and without a slash: write 'tenant.eu.auth0.com'",
    ],
    [
      { domain: 'undefined.auth0.com', audience: 'api' },
      'auth0().domain: is "undefined.auth0.com". Set the variable that it comes from.',
    ],
    [
      { domain: undefined, audience: 'api' },
      "auth0().domain: is missing. Set it to the host of the issuer, 'tenant.eu.auth0.com' say.",
    ],
    [
      { domain: '', audience: 'api' },
      "auth0().domain: is missing. Set it to the host of the issuer, 'tenant.eu.auth0.com' say.",
    ],
    [
      { domain: 'tenant.auth0.com' },
      "auth0().audience: is missing. Set it to the Identifier of your API in Auth0, 'https://api.example.com' say.",
    ],
    [
      { domain: 'tenant.auth0.com', audience: [] },
      'auth0().audience: is an empty list. Set it to a non-empty list of strings.',
    ],
    [
      { domain: 'tenant.auth0.com', audience: ['api', ''] },
      'auth0().audience[1]: is "". Set it to a non-empty string.',
    ],
    [
      { domain: 'tenant.auth0.com', audience: 'https://tenant.auth0.com/userinfo' },
      'auth0().audience: must not be "https://tenant.auth0.com/userinfo", which every token names that was asked for with the scope openid: name your own API',
    ],
    [
      { domain: 'login.example.com', audience: ['api', 'https://login.example.com/userinfo'] },
      'auth0().audience: must not be "https://login.example.com/userinfo", which every token names that was asked for with the scope openid: name your own API',
    ],
    [
      { domain: 'login.example.com', audience: 'https://tenant.eu.auth0.com/api/v2/' },
      'auth0().audience: must not be "https://tenant.eu.auth0.com/api/v2/", whose tokens are for the Management API of Auth0: name your own API',
    ],
    [
      { domain: 'tenant.auth0.com', audience: 'https://tenant.auth0.com/api/v2' },
      'auth0().audience: must not be "https://tenant.auth0.com/api/v2", whose tokens are for the Management API of Auth0: name your own API',
    ],
    [
      { domain: 'tenant.auth0.com', audience: '<your API>' },
      'auth0().audience: is "<your API>". Replace this placeholder with the value.',
    ],
    [
      { domain: 'tenant.auth0.com', audience: ['api', '<your API>'] },
      'auth0().audience[1]: is "<your API>". Replace this placeholder with the value.',
    ],
    [
      { domain: 'tenant.auth0.com', audience: ['https://api.undefined.com'] },
      'auth0().audience[0]: is "https://api.undefined.com". Set the variable that it comes from.',
    ],
    [
      { domain: 'tenant.auth0.com', audience: 'api', rolesClaim: undefined },
      'auth0().rolesClaim: is undefined: set the variable that it comes from, or leave it out',
    ],
    [
      { domain: 'tenant.auth0.com', audience: 'api', scope: 'x' },
      'auth0().scope: is unknown. Use one of domain, audience, rolesClaim.',
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => auth0(given as never))).toEqual([problem]);
  });

  it('says all that is wrong at once, also when it is given nothing', () => {
    expect(problemsOf(() => auth0({ domain: 'http://x', audience: '' }))).toHaveLength(2);
    expect(problemsOf(() => auth0(undefined as never))).toHaveLength(3);
  });
});
