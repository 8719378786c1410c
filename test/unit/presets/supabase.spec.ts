import { describe, expect, it } from '@jest/globals';
import { supabase } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const iss = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1';
// https://supabase.com/docs/guides/auth/jwt-fields: "Authenticated user token".
const claims = {
  app_metadata: { provider: 'email', providers: ['email'], roles: ['editor'] },
  aud: 'authenticated',
  iss,
  role: 'authenticated',
  sub: '123e4567-e89b-12d3-a456-426614174000',
  user_metadata: { name: 'John Doe', roles: ['admin'] },
  is_anonymous: false,
};
const provider = new Provider(claims, { typ: 'JWT' }, 'ES256', 'p-256').publishKeys(`${iss}/.well-known/jwks.json`);
const options = supabase({ projectRef: 'abcdefghijklmnopqrst' });

describe('supabase', () => {
  it('accepts an access token of a user, with its Postgres role', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['authenticated']);
  });

  it('accepts an access token signed with RSA', async () => {
    const rsa = new Provider(claims).publishKeys(`${iss}/.well-known/jwks.json`);
    expect(await rsa.outcome(options, rsa.token())).toBe('accepted');
  });

  it('reads roles from `rolesClaim`', async () => {
    const given = supabase({ projectRef: 'abcdefghijklmnopqrst', rolesClaim: 'app_metadata.roles' });
    expect((await provider.verify(given, provider.token())).roles).toEqual(['authenticated', 'editor']);
  });

  it('accepts the URL of a custom domain', () => {
    const given = supabase({ url: 'https://api.example.com/' });
    expect(given.issuer).toBe('https://api.example.com/auth/v1');
    expect(given.keys).toEqual({ from: 'jwks', uri: 'https://api.example.com/auth/v1/.well-known/jwks.json' });
  });

  it('rejects a token signed with the legacy JWT secret (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  rejectsTokens(provider, options, [
    ['of another project', { iss: 'https://other.supabase.co/auth/v1' }, 'ISSUER_UNTRUSTED'],
    ['that is the anon key', { iss: 'supabase', aud: undefined, role: 'anon' }, 'ISSUER_UNTRUSTED'],
    ['that is the service_role key', { iss: 'supabase', aud: undefined, role: 'service_role' }, 'ISSUER_UNTRUSTED'],
    ['for another audience', { aud: 'anon' }, 'AUDIENCE_MISMATCH'],
  ]);

  rejectsOptions(supabase, {}, [
    [{}, 'projectRef: is missing. Set it to the reference of the project'],
    [{ projectRef: 'https://abc.supabase.co' }, 'Set it to the reference of the project'],
    [{ url: 'https://abc.supabase.co/auth/v1' }, 'Remove /auth/v1, which the preset appends.'],
    [{ url: 'https://a.example.com', projectRef: 'abc' }, 'projectRef: is set beside `url`. Remove one of them.'],
    [{ projectRef: 'abc', rolesClaim: 'user_metadata.roles' }, 'Set it to a claim that users cannot change'],
  ]);
});
