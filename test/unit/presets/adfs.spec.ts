import { describe, expect, it } from '@jest/globals';
import { adfs } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const iss = 'http://SRV2016DC01.test.local/adfs/services/trust';
const audience = 'microsoft:identityserver:60b3d106-d155-4f9f-ba75-84b8078829fa';
// https://github.com/DuendeArchive/IdentityServer4/issues/812: the access token of AD FS 2016, which has `x5t`, but no `kid`.
const provider = new Provider(
  {
    aud: audience,
    iss,
    email: 'admin@test.loc',
    apptype: 'Confidential',
    appid: '60b3d106-d155-4f9f-ba75-84b8078829fa',
    authmethod: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    auth_time: '2017-02-13T08:27:46.918Z',
    ver: '1.0',
    scp: 'profile openid',
  },
  { typ: 'JWT', x5t: 'jeeQjLUam_W5jJgqW1jVLeYl8Gik', kid: undefined },
).publishKeys('https://SRV2016DC01.test.local/adfs/discovery/keys');
const host = 'SRV2016DC01.test.local';
const options = adfs({ host, audience });

describe('adfs', () => {
  it('accepts an access token without `kid`, with its scopes', async () => {
    const token = await provider.verify(options, provider.token());
    expect([token.scopes, token.roles]).toEqual([['profile', 'openid'], []]);
    expect(provider.fetched).toEqual(['https://SRV2016DC01.test.local/adfs/discovery/keys']);
  });

  it('accepts a token with `kid`, and one for an identifier that is a URL', async () => {
    const options = adfs({ host, audience: 'https://api.example.com' });
    const token = provider.token({ aud: 'https://api.example.com' }, { kid: provider.key.kid });
    expect(await provider.outcome(options, token)).toBe('accepted');
  });

  it('reads roles from `group`, or from another claim', async () => {
    const token = provider.token({ group: ['Domain Users', 'support'], role: 'admin' });
    expect((await provider.verify(options, token)).roles).toEqual(['Domain Users', 'support']);
    expect((await provider.verify(adfs({ host, audience, rolesClaim: 'role' }), token)).roles).toEqual(['admin']);
  });

  // https://github.com/IdentityServer/IdentityServer3/issues/3616: the ID token of the same response.
  const idToken = { iss: 'https://SRV2016DC01.test.local/adfs', auth_time: 1491214875, unique_name: 'Donald' };

  rejectsTokens(provider, options, [
    ['that is an ID token', { ...idToken, appid: undefined, apptype: undefined }, 'ISSUER_UNTRUSTED'],
    ['that is an ID token with the claims of the access token', idToken, 'ISSUER_UNTRUSTED'],
    ['with `at_hash`', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
    ['for UserInfo', { aud: 'urn:microsoft:userinfo' }, 'AUDIENCE_MISMATCH'],
    ['for the identifier without its prefix', { aud: audience.split(':')[2] }, 'AUDIENCE_MISMATCH'],
    ['without a client', { appid: undefined }, 'CLAIM_MISSING'],
    ['of another AD FS', { iss: 'http://sts.example.com/adfs/services/trust' }, 'ISSUER_UNTRUSTED'],
    ['with the issuer in another spelling', { iss: iss.toLowerCase() }, 'ISSUER_UNTRUSTED'],
  ]);

  it('rejects HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it('accepts another Federation Service identifier', async () => {
    const given = adfs({ host, audience, issuer: 'urn:contoso:sts' });
    expect(await provider.outcome(given, provider.token({ iss: 'urn:contoso:sts' }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token())).toBe('ISSUER_UNTRUSTED');
  });

  rejectsOptions(adfs, { host: 'sts.contoso.com', audience }, [
    [{ host: 'https://sts.contoso.com/adfs' }, 'host: is "https://sts.contoso.com/adfs". Set it to the host of AD FS'],
    [{ host: 'sts' }, 'host: is "sts". Set it to the host of AD FS'],
    [{ audience: 'urn:microsoft:userinfo' }, 'Tokens for any API can have this audience.'],
    [{ audience: [] }, 'audience: is an empty list'],
    [
      { issuer: 'https://sts.contoso.com/adfs' },
      'issuer: is "https://sts.contoso.com/adfs". Set it to access_token_issuer',
    ],
    [{ rolesClaim: '' }, "rolesClaim: is missing. Set it to a claim, for example 'role'."],
  ]);
});
