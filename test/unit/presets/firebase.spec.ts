import { describe, expect, it } from '@jest/globals';
import { firebase } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const jwks = 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com';
// https://firebase.google.com/docs/auth/admin/verify-id-tokens#verify_id_tokens_using_a_third-party_jwt_library
const provider = new Provider({
  iss: 'https://securetoken.google.com/my-project-1a2b3',
  aud: 'my-project-1a2b3',
  auth_time: 1_700_000_000,
  sub: 'Xk893',
  firebase: { identities: { email: ['user@example.com'] }, sign_in_provider: 'password' },
  roles: ['editor'],
}).publishKeys(jwks);
const options = firebase({ projectId: 'my-project-1a2b3' });
const tomorrow = Math.floor(Date.now() / 1000) + 86_400;

describe('firebase', () => {
  it('accepts an ID token, with the roles of its custom claim', async () => {
    expect((await provider.verify(options, provider.token())).roles).toEqual(['editor']);
    expect(provider.fetched).toEqual([jwks]);
  });

  it('reads roles from `rolesClaim`', async () => {
    const given = firebase({ projectId: 'my-project-1a2b3', rolesClaim: 'level' });
    expect((await provider.verify(given, provider.token({ level: 'gold' }))).roles).toEqual(['gold']);
  });

  rejectsTokens(provider, options, [
    ['of another project', { iss: 'https://securetoken.google.com/other', aud: 'other' }, 'ISSUER_UNTRUSTED'],
    ['for another project', { aud: 'other' }, 'AUDIENCE_MISMATCH'],
    ['that is a session cookie', { iss: 'https://session.firebase.google.com/my-project-1a2b3' }, 'ISSUER_UNTRUSTED'],
    ['with an empty `sub`', { sub: '' }, 'CLAIM_INVALID'],
    ['without a user', { sub: undefined }, 'CLAIM_MISSING'],
    ['with an `auth_time` in the future', { auth_time: tomorrow }, 'CLAIM_INVALID'],
    ['with an `auth_time` that is a string', { auth_time: '1700000000' }, 'CLAIM_INVALID'],
    ['without `auth_time`', { auth_time: undefined }, 'CLAIM_MISSING'],
    ['without `iat`', { iat: undefined }, 'CLAIM_MISSING'],
  ]);

  it('rejects HS256, and the unsigned tokens of the emulator (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
    const [, payload = ''] = provider.token().split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    expect(await provider.outcome(options, `${header}.${payload}.AA`)).toBe('ALGORITHM_NOT_ALLOWED');
  });

  rejectsOptions(firebase, { projectId: 'my-project-1a2b3' }, [
    ...['123456789012', 'My Project', 'https://securetoken.google.com/x'].map(
      (projectId) => [{ projectId }, 'Set it to the id of the project, not its number or name'] as const,
    ),
  ]);
});
