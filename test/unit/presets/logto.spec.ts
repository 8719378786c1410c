import { describe, expect, it } from '@jest/globals';
import { logto } from '../../../src/presets.js';
import type { KeyKind } from '../../support/local-issuer.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const iss = 'https://abc123.logto.app/oidc';
const claims = {
  jti: 'VvI8tc1bRJhQkBDgBLcUk',
  sub: 'foo',
  iss,
  client_id: 'client',
  aud: 'https://api.example.com',
  scope: 'read:orders write:orders',
};
// https://docs.logto.io/authorization/validate-access-tokens
const documented = (alg: string, kind: KeyKind) =>
  new Provider(alg, kind, { typ: 'at+jwt' }, claims).publish(
    `${iss}/.well-known/openid-configuration`,
    iss,
    `${iss}/jwks`,
  );
const provider = documented('ES384', 'p-384');
const options = logto({ tenant: 'abc123', resource: 'https://api.example.com' });

describe('logto', () => {
  it('accepts an access token, with its scopes', async () => {
    expect((await provider.verify(options, provider.token())).scopes).toEqual(['read:orders', 'write:orders']);
  });

  it('accepts one that is signed with RSA', async () => {
    const rsa = documented('RS256', 'rsa');
    expect(await rsa.outcome(options, rsa.token())).toBe('accepted');
  });

  it('accepts one that is signed with Ed25519', async () => {
    const edwards = documented('EdDSA', 'ed25519');
    expect(await edwards.outcome(options, edwards.token())).toBe('accepted');
  });

  it('takes an endpoint of its own', () => {
    expect(logto({ endpoint: 'https://auth.example.com/', resource: 'x' }).issuer).toBe(
      'https://auth.example.com/oidc',
    );
  });

  it.each([
    ['of another tenant', { iss: 'https://other.logto.app/oidc' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: `${iss}/` }, 'ISSUER_UNTRUSTED'],
    ['for another resource', { aud: 'https://abc123.logto.app/api' }, 'AUDIENCE_MISMATCH'],
    ['for an organization', { aud: 'urn:logto:organization:abc123' }, 'AUDIENCE_MISMATCH'],
  ])('refuses a token %s (%s → %s)', async (_what, changed, code) => {
    expect(await provider.outcome(options, provider.token(changed))).toBe(code);
  });

  it('refuses an ID token (TYPE_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, provider.token({}, { typ: 'JWT' }))).toBe('TYPE_NOT_ALLOWED');
    expect(await provider.outcome(options, provider.token({}, { typ: undefined }))).toBe('TYPE_NOT_ALLOWED');
  });

  it('refuses HS256 and opaque tokens', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await provider.outcome(options, '1cpPQ3vtoPQ4GQu4mbf6rqgKcTBAHpOmiyZBgtbqbXg')).toBe('TOKEN_MALFORMED');
  });

  it.each([
    [{ resource: 'x' }, "logto().tenant: is missing. Set it to the id of your tenant in Logto Cloud, 'abc123' say."],
    [
      { tenant: 'https://abc123.logto.app', resource: 'x' },
      "logto().tenant: must be the id alone, 'abc123' say; a whole address goes into `endpoint`",
    ],
    [
      { endpoint: 'https://abc123.logto.app/oidc', resource: 'x' },
      'logto().endpoint: must end before /oidc, which is put behind it',
    ],
    [
      { endpoint: 'abc123.logto.app', resource: 'x' },
      "logto().endpoint: must be an address without credentials, query and fragment: 'https://auth.example.com' say",
    ],
    [
      { endpoint: 'https://a.example.com', tenant: 'a', resource: 'x' },
      'logto().tenant: give either that or `endpoint`',
    ],
    [
      { tenant: 'abc123' },
      "logto().resource: is missing. Set it to the API Identifier of your API in Logto, 'https://api.example.com' say.",
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => logto(given as never))).toEqual([problem]);
  });
});
