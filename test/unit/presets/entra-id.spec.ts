import { describe, expect, it } from '@jest/globals';
import { entraId, type EntraIdTenantsOptions } from '../../../src/presets.js';
import { Provider, rejectsOptions } from '../../support/provider.js';

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const other = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const api = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
const client = '75dbe77f-10a3-4e59-85fd-8c127544f17c';
const v1Issuer = (id: string) => `https://sts.windows.net/${id}/`;
const v2Issuer = (id: string, login = 'https://login.microsoftonline.com') => `${login}/${id}/v2.0`;

/** Publishes metadata as in https://learn.microsoft.com/entra/identity-platform/access-tokens#v10-and-v20-tokens. */
function publish(provider: Provider, issuer: string, tenantUrl: string, version: '' | '/v2.0') {
  const metadata = `${tenantUrl}${version}/.well-known/openid-configuration`;
  provider.publish(issuer, `${tenantUrl}/discovery${version}/keys`, metadata);
}

// The payloads of the two sample tokens of that page.
const common = { aud: api, tid: tenant, sub: 'l3_ro' };
const v1 = new Provider({ ...common, iss: v1Issuer(tenant), appid: client, scp: 'user_impersonation', ver: '1.0' });
const v2Claims = { scp: 'access_as_user orders.read', roles: ['Orders.Manager'], ver: '2.0' };
const v2 = new Provider({ ...common, iss: v2Issuer(tenant), azp: client, ...v2Claims });
for (const id of [tenant, other]) {
  publish(v1, v1Issuer(id), `https://login.microsoftonline.com/${id}`, '');
  publish(v2, v2Issuer(id), `https://login.microsoftonline.com/${id}`, '/v2.0');
}

describe('entraId of one tenant', () => {
  const options = entraId({ tenantId: tenant, audience: api });

  it('accepts a token of version 2.0, with its scopes and roles', async () => {
    const token = await v2.verify(options, v2.token());
    expect(token.scopes).toEqual(['access_as_user', 'orders.read']);
    expect(token.roles).toEqual(['Orders.Manager']);
    expect(v2.fetched).toEqual([
      `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration`,
      `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
    ]);
  });

  it('fetches the keys of an API that has its own', async () => {
    const own = new Provider({ ...common, iss: v2Issuer(tenant), azp: client, ...v2Claims });
    const metadata = `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration?appid=${api}`;
    own.publish(
      v2Issuer(tenant),
      `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys?appid=${api}`,
      metadata,
    );
    expect(await own.outcome(entraId({ tenantId: tenant, audience: api, appId: api }), own.token())).toBe('accepted');
    expect(await own.outcome(options, own.token())).toBe('KEYS_UNAVAILABLE');
  });

  it('accepts a token of version 1.0, with its scopes', async () => {
    expect((await v1.verify(options, v1.token())).scopes).toEqual(['user_impersonation']);
  });

  it.each([[api], [`api://${api}`], [api.toUpperCase()], [['https://orders.contoso.com', api]]])(
    'accepts the audience option %s',
    async (audience) => {
      const given = entraId({ tenantId: tenant.toUpperCase(), audience });
      expect(await v1.outcome(given, v1.token({ aud: `api://${api}` }))).toBe('accepted');
      expect(await v1.outcome(given, v1.token({ aud: api }))).toBe('accepted');
      expect(await v2.outcome(given, v2.token())).toBe('accepted');
    },
  );

  it('accepts another Application ID URI in version 1.0, in addition to the client id', async () => {
    const given = entraId({ tenantId: tenant, audience: ['https://orders.contoso.com', api] });
    expect(await v1.outcome(given, v1.token({ aud: 'https://orders.contoso.com' }))).toBe('accepted');
    expect(await v2.outcome(given, v2.token({ aud: 'https://orders.contoso.com' }))).toBe('AUDIENCE_MISMATCH');
  });

  it('accepts the token of a client without a user, with its permissions as roles', async () => {
    const token = await v2.verify(options, v2.token({ scp: undefined, roles: ['Orders.Read.All'], idtyp: 'app' }));
    expect([token.scopes, token.roles]).toEqual([[], ['Orders.Read.All']]);
  });

  it.each([
    ["another tenant's tid in version 2.0", v2, { tid: other }, 'CLAIM_INVALID'],
    ["another tenant's tid in version 1.0", v1, { tid: other }, 'CLAIM_INVALID'],
    ['no tid', v2, { tid: undefined }, 'CLAIM_MISSING'],
    ['the issuer of version 1.0 of another tenant', v1, { iss: v1Issuer(other), tid: other }, 'ISSUER_UNTRUSTED'],
    ['the issuer of version 2.0 of another tenant', v2, { iss: v2Issuer(other), tid: other }, 'ISSUER_UNTRUSTED'],
    ['no slash after the issuer of version 1.0', v1, { iss: v1Issuer(tenant).slice(0, -1) }, 'ISSUER_UNTRUSTED'],
    ['a slash after the issuer of version 2.0', v2, { iss: `${v2Issuer(tenant)}/` }, 'ISSUER_UNTRUSTED'],
    ['the audience of Microsoft Graph', v1, { aud: '00000003-0000-0000-c000-000000000000' }, 'AUDIENCE_MISMATCH'],
    ['an Application ID URI in version 2.0', v2, { aud: `api://${api}` }, 'AUDIENCE_MISMATCH'],
    ['no client (an ID token of version 2.0)', v2, { azp: undefined, scp: undefined, nonce: 'n' }, 'CLAIM_MISSING'],
    ['no client (an ID token of version 1.0)', v1, { appid: undefined, scp: undefined }, 'CLAIM_MISSING'],
  ])('rejects a token with %s', async (_what, provider, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it.each([
    ['us-government', 'https://login.microsoftonline.us', v1Issuer(tenant)],
    ['china', 'https://login.partner.microsoftonline.cn', `https://sts.chinacloudapi.cn/${tenant}/`],
  ] as const)('trusts the issuers of the cloud %s', async (cloud, login, issuerOfV1) => {
    const given = entraId({ tenantId: tenant, audience: api, cloud });
    const provider = new Provider({ aud: api, azp: client, appid: client, tid: tenant });
    publish(provider, issuerOfV1, `${login}/${tenant}`, '');
    publish(provider, v2Issuer(tenant, login), `${login}/${tenant}`, '/v2.0');
    expect(await provider.outcome(given, provider.token({ iss: issuerOfV1 }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token({ iss: v2Issuer(tenant, login) }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token({ iss: v2Issuer(tenant) }))).toBe('ISSUER_UNTRUSTED');
  });
});

describe('entraId of several tenants', () => {
  const ways: [string, EntraIdTenantsOptions['tenants']][] = [
    ['a list', [tenant.toUpperCase()]],
    ['a function', (id) => id === tenant],
    ['an async function', (id) => Promise.resolve(id === tenant)],
  ];

  it.each(ways)('accepts only the tenants of %s', async (_what, tenants) => {
    const options = entraId({ tenants, audience: api });
    expect(await v2.outcome(options, v2.token())).toBe('accepted');
    expect(await v1.outcome(options, v1.token())).toBe('accepted');
    expect(await v2.outcome(options, v2.token({ iss: v2Issuer(other), tid: other }))).toBe('ISSUER_UNTRUSTED');
    expect(await v1.outcome(options, v1.token({ iss: v1Issuer(other), tid: other }))).toBe('ISSUER_UNTRUSTED');
  });

  it('requires the tid of the issuer, also between two accepted tenants', async () => {
    const options = entraId({ tenants: [tenant, other], audience: api });
    expect(await v2.outcome(options, v2.token({ tid: other }))).toBe('CLAIM_INVALID');
    expect(await v2.outcome(options, v2.token({ iss: v2Issuer(other), tid: other }))).toBe('accepted');
  });

  it('accepts a tenant only for `true`', async () => {
    const truthy = (() => 'yes') as never;
    expect(await v2.outcome(entraId({ tenants: truthy, audience: api }), v2.token())).toBe('ISSUER_UNTRUSTED');
    const later = (() => Promise.resolve(1)) as never;
    expect(await v2.outcome(entraId({ tenants: later, audience: api }), v2.token())).toBe('ISSUER_UNTRUSTED');
  });

  it('calls the function only for exact issuers of Entra ID', () => {
    const called: string[] = [];
    const { issuers } = entraId({ tenants: (id) => called.push(id) > 0, audience: api });
    const others = `https://sts.windows.net/ https://evil.example/ https://evil.example/${tenant}/v2.0
      https://sts.windows.net.evil.example/${tenant}/ https://sts.windows.net/${tenant}
      https://sts.windows.net/${tenant}/v2.0 https://login.microsoftonline.com/${tenant}
      https://login.microsoftonline.com/${tenant}/v2.0/ https://login.microsoftonline.com/${tenant}/v2.0?x
      https://login.microsoftonline.com.evil/${tenant}/v2.0 https://login.microsoftonline.us/${tenant}/v2.0
      https://login.microsoftonline.com/${tenant.toUpperCase()}/v2.0 https://login.microsoftonline.com/common/v2.0`;
    for (const issuer of ['', ...others.split(/\s+/)]) expect(issuers(issuer)).toBeUndefined();
    expect(called).toEqual([]);
  });

  it('calls the function for each token, and returns the same options for the same issuer', () => {
    const called: string[] = [];
    const { issuers } = entraId({ tenants: (id) => called.push(id) < 3, audience: api });
    const first = issuers(v2Issuer(tenant));
    expect(first).toMatchObject({ issuer: v2Issuer(tenant) });
    expect(issuers(v2Issuer(tenant))).toBe(first);
    expect(issuers(v2Issuer(tenant))).toBe(false);
    expect(called).toEqual([tenant, tenant, tenant]);
  });
});

describe('The options of entraId', () => {
  rejectsOptions(entraId, { tenantId: tenant, audience: api }, [
    [{ tenantId: 'contoso.onmicrosoft.com' }, 'Set it to the id of your tenant (Directory ID), a GUID'],
    [{ tenantId: 'common' }, 'tenantId: is "common". Set it to the id of your tenant'],
    [{ audience: 'https://orders.contoso.com' }, 'Add the client id of your API (a GUID)'],
    [{ cloud: 'germany' }, "cloud: is \"germany\". Set it to 'global' or 'us-government' or 'china'"],
    [{ tenants: [tenant] }, 'tenantId: is set beside `tenants`. Remove one of them.'],
  ]);
  rejectsOptions(entraId, { audience: api }, [
    [{}, 'tenantId: is missing'],
    [{ tenants: [] }, 'tenants: is an empty list'],
    [{ tenants: undefined }, 'tenants: is missing. Set it to the id (GUID) of each accepted tenant, or to a function.'],
    [{ tenants: '*' }, 'tenants: is "*". Set it to the id'],
    [{ tenants: [tenant, 'organizations'] }, 'tenants[1]: is "organizations". Set it to the id'],
  ]);
});
