import { describe, expect, it } from '@jest/globals';
import { workos } from '../../../src/presets.js';
import { adviceOf } from '../../../src/presets/provider.js';
import { workosProvider } from '../../../src/presets/workos.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const clientId = 'client_123456789';
// https://workos.com/docs/reference/authkit/session-tokens, with the issuer of environments from after the middle of 2025
// (https://github.com/workos/workos-node/pull/1694)
const claims = {
  iss: `https://api.workos.com/user_management/${clientId}`,
  sub: 'user_01HBEQKA6K4QJAS93VPE39W1JT',
  org_id: 'org_01HRDMC6CM357W30QMHMQ96Q0S',
  role: 'member',
  roles: ['member', 'support'],
  permissions: ['posts:read', 'posts:write'],
  entitlements: ['audit-logs'],
  sid: 'session_01HQSXZGF8FHF7A9ZZFCW4387R',
  jti: '01HQSXZXPPFPKMDD32RKTFY6PV',
};
const provider = new Provider(claims).publishKeys(`https://api.workos.com/sso/jwks/${clientId}`);
const options = workos({ clientId });

describe('workos', () => {
  it('accepts a session token, with its roles and permissions', async () => {
    const token = await provider.verify(options, provider.token());
    expect(token.roles).toEqual(['member', 'support']);
    expect(token.permissions).toEqual(['posts:read', 'posts:write']);
  });

  it('accepts a token with one role, and one without an organization', async () => {
    const one = await provider.verify(options, provider.token({ roles: undefined }));
    expect(one.roles).toEqual(['member']);
    const outside = { org_id: undefined, role: undefined, roles: undefined, permissions: undefined };
    expect((await provider.verify(options, provider.token(outside))).roles).toEqual([]);
  });

  rejectsTokens(provider, options, [
    ['of another client', { iss: 'https://api.workos.com/user_management/client_987654321' }, 'ISSUER_UNTRUSTED'],
    ['with the issuer of all environments', { iss: 'https://api.workos.com' }, 'ISSUER_UNTRUSTED'],
    ['of a Connect application', { iss: 'https://acme.authkit.app', aud: clientId }, 'ISSUER_UNTRUSTED'],
    ['with an audience', { aud: clientId }, 'AUDIENCE_MISMATCH'],
    ['without a session', { sid: undefined }, 'CLAIM_MISSING'],
    ['without a user', { sub: undefined }, 'CLAIM_MISSING'],
  ]);

  it('does not fetch the keys of another environment', async () => {
    const other = workos({ clientId: 'client_987654321', issuer: claims.iss });
    expect(await provider.outcome(other, provider.token())).toBe('KEYS_UNAVAILABLE');
  });

  it('requires `aud` with the option `audience`', async () => {
    const api = workos({ clientId, audience: 'https://api.example.com' });
    expect(await provider.outcome(api, provider.token({ aud: 'https://api.example.com' }))).toBe('accepted');
    expect(await provider.outcome(api, provider.token({ aud: 'https://other.example.com' }))).toBe('AUDIENCE_MISMATCH');
    expect(await provider.outcome(api, provider.token())).toBe('CLAIM_MISSING');
  });

  it.each(['https://api.workos.com', 'https://api.example.com'])(
    'requires the client in `client_id` if the issuer does not name it: %s',
    async (iss) => {
      const legacy = new Provider({ ...claims, iss }).publishKeys(`${iss}/sso/jwks/${clientId}`);
      const own = workos({ clientId, issuer: iss });
      expect(await legacy.outcome(own, legacy.token({ client_id: clientId }))).toBe('accepted');
      expect(await legacy.outcome(own, legacy.token({ client_id: 'client_987654321' }))).toBe('CLAIM_INVALID');
      expect(await legacy.outcome(own, legacy.token())).toBe('CLAIM_MISSING');
    },
  );

  it('accepts the issuer of a custom domain that names the client, with the keys of that domain', async () => {
    const iss = `https://api.example.com/user_management/${clientId}`;
    const custom = new Provider({ ...claims, iss }).publishKeys(`https://api.example.com/sso/jwks/${clientId}`);
    expect(await custom.outcome(workos({ clientId, issuer: iss }), custom.token())).toBe('accepted');
  });

  rejectsOptions(workos, { clientId }, [
    [{ clientId: 'user_123' }, 'clientId: is "user_123". Set it to the Client ID of the environment'],
    [{ issuer: 'api.workos.com' }, 'issuer: is "api.workos.com". Set it to the exact `iss` of the tokens'],
    [{ audience: [] }, 'audience: is an empty list'],
  ]);
});

describe('The advice on another issuer', () => {
  it('names the option for the issuer of older environments', () => {
    const advice = (named: string) => adviceOf(workosProvider, 'ISSUER_UNTRUSTED', { issuer: claims.iss, named });
    expect(advice('https://api.workos.com')).toContain("set issuer: 'https://api.workos.com'");
    expect(advice('https://api.workos.com/')).toContain("set issuer: 'https://api.workos.com/'");
    expect(advice('https://evil.example')).toBeUndefined();
  });
});
