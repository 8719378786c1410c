import { describe, expect, it } from '@jest/globals';
import { betterAuth } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const claims = {
  id: 'Xk893',
  email: 'user@example.com',
  name: 'User',
  emailVerified: true,
  role: 'editor',
  sub: 'Xk893',
  iss: 'https://app.example.com',
  aud: 'https://app.example.com',
};
// https://better-auth.com/docs/plugins/jwt; the header has neither typ nor anything else beside alg and kid.
const documented = (jwks = 'https://app.example.com/api/auth/jwks') =>
  new Provider('EdDSA', 'ed25519', {}, claims).publishKeys(jwks);
const options = betterAuth({ baseUrl: 'https://app.example.com' });

describe('betterAuth', () => {
  it('accepts a token of the jwt plugin, with the role of the admin plugin', async () => {
    const provider = documented();
    expect((await provider.verify(options, provider.token())).roles).toEqual(['editor']);
    expect(provider.fetched).toEqual(['https://app.example.com/api/auth/jwks']);
  });

  it.each([
    [{ baseUrl: 'https://app.example.com/', basePath: '/auth' }, 'https://app.example.com/auth/jwks'],
    [{ baseUrl: 'https://app.example.com/v2/auth' }, 'https://app.example.com/v2/auth/jwks'],
  ])('finds the keys of %j', async (given, jwks) => {
    const provider = documented(jwks);
    expect(await provider.outcome(betterAuth(given), provider.token())).toBe('accepted');
  });

  it('takes the issuer and the audience of the plugin', async () => {
    const provider = documented();
    const given = betterAuth({
      baseUrl: 'https://app.example.com',
      audience: 'orders-api',
      issuer: 'https://example.com',
    });
    expect(await provider.outcome(given, provider.token({ iss: 'https://example.com', aud: 'orders-api' }))).toBe(
      'accepted',
    );
    expect(await provider.outcome(given, provider.token({ iss: 'https://example.com' }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(given, provider.token({ aud: 'orders-api' }))).toBe('ISSUER_UNTRUSTED');
  });

  it.each([
    ['for another audience', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
    ['of another application', { iss: 'https://other.example.com' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: 'https://app.example.com/' }, 'ISSUER_UNTRUSTED'],
  ])('refuses a token %s (%s → %s)', async (_what, changed, code) => {
    const provider = documented();
    expect(await provider.outcome(options, provider.token(changed))).toBe(code);
  });

  it('refuses HS256, with which Better Auth signs its cookies, and an algorithm that was not chosen', async () => {
    const provider = documented();
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    const other = new Provider('ES256', 'p-256', {}, claims).publishKeys('https://app.example.com/api/auth/jwks');
    expect(await other.outcome(options, other.token())).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await other.outcome({ ...options, algorithms: ['ES256'] }, other.token())).toBe('accepted');
  });

  it.each([
    [
      { baseUrl: 'app.example.com' },
      "betterAuth().baseUrl: must be an address without credentials, query and fragment: 'https://app.example.com' say",
    ],
    [{ baseUrl: undefined }, "betterAuth().baseUrl: is missing. Set it to the address, 'https://app.example.com' say."],
    [{ baseUrl: '' }, "betterAuth().baseUrl: is missing. Set it to the address, 'https://app.example.com' say."],
    [
      { baseUrl: 'https://app.example.com', audience: undefined },
      'betterAuth().audience: is undefined: set the variable that it comes from, or leave it out',
    ],
    [
      { baseUrl: 'https://app.example.com', basePath: 'auth/' },
      "betterAuth().basePath: must be a path without a slash behind it, '/api/auth' say",
    ],
    [
      { baseUrl: 'https://app.example.com/auth', basePath: '/auth' },
      'betterAuth().basePath: has no effect, since `baseUrl` has a path: put it there',
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => betterAuth(given as never))).toEqual([problem]);
  });
});
