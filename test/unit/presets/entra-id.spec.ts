import { describe, expect, it } from '@jest/globals';
import { entraId, type EntraIdTenantsOptions } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const other = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const api = '6e74172b-be56-4843-9ff4-e66a39bb12e3';
const client = '75dbe77f-10a3-4e59-85fd-8c127544f17c';
const v1Issuer = (id: string) => `https://sts.windows.net/${id}/`;
const v2Issuer = (id: string, login = 'https://login.microsoftonline.com') => `${login}/${id}/v2.0`;

/** Publishes as https://learn.microsoft.com/entra/identity-platform/access-tokens#v10-and-v20-tokens has it. */
function publish(
  provider: Provider,
  issuer: string,
  id: string,
  version: '' | '/v2.0',
  login = 'https://login.microsoftonline.com',
) {
  provider.publish(
    `${login}/${id}${version}/.well-known/openid-configuration`,
    issuer,
    `${login}/${id}/discovery${version}/keys`,
  );
}

// The payloads of the two sample tokens of that page.
const v1 = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT', x5t: 'i6lG' },
  {
    aud: api,
    iss: v1Issuer(tenant),
    appid: client,
    appidacr: '0',
    scp: 'user_impersonation',
    sub: 'l3_ro',
    tid: tenant,
    ver: '1.0',
  },
);
const v2 = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    aud: api,
    iss: v2Issuer(tenant),
    azp: client,
    azpacr: '0',
    scp: 'access_as_user orders.read',
    roles: ['Orders.Manager'],
    sub: 'HKZ',
    tid: tenant,
    ver: '2.0',
  },
);
for (const id of [tenant, other]) {
  publish(v1, v1Issuer(id), id, '');
  publish(v2, v2Issuer(id), id, '/v2.0');
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

  it.each([[api], [`api://${api}`]])('accepts a token of version 1.0 for %s', async (aud) => {
    const token = await v1.verify(options, v1.token({ aud }));
    expect(token.scopes).toEqual(['user_impersonation']);
  });

  it.each([[api], [`api://${api}`], [api.toUpperCase()], [['https://orders.contoso.com', api]]])(
    'takes %s for the audience',
    async (audience) => {
      const given = entraId({ tenantId: tenant.toUpperCase(), audience });
      expect(await v1.outcome(given, v1.token({ aud: `api://${api}` }))).toBe('accepted');
      expect(await v1.outcome(given, v1.token({ aud: api }))).toBe('accepted');
      expect(await v2.outcome(given, v2.token())).toBe('accepted');
    },
  );

  it('takes an Application ID URI of its own in version 1.0, beside the client id', async () => {
    const given = entraId({ tenantId: tenant, audience: ['https://orders.contoso.com', api] });
    expect(await v1.outcome(given, v1.token({ aud: 'https://orders.contoso.com' }))).toBe('accepted');
    expect(await v2.outcome(given, v2.token({ aud: 'https://orders.contoso.com' }))).toBe('AUDIENCE_MISMATCH');
  });

  it('accepts the token of a client without a user, whose permissions are roles', async () => {
    const token = await v2.verify(options, v2.token({ scp: undefined, roles: ['Orders.Read.All'], idtyp: 'app' }));
    expect([token.scopes, token.roles]).toEqual([[], ['Orders.Read.All']]);
  });

  it.each([
    ["another tenant's tid in version 2.0", v2, { tid: other }, 'CLAIM_INVALID'],
    ["another tenant's tid in version 1.0", v1, { tid: other }, 'CLAIM_INVALID'],
    ['no tid', v2, { tid: undefined }, 'CLAIM_MISSING'],
    ['the issuer of version 1.0 of another tenant', v1, { iss: v1Issuer(other), tid: other }, 'ISSUER_UNTRUSTED'],
    ['the issuer of version 2.0 of another tenant', v2, { iss: v2Issuer(other), tid: other }, 'ISSUER_UNTRUSTED'],
    ['no slash behind the issuer of version 1.0', v1, { iss: v1Issuer(tenant).slice(0, -1) }, 'ISSUER_UNTRUSTED'],
    ['a slash behind the issuer of version 2.0', v2, { iss: `${v2Issuer(tenant)}/` }, 'ISSUER_UNTRUSTED'],
    ['the audience of Microsoft Graph', v1, { aud: '00000003-0000-0000-c000-000000000000' }, 'AUDIENCE_MISMATCH'],
    ['an Application ID URI in version 2.0', v2, { aud: `api://${api}` }, 'AUDIENCE_MISMATCH'],
    ['no client, as an ID token of version 2.0', v2, { azp: undefined, scp: undefined, nonce: 'n' }, 'CLAIM_MISSING'],
    ['no client, as an ID token of version 1.0', v1, { appid: undefined, scp: undefined }, 'CLAIM_MISSING'],
  ])('refuses a token with %s', async (_what, provider, claims, code) => {
    expect(await provider.outcome(options, provider.token(claims))).toBe(code);
  });

  it('runs the own check after the tenant was checked', async () => {
    const seen: unknown[] = [];
    const given = entraId({
      tenantId: tenant,
      audience: api,
      validate: ({ claims: { azp } }) => (seen.push(azp), azp === 'nobody'),
    });
    expect(await v2.outcome(given, v2.token({ tid: other }))).toBe('CLAIM_INVALID');
    expect(seen).toEqual([]);
    expect(await v2.outcome(given, v2.token())).toBe('CLAIM_INVALID');
    expect(seen).toEqual([client]);
  });

  it.each([
    ['us-government', 'https://login.microsoftonline.us', v1Issuer(tenant)],
    ['china', 'https://login.partner.microsoftonline.cn', `https://sts.chinacloudapi.cn/${tenant}/`],
  ] as const)('knows the cloud %s', async (cloud, login, issuerOfV1) => {
    const given = entraId({ tenantId: tenant, audience: api, cloud });
    const provider = new Provider(
      'RS256',
      'rsa',
      { typ: 'JWT' },
      { aud: api, azp: client, appid: client, tid: tenant },
    );
    publish(provider, issuerOfV1, tenant, '', login);
    publish(provider, v2Issuer(tenant, login), tenant, '/v2.0', login);
    expect(await provider.outcome(given, provider.token({ iss: issuerOfV1 }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token({ iss: v2Issuer(tenant, login) }))).toBe('accepted');
    expect(await provider.outcome(given, provider.token({ iss: v2Issuer(tenant) }))).toBe('ISSUER_UNTRUSTED');
  });
});

describe('entraId of several tenants', () => {
  const ways: [string, EntraIdTenantsOptions['tenants']][] = [
    ['a list', [tenant.toUpperCase()]],
    ['a function', (id) => id === tenant],
    ['a function that is async', (id) => Promise.resolve(id === tenant)],
  ];

  it.each(ways)('lets in the tenants of %s, and no other', async (_what, tenants) => {
    const options = entraId({ tenants, audience: api });
    expect(await v2.outcome(options, v2.token())).toBe('accepted');
    expect(await v1.outcome(options, v1.token())).toBe('accepted');
    expect(await v2.outcome(options, v2.token({ iss: v2Issuer(other), tid: other }))).toBe('ISSUER_UNTRUSTED');
    expect(await v1.outcome(options, v1.token({ iss: v1Issuer(other), tid: other }))).toBe('ISSUER_UNTRUSTED');
  });

  it('binds tid to the issuer, also between tenants that are both let in', async () => {
    const options = entraId({ tenants: [tenant, other], audience: api });
    expect(await v2.outcome(options, v2.token({ tid: other }))).toBe('CLAIM_INVALID');
    expect(await v2.outcome(options, v2.token({ iss: v2Issuer(other), tid: other }))).toBe('accepted');
  });

  it('lets in for nothing but true', async () => {
    const truthy = (() => 'yes') as never;
    expect(await v2.outcome(entraId({ tenants: truthy, audience: api }), v2.token())).toBe('ISSUER_UNTRUSTED');
    const later = (() => Promise.resolve(1)) as never;
    expect(await v2.outcome(entraId({ tenants: later, audience: api }), v2.token())).toBe('ISSUER_UNTRUSTED');
  });

  it('asks only about issuers that are written as those of Entra ID', () => {
    const asked: string[] = [];
    const { issuers } = entraId({ tenants: (id) => asked.push(id) > 0, audience: api });
    for (const issuer of [
      '',
      'https://sts.windows.net/',
      'https://evil.example/',
      `https://evil.example/${tenant}/v2.0`,
      `https://sts.windows.net.evil.example/${tenant}/`,
      `https://login.microsoftonline.com/${tenant}`,
      `https://login.microsoftonline.com/${tenant}/v2.0/`,
      `https://login.microsoftonline.com/${tenant}/v2.0?x`,
      `https://login.microsoftonline.com.evil/${tenant}/v2.0`,
      `https://login.microsoftonline.us/${tenant}/v2.0`,
      `https://login.microsoftonline.com/${tenant.toUpperCase()}/v2.0`,
      'https://login.microsoftonline.com/common/v2.0',
      `https://sts.windows.net/${tenant}`,
      `https://sts.windows.net/${tenant}/v2.0`,
    ]) {
      expect(issuers(issuer)).toBeUndefined();
    }
    expect(asked).toEqual([]);
  });

  it('asks for each token, and gives the same options for the same issuer', () => {
    const asked: string[] = [];
    const { issuers } = entraId({ tenants: (id) => asked.push(id) < 3, audience: api });
    const first = issuers(v2Issuer(tenant));
    expect(first).toMatchObject({ issuer: v2Issuer(tenant) });
    expect(issuers(v2Issuer(tenant))).toBe(first);
    expect(issuers(v2Issuer(tenant))).toBe(false);
    expect(asked).toEqual([tenant, tenant, tenant]);
  });
});

describe('entraId with bad arguments', () => {
  const guid = "must be the tenant's id, a GUID (Directory ID): tokens name that, and not the domain";
  it.each([
    [{ tenantId: 'contoso.onmicrosoft.com', audience: api }, `entraId().tenantId: ${guid}`],
    [
      { tenantId: 'common', audience: api },
      "entraId().tenantId: is 'common', which lets in every tenant there is: say in `tenants` which",
    ],
    [
      { tenantId: '', audience: api },
      'entraId().tenantId: is missing. Set it to the id of your tenant (Directory ID), a GUID; `tenants` for an API of several.',
    ],
    [
      { audience: api },
      'entraId().tenantId: is missing. Set it to the id of your tenant (Directory ID), a GUID; `tenants` for an API of several.',
    ],
    [
      { tenantId: tenant },
      "entraId().audience: is missing. Set it to the client id of your API's registration, a GUID.",
    ],
    [
      { tenantId: tenant, audience: 'https://orders.contoso.com' },
      'entraId().audience: must have the client id of your API (a GUID) in it, too: tokens of version 2.0 name only that',
    ],
    [
      { tenantId: tenant, audience: api, cloud: 'germany' },
      "entraId().cloud: must be 'global' or 'us-government' or 'china'",
    ],
    [{ tenantId: tenant, audience: api, validate: true }, 'entraId().validate: is true. Set it to a function.'],
    [{ tenants: [], audience: api }, 'entraId().tenants: is an empty list. Set it to a non-empty list of strings.'],
    [
      { tenants: undefined, audience: api },
      'entraId().tenants: must be a list of tenant ids, or a function that says which are let in',
    ],
    [
      { tenants: '*', audience: api },
      'entraId().tenants: must be a list of tenant ids, or a function that says which are let in',
    ],
    [
      { tenants: [tenant, 'organizations'], audience: api },
      "entraId().tenants[1]: is 'organizations', which lets in every tenant there is: say in `tenants` which",
    ],
    [
      { tenants: [tenant], tenantId: tenant, audience: api },
      'entraId().tenantId: is one tenant; give either that or `tenants`',
    ],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => entraId(given as never))).toEqual([problem]);
  });
});
