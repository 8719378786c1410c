import { describe, expect, it } from '@jest/globals';
import { betterAuth } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const app = 'https://app.example.com';
const claims = { id: 'Xk893', email: 'user@example.com', role: 'editor', sub: 'Xk893', iss: app, aud: app };
// https://better-auth.com/docs/plugins/jwt; the header has neither typ nor anything else beside alg and kid.
const documented = (jwks = 'https://app.example.com/api/auth/jwks') =>
  new Provider(claims, {}, 'EdDSA', 'ed25519').publishKeys(jwks);
const provider = documented();
const options = betterAuth({ baseUrl: 'https://app.example.com' });

describe('betterAuth', () => {
  it('accepts a token of the jwt plugin, with the role of the admin plugin', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['editor']);
    expect(provider.fetched).toEqual(['https://app.example.com/api/auth/jwks']);
  });

  it.each([
    [{ baseUrl: 'https://app.example.com/', basePath: '/auth' }, 'https://app.example.com/auth/jwks'],
    [{ baseUrl: 'https://app.example.com/v2/auth' }, 'https://app.example.com/v2/auth/jwks'],
  ])('finds the keys with the options %j', async (given, jwks) => {
    const provider = documented(jwks);
    expect(await provider.outcome(betterAuth(given), provider.token())).toBe('accepted');
  });

  it('accepts another issuer and audience of the plugin', async () => {
    const [issuer, audience] = ['https://example.com', 'orders-api'];
    const given = betterAuth({ baseUrl: app, audience, issuer });
    expect(await provider.outcome(given, provider.token({ iss: issuer, aud: audience }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token({ iss: issuer }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(given, provider.token({ aud: audience }))).toBe('ISSUER_UNTRUSTED');
  });

  rejectsTokens(provider, options, [
    ['for another audience', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of another application', { iss: 'https://other.example.com' }, 'ISSUER_UNTRUSTED'],
  ]);

  it('rejects HS256, which Better Auth uses for cookies, and an algorithm that is not configured', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    const other = new Provider(claims, {}, 'ES256', 'p-256').publishKeys('https://app.example.com/api/auth/jwks');
    expect(await other.outcome(options, other.token())).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await other.outcome({ ...options, algorithms: ['ES256'] }, other.token())).toBe('accepted');
  });

  rejectsOptions(betterAuth, { baseUrl: 'https://app.example.com' }, [
    [{ basePath: 'auth/' }, 'basePath: is "auth/". Set it to the path of Better Auth without a trailing slash'],
    [{ baseUrl: 'https://app.example.com/auth', basePath: '/auth' }, 'basePath: is set beside a `baseUrl` with a path'],
  ]);
});
