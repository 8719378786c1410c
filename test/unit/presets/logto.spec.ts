import { describe, expect, it } from '@jest/globals';
import { logto } from '../../../src/presets.js';
import type { KeyKind } from '../../support/local-issuer.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const iss = 'https://abc123.logto.app/oidc';
const claims = {
  sub: 'foo',
  iss,
  client_id: 'client',
  aud: 'https://api.example.com',
  scope: 'read:orders write:orders',
};
// https://docs.logto.io/authorization/validate-access-tokens
const documented = (alg: string, kind: KeyKind) =>
  new Provider(claims, { typ: 'at+jwt' }, alg, kind).publish(iss, `${iss}/jwks`);
const provider = documented('ES384', 'p-384');
const options = logto({ tenant: 'abc123', resource: 'https://api.example.com' });

describe('logto', () => {
  it('accepts an access token, with its scopes', async () => {
    expect((await provider.verify(options, provider.token())).scopes).toEqual(['read:orders', 'write:orders']);
  });

  it.each([
    ['RS256', 'rsa'],
    ['EdDSA', 'ed25519'],
  ] as const)('accepts an access token signed with %s', async (alg, kind) => {
    const rotated = documented(alg, kind);
    expect(await rotated.outcome(options, rotated.token())).toBe('accepted');
  });

  it('accepts an endpoint under a custom domain', () => {
    const { issuer } = logto({ endpoint: 'https://auth.example.com/', resource: 'x' });
    expect(issuer).toBe('https://auth.example.com/oidc');
  });

  rejectsTokens(provider, options, [
    ['of another tenant', { iss: 'https://other.logto.app/oidc' }, 'ISSUER_UNTRUSTED'],
    ['for another resource', { aud: 'https://abc123.logto.app/api' }, 'AUDIENCE_MISMATCH'],
    ['for an organization', { aud: 'urn:logto:organization:abc123' }, 'AUDIENCE_MISMATCH'],
  ]);

  it('rejects an ID token (TYPE_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, provider.token({}, { typ: 'JWT' }))).toBe('TYPE_NOT_ALLOWED');
    expect(await provider.outcome(options, provider.token({}, { typ: undefined }))).toBe('TYPE_NOT_ALLOWED');
  });

  it('rejects HS256 and opaque tokens', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    expect(await provider.outcome(options, '1cpPQ3vtoPQ4GQu4mbf6rqgKcTBAHpOmiyZBgtbqbXg')).toBe('TOKEN_MALFORMED');
  });

  rejectsOptions(logto, { resource: 'x' }, [
    [{}, 'tenant: is missing'],
    [{ tenant: 'https://abc123.logto.app' }, 'Set it to the id of your tenant in Logto Cloud'],
    [{ endpoint: 'https://abc123.logto.app/oidc' }, 'Remove /oidc, which the preset appends.'],
    [{ endpoint: 'https://a.example.com', tenant: 'a' }, 'tenant: is set beside `endpoint`. Remove one of them.'],
  ]);
});
