import { describe, expect, it } from '@jest/globals';
import { ory } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const issuer = 'https://happy-cat-1.projects.oryapis.com';
// The claims that `Session.GetJWTClaims` and `JWTClaims.ToMap` of Ory Hydra write (https://github.com/ory/hydra/blob/master/oauth2/session.go),
// with a custom claim as in https://www.ory.com/docs/oauth2-oidc/jwt-access-token
const claims = {
  iss: issuer,
  sub: '9d1c2b8e-6a0f-4b7e-9a53-2f1f6f0e7d11',
  aud: ['https://api.example.com'],
  client_id: '7c9d6f0a-1f8e-4b3a-8f5e-3a0c1f2d4b5e',
  jti: '0b6c9b7e-0d2c-4c39-8c6e-5a8e4b1f7a90',
  scp: ['offline_access', 'orders:read'],
  ext: { roles: ['support'] },
};
const provider = new Provider(claims).publish(issuer, `${issuer}/.well-known/jwks.json`);
const arguments_ = { issuer, audience: 'https://api.example.com' };

describe('ory', () => {
  it('accepts a JWT access token, with the scopes and the roles of `ext`', async () => {
    const token = await provider.verify(ory(arguments_), provider.token());
    expect([token.scopes, token.roles]).toEqual([['offline_access', 'orders:read'], ['support']]);
  });

  it('reads scopes in a text, and roles at the top level', async () => {
    const others = { scp: undefined, scope: 'orders:read orders:write', ext: undefined, groups: ['admin'] };
    const token = await provider.verify(ory({ ...arguments_, rolesClaim: 'groups' }), provider.token(others));
    expect([token.scopes, token.roles]).toEqual([['orders:read', 'orders:write'], ['admin']]);
  });

  it('accepts an issuer with a slash at its end', async () => {
    const iss = 'https://hydra.example.com/';
    const hydra = new Provider({ ...claims, iss }).publish(
      iss,
      'https://hydra.example.com/.well-known/jwks.json',
      'https://hydra.example.com/.well-known/openid-configuration',
    );
    expect(await hydra.outcome(ory({ ...arguments_, issuer: iss }), hydra.token())).toBe('accepted');
  });

  rejectsTokens(provider, ory(arguments_), [
    ['of another project', { iss: 'https://evil.projects.oryapis.com' }, 'ISSUER_UNTRUSTED'],
    ['for another audience', { aud: ['https://other.example.com'] }, 'AUDIENCE_MISMATCH'],
    ['whose client requested no audience', { aud: [] }, 'AUDIENCE_MISMATCH'],
    ['that is an ID token', { client_id: undefined, scp: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token with at_hash', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ]);

  it('rejects an opaque token (TOKEN_MALFORMED)', async () => {
    const opaque = 'ory_at_JGhESDjKfHMQ8Wcy0cC3.hIQxGmX37ydn8WmKAnlD3U';
    expect(await provider.outcome(ory(arguments_), opaque)).toBe('TOKEN_MALFORMED');
  });

  rejectsOptions(ory, arguments_, [
    [{ issuer: 'happy-cat-1' }, 'issuer: is "happy-cat-1". Set it to the exact `iss` of the tokens'],
    [{ rolesClaim: '' }, 'rolesClaim: is missing'],
  ]);
});
