import { describe, expect, it } from '@jest/globals';
import { firebase } from '../../../src/presets.js';
import { problemsOf, Provider, symmetric } from '../../support/provider.js';

const jwks = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';
// https://firebase.google.com/docs/auth/admin/verify-id-tokens#verify_id_tokens_using_a_third-party_jwt_library
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    iss: 'https://securetoken.google.com/my-project-1a2b3',
    aud: 'my-project-1a2b3',
    auth_time: 1_700_000_000,
    user_id: 'Xk893',
    sub: 'Xk893',
    email: 'user@example.com',
    email_verified: true,
    firebase: { identities: { email: ['user@example.com'] }, sign_in_provider: 'password' },
    roles: ['editor'],
  },
).publishKeys(jwks);
const options = firebase({ projectId: 'my-project-1a2b3' });
const tomorrow = Math.floor(Date.now() / 1000) + 86_400;

describe('firebase', () => {
  it('accepts an ID token, with the roles of its custom claim', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['editor']);
    expect(provider.fetched).toEqual([jwks]);
  });

  it('reads the custom claim that it is told', async () => {
    const given = firebase({ projectId: 'my-project-1a2b3', rolesClaim: 'level' });
    expect((await provider.verify(given, provider.token({ level: 'gold' }))).roles).toEqual(['gold']);
  });

  it.each([
    ['of another project', { iss: 'https://securetoken.google.com/other', aud: 'other' }, 'ISSUER_UNTRUSTED'],
    ['for another project', { aud: 'other' }, 'AUDIENCE_MISMATCH'],
    ['that is a session cookie', { iss: 'https://session.firebase.google.com/my-project-1a2b3' }, 'ISSUER_UNTRUSTED'],
    ['of nobody', { sub: '' }, 'CLAIM_INVALID'],
    ['without a user', { sub: undefined }, 'CLAIM_MISSING'],
    ['of a sign-in of tomorrow', { auth_time: tomorrow }, 'CLAIM_INVALID'],
    ['of a sign-in at a time in words', { auth_time: '1700000000' }, 'CLAIM_INVALID'],
    ['that does not say when the user signed in', { auth_time: undefined }, 'CLAIM_MISSING'],
    ['that does not say when it was issued', { iat: undefined }, 'CLAIM_MISSING'],
  ])('refuses a token %s (%s → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('refuses HS256, and the unsigned tokens of the emulator (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    const [, payload = ''] = provider.token().split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    expect(await provider.outcome(options, `${header}.${payload}.AA`)).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it.each([
    [
      { projectId: '123456789012' },
      "firebase().projectId: is the project's number; tokens name its id, 'my-project-1a2b3' say",
    ],
    [
      { projectId: 'My Project' },
      "firebase().projectId: must be the project's id alone: small letters, digits and hyphens",
    ],
    [
      { projectId: 'https://securetoken.google.com/x' },
      "firebase().projectId: must be the project's id alone: small letters, digits and hyphens",
    ],
    [
      { projectId: undefined },
      "firebase().projectId: is missing. Set it to the id of the project, 'my-project-1a2b3' say.",
    ],
    [{ projectId: 'undefined' }, 'firebase().projectId: is "undefined". Set the variable that it comes from.'],
    [{ projectId: 'p-1', rolesClaim: '' }, "firebase().rolesClaim: is missing. Set it to a custom claim, 'roles' say."],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => firebase(given as never))).toEqual([problem]);
  });
});
