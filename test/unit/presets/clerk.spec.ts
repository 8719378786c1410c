import { describe, expect, it } from '@jest/globals';
import { clerk } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://clerk.example.com';
// https://clerk.com/docs/guides/sessions/session-tokens, version 2
const provider = new Provider(
  {
    azp: 'https://example.com',
    iss,
    jti: '1234567890',
    sid: 'sess_123',
    sub: 'user_123',
    v: 2,
    o: { id: 'org_123', slg: 'org-slug', rol: 'admin', per: 'manage,read', fpm: '3,2' },
  },
  { typ: 'JWT', cat: 'cl_B7d4PD111AAA', oiat: 1 },
).publishKeys(`${iss}/.well-known/jwks.json`);
const instance = {
  frontendApiUrl: 'https://clerk.example.com',
  authorizedParties: ['https://example.com', 'http://localhost:3000'],
};

describe('clerk', () => {
  it('accepts a session token of version 2, with the role in the organization', async () => {
    const token = await provider.verify(clerk(instance), provider.token());
    expect([token.roles, token.permissions]).toEqual([['admin'], []]);
  });

  it('accepts a session token of version 1, with its role and permissions', async () => {
    const version1 = { v: undefined, o: undefined, org_role: 'org:admin', org_permissions: ['org:orders:read'] };
    const token = await provider.verify(clerk(instance), provider.token({ ...version1, azp: 'http://localhost:3000' }));
    expect([token.roles, token.permissions]).toEqual([['org:admin'], ['org:orders:read']]);
  });

  rejectsTokens(provider, clerk(instance), [
    ['issued to another origin', { azp: 'https://evil.example' }, 'AUDIENCE_MISMATCH'],
    ['issued to a subdomain', { azp: 'https://sub.example.com' }, 'AUDIENCE_MISMATCH'],
    ['without an origin', { azp: undefined }, 'CLAIM_MISSING'],
    ['issued to several', { azp: ['https://example.com'] }, 'CLAIM_INVALID'],
    ['of a pending session', { sts: 'pending' }, 'CLAIM_INVALID'],
    ['without a session (a JWT template)', { sid: undefined }, 'CLAIM_MISSING'],
    ['with a customized `aud` of another API', { aud: 'https://hasura.example' }, 'AUDIENCE_MISMATCH'],
    ['of another instance', { iss: 'https://other.clerk.accounts.dev' }, 'ISSUER_UNTRUSTED'],
  ]);

  it.each(['at+jwt', undefined])('rejects a token of the type %s (TYPE_NOT_ALLOWED)', async (typ) => {
    expect(await provider.outcome(clerk(instance), provider.token({}, { typ }))).toBe('TYPE_NOT_ALLOWED');
  });

  // https://clerk.com/docs/reference/backend/instance/update: allowedOrigins.
  it.each(['chrome-extension://abcdefgh', 'capacitor://localhost:3000', 'my-app://localhost'])(
    'accepts the origin of an extension or a web view: %s',
    async (origin) => {
      const options = clerk({ ...instance, authorizedParties: [origin] });
      expect(await provider.outcome(options, provider.token({ azp: origin }))).toBe('accepted');
      expect(await provider.outcome(options, provider.token())).toBe('AUDIENCE_MISMATCH');
    },
  );

  it('requires `aud` with the option `audience`', async () => {
    const options = clerk({ ...instance, audience: 'api' });
    expect(await provider.outcome(options, provider.token({ aud: 'api' }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ aud: 'x' }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(options, provider.token())).toBe('CLAIM_MISSING');
  });

  it('accepts a pending session with `allowPendingSessions`', async () => {
    const options = clerk({ ...instance, allowPendingSessions: true });
    expect(await provider.outcome(options, provider.token({ sts: 'pending' }))).toBe('accepted');
  });

  rejectsOptions(clerk, instance, [
    [{ authorizedParties: [] }, 'authorizedParties: is an empty list'],
    [{ authorizedParties: 'chrome-extension://' }, 'authorizedParties: is "chrome-extension://". Set the variable'],
    ...['https://example.com/', 'chrome-extension://abc/', 'capacitor:localhost', 'http://user@localhost'].map(
      (party) => [{ authorizedParties: [party] }, 'Set it to the origin of your front end'] as const,
    ),
    ...['https://example.com:443', '*'].map(
      (party) => [{ authorizedParties: party }, `authorizedParties: is "${party}". Set it to the origin`] as const,
    ),
  ]);
});
