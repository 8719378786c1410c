import { describe, expect, it } from '@jest/globals';
import { workosConnect } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://youthful-ginger-43.authkit.app';
// https://workos.com/docs/authkit/connect/token-claims and https://workos.com/docs/reference/workos-connect/token
const provider = new Provider({
  iss,
  aud: 'https://api.example.com',
  sub: 'user_01JQ0E27VT3MH79RY0FVA4QBP9',
  client_id: 'client_01JP8BD0CZ401TDF9X54NT5ZEK',
  org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
  sid: 'app_consent_01JQ0E27WE4K1RCMH7Q094M1GJ',
  scope: 'openid orders:read',
  jti: '01JQ0E27ZXE4XNHVP870S6PWYN',
}).publish(iss, `${iss}/oauth2/jwks`);
const arguments_ = { authkitDomain: 'youthful-ginger-43.authkit.app', audience: 'https://api.example.com' };
const options = workosConnect(arguments_);

describe('workosConnect', () => {
  it('accepts the access token of a user, with its scopes, without roles and permissions', async () => {
    const token = await provider.verify(options, provider.token({ roles: ['admin'], permissions: ['a'] }));
    expect([token.scopes, token.roles, token.permissions]).toEqual([['openid', 'orders:read'], [], []]);
  });

  it('accepts a machine-to-machine token for the environment', async () => {
    const machine = { aud: 'client_123456789', sub: 'client_01JP8BD0CZ401TDF9X54NT5ZEK', sid: undefined };
    const environment = workosConnect({ ...arguments_, audience: 'client_123456789' });
    expect(await provider.outcome(environment, provider.token(machine))).toBe('accepted');
    expect(await provider.outcome(options, provider.token(machine))).toBe('AUDIENCE_MISMATCH');
  });

  rejectsTokens(provider, options, [
    ['of another environment', { iss: 'https://evil.authkit.app' }, 'ISSUER_UNTRUSTED'],
    ['of an AuthKit session', { iss: 'https://api.workos.com/user_management/client_123456789' }, 'ISSUER_UNTRUSTED'],
    ['for another resource', { aud: 'https://other.example.com' }, 'AUDIENCE_MISMATCH'],
    ['without an audience', { aud: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token', { jti: undefined, sid: undefined, scope: undefined }, 'CLAIM_MISSING'],
    ['without a subject', { sub: undefined }, 'CLAIM_MISSING'],
  ]);

  rejectsOptions(workosConnect, arguments_, [
    [{ authkitDomain: iss }, 'Set it to the host of the issuer without scheme and slash'],
    [{ audience: [] }, 'audience: is an empty list'],
  ]);
});
