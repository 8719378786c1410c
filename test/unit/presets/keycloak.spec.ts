import { describe, expect, it } from '@jest/globals';
import { keycloak } from '../../../src/presets.js';
import { problemsOf, Provider } from '../../support/provider.js';

const certs = '/realms/shop/protocol/openid-connect/certs';
// As Keycloak 26 writes it, with an Audience mapper for the client `orders-api`.
const provider = new Provider(
  'RS256',
  'rsa',
  { typ: 'JWT' },
  {
    iss: 'https://id.example.com/realms/shop',
    aud: ['orders-api', 'account'],
    sub: 'f3b1',
    typ: 'Bearer',
    azp: 'shop-web',
    realm_access: { roles: ['offline_access', 'customer'] },
    resource_access: {
      'orders-api': { roles: ['order-manager'] },
      'billing.api': { roles: ['accountant'] },
      account: { roles: ['manage-account'] },
    },
    scope: 'openid profile orders:read',
  },
).publish(
  'https://id.example.com/realms/shop/.well-known/openid-configuration',
  'https://id.example.com/realms/shop',
  `https://id.example.com${certs}`,
);
const arguments_ = { url: 'https://id.example.com', realm: 'shop', audience: 'orders-api' };

describe('keycloak', () => {
  it('accepts an access token, with the roles of the realm and of the client', async () => {
    const token = await provider.verify(keycloak(arguments_), provider.token());
    expect(token.roles).toEqual(['offline_access', 'customer', 'order-manager']);
    expect(token.scopes).toEqual(['openid', 'profile', 'orders:read']);
  });

  it('reads the roles of the clients that it is told, in place of those of the audience', async () => {
    const options = keycloak({ ...arguments_, clientId: ['billing.api'] });
    expect((await provider.verify(options, provider.token())).roles).toEqual([
      'offline_access',
      'customer',
      'accountant',
    ]);
  });

  it('accepts a token without roles, as a lightweight one is', async () => {
    const token = provider.token({ realm_access: undefined, resource_access: undefined });
    expect((await provider.verify(keycloak(arguments_), token)).roles).toEqual([]);
  });

  it('fetches the keys over the internal address, while iss stays the public one', async () => {
    const inside = new Provider(
      'RS256',
      'rsa',
      { typ: 'JWT' },
      { iss: 'https://id.example.com/realms/shop', aud: 'orders-api' },
    );
    inside.publishKeys(`http://keycloak:8080/auth${certs}`);
    const options = keycloak({ ...arguments_, internalUrl: 'http://keycloak:8080/auth/' });
    expect(await inside.outcome({ ...options, insecureAllowHttp: true }, inside.token())).toBe('accepted');
    expect(inside.fetched).toEqual([`http://keycloak:8080/auth${certs}`]);
  });

  it('does not let plain http to the internal address pass by itself', async () => {
    const options = keycloak({ ...arguments_, internalUrl: 'http://keycloak:8080' });
    await expect(provider.verify(options, provider.token())).rejects.toThrow('Set it to an https address');
  });

  it.each([
    ['https://id.example.com/auth', 'https://id.example.com/auth/realms/shop'],
    ['https://id.example.com/auth/', 'https://id.example.com/auth/realms/shop'],
    ['https://id.example.com/', 'https://id.example.com/realms/shop'],
  ])('takes the base path of %s', (url, issuer) => {
    expect(keycloak({ ...arguments_, url }).issuer).toBe(issuer);
  });

  // As RESTEasy's Encode has it: `Urls.realmIssuer` of Keycloak builds the path with it.
  it.each([
    ['my shop', 'my%20shop'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ['a+b', 'a+b'],
    ['x@y', 'x@y'],
    ['a:b', 'a:b'],
    ["-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"],
    ['a"b#c?d[e]', 'a%22b%23c%3Fd%5Be%5D'],
    ['a..b', 'a..b'],
  ])('writes the name of the realm as Keycloak does: %s', (realm, written) => {
    const options = keycloak({ ...arguments_, realm, internalUrl: 'http://keycloak:8080' });
    expect(options.issuer).toBe(`https://id.example.com/realms/${written}`);
    expect(options.keys).toEqual({
      from: 'jwks',
      uri: `http://keycloak:8080/realms/${written}/protocol/openid-connect/certs`,
    });
  });

  it('leaves the base path of the public address to be written into the internal one', () => {
    const options = keycloak({
      ...arguments_,
      url: 'https://id.example.com/auth',
      internalUrl: 'http://keycloak:8080',
    });
    expect(options.keys).toMatchObject({ uri: `http://keycloak:8080${certs}` });
  });

  it('takes a base path that has "realms" in it', () => {
    const url = 'https://id.example.com/realms-of-ours';
    expect(keycloak({ ...arguments_, url }).issuer).toBe(`${url}/realms/shop`);
  });

  it.each([
    ['of another realm', { iss: 'https://id.example.com/realms/master' }, 'ISSUER_UNTRUSTED'],
    ['with a slash behind its issuer', { iss: 'https://id.example.com/realms/shop/' }, 'ISSUER_UNTRUSTED'],
    ['for another client', { aud: 'account' }, 'AUDIENCE_MISMATCH'],
    ['without an audience', { aud: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token', { typ: 'ID' }, 'TYPE_NOT_ALLOWED'],
    ['that is a refresh token', { typ: 'Refresh' }, 'TYPE_NOT_ALLOWED'],
  ])('refuses a token %s (%j → %s)', async (_what, claims, code) => {
    expect(await provider.outcome(keycloak(arguments_), provider.token(claims))).toBe(code);
  });

  it.each([
    [
      { url: 'id.example.com' },
      "keycloak().url: must be an address without credentials, query and fragment: 'https://id.example.com' say",
    ],
    [
      { url: 'https://id.example.com?x=1' },
      "keycloak().url: must be an address without credentials, query and fragment: 'https://id.example.com' say",
    ],
    [
      { url: 'https://id.example.com/realms/shop' },
      'keycloak().url: must end before /realms/…, which is put behind it; the realm stands in `realm`',
    ],
    ...['/realms', '/realms/', '/auth/realms'].map((path): [object, string] => [
      { url: `https://id.example.com${path}` },
      'keycloak().url: must end before /realms/…, which is put behind it; the realm stands in `realm`',
    ]),
    ...['.', '..', '/shop'].map((realm): [object, string] => [
      { realm },
      "keycloak().realm: must be the realm's name alone, 'my-realm'; the rest is put around it",
    ]),
    [
      { realm: 'my%20shop' },
      "keycloak().realm: must be the realm's name itself, 'my shop': it is encoded here, not before",
    ],
    [
      { url: 'https://undefined/auth' },
      'keycloak().url: is "https://undefined/auth". Set the variable that it comes from.',
    ],
    [{ url: undefined }, "keycloak().url: is missing. Set it to the address, 'https://id.example.com' say."],
    [{ realm: '' }, 'keycloak().realm: is missing. Set it to the name of the realm.'],
    [
      { realm: 'realms/shop' },
      "keycloak().realm: must be the realm's name alone, 'my-realm'; the rest is put around it",
    ],
    [
      { audience: 'account' },
      "keycloak().audience: must not be 'account', which nearly every token of a realm names: add an Audience mapper for your API",
    ],
    [
      { audience: ['orders-api', 'realm-management'] },
      "keycloak().audience: must not be 'realm-management', a client that Keycloak makes in each realm: add an Audience mapper for your API",
    ],
    [
      { audience: undefined },
      'keycloak().audience: is missing. Set it to what the tokens name in `aud`: the client id of your API.',
    ],
    [
      { internalUrl: undefined },
      'keycloak().internalUrl: is undefined: set the variable that it comes from, or leave it out',
    ],
    [
      { internalUrl: 'keycloak:8080' },
      "keycloak().internalUrl: must be an address without credentials, query and fragment: 'http://keycloak:8080' say",
    ],
    [
      { internalUrl: 'http://keycloak:8080/realms/shop' },
      'keycloak().internalUrl: must end before /realms/…, which is put behind it; the realm stands in `realm`',
    ],
    [{ clientId: '' }, 'keycloak().clientId: is missing. Set it to the client whose roles count.'],
  ])('does not start with %j', (given, problem) => {
    expect(problemsOf(() => keycloak({ ...arguments_, ...given }))).toEqual([problem]);
  });
});
