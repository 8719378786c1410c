import { describe, expect, it } from '@jest/globals';
import { supabase } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const iss = 'https://abcdefghijklmnopqrst.supabase.co/auth/v1';
// https://supabase.com/docs/guides/auth/jwt-fields: "Authenticated user token".
const claims = {
  aal: 'aal1',
  amr: [{ method: 'password', timestamp: 1_640_991_600 }],
  app_metadata: { provider: 'email', providers: ['email'], roles: ['editor'] },
  aud: 'authenticated',
  email: 'user@example.com',
  iss,
  phone: '',
  role: 'authenticated',
  session_id: '123e4567-e89b-12d3-a456-426614174000',
  sub: '123e4567-e89b-12d3-a456-426614174000',
  user_metadata: { name: 'John Doe', roles: ['admin'] },
  is_anonymous: false,
};
const provider = new Provider('ES256', 'p-256', { typ: 'JWT' }, claims).publishKeys(`${iss}/.well-known/jwks.json`);
const options = supabase({ projectRef: 'abcdefghijklmnopqrst' });

describe('supabase', () => {
  it('accepts an access token of a user, with its Postgres role', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['authenticated']);
  });

  it('accepts one that is signed with RSA', async () => {
    const rsa = new Provider('RS256', 'rsa', { typ: 'JWT' }, claims).publishKeys(`${iss}/.well-known/jwks.json`);
    expect(await rsa.outcome(options, rsa.token())).toBe('accepted');
  });

  it('reads roles of your own from where it is told', async () => {
    const given = supabase({ projectRef: 'abcdefghijklmnopqrst', rolesClaim: 'app_metadata.roles' });
    expect((await provider.verify(given, provider.token())).roles).toEqual(['authenticated', 'editor']);
  });

  it('takes the address of a custom domain', () => {
    const given = supabase({ url: 'https://api.example.com/' });
    expect(given.issuer).toBe('https://api.example.com/auth/v1');
    expect(given.keys).toEqual({ from: 'jwks', uri: 'https://api.example.com/auth/v1/.well-known/jwks.json' });
  });

  it('refuses a token that is signed with the legacy JWT secret (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it('answers 503 while the project has no asymmetric key (KEYS_UNAVAILABLE)', async () => {
    const legacy = new Provider('ES256', 'p-256', {}, claims);
    expect(await legacy.outcome(options, legacy.token())).toBe('KEYS_UNAVAILABLE');
  });

  it.each([
    ['of another project', { iss: 'https://other.supabase.co/auth/v1' }, 'ISSUER_UNTRUSTED'],
    ['that is the anon key', { iss: 'supabase', aud: undefined, role: 'anon' }, 'ISSUER_UNTRUSTED'],
    ['that is the service_role key', { iss: 'supabase', aud: undefined, role: 'service_role' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: `${iss}/` }, 'ISSUER_UNTRUSTED'],
    ['for another audience', { aud: 'anon' }, 'AUDIENCE_MISMATCH'],
  ])('refuses a token %s (%s → %s)', async (_what, changed, code) => {
    expect(await provider.outcome(options, provider.token(changed))).toBe(code);
  });

  it.each([
    [{}, "supabase().projectRef: is missing. Set it to the reference of the project, 'abcdefghijklmnopqrst' say."],
    [
      { projectRef: undefined },
      "supabase().projectRef: is missing. Set it to the reference of the project, 'abcdefghijklmnopqrst' say.",
    ],
    [
      { projectRef: 'https://abc.supabase.co' },
      "supabase().projectRef: must be the reference alone, 'abcdefghijklmnopqrst' say; a whole address goes into `url`",
    ],
    [{ url: undefined }, "supabase().url: is missing. Set it to the address, 'https://api.example.com' say."],
    [
      { url: 'https://undefined.supabase.co' },
      'supabase().url: is "https://undefined.supabase.co". Set the variable that it comes from.',
    ],
    [{ url: 'https://abc.supabase.co/auth/v1' }, 'supabase().url: must end before /auth/v1, which is put behind it'],
    [{ url: 'https://a.example.com', projectRef: 'abc' }, 'supabase().projectRef: give either that or `url`'],
    [
      { projectRef: 'abc', audience: '' },
      "supabase().audience: is missing. Set it to what the tokens name in `aud`, 'authenticated' say.",
    ],
    [
      { projectRef: 'abc', rolesClaim: 'user_metadata.roles' },
      'supabase().rolesClaim: must not be in user_metadata, which users write themselves: use app_metadata',
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => supabase(given as never))).toEqual([problem]);
  });
});
