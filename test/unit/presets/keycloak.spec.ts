import { describe, expect, it } from '@jest/globals';
import { keycloak } from '../../../src/presets.js';
import { keycloakProvider } from '../../../src/presets/keycloak.js';
import { adviceOf } from '../../../src/presets/provider.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const certs = '/realms/shop/protocol/openid-connect/certs';
// A token of Keycloak 26, with an Audience mapper for the client `orders-api`.
const provider = new Provider({
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
}).publish('https://id.example.com/realms/shop', `https://id.example.com${certs}`);
const arguments_ = { url: 'https://id.example.com', realm: 'shop', audience: 'orders-api' };

describe('keycloak', () => {
  it('accepts an access token, with the roles of the realm and of the client', async () => {
    const token = await provider.verify(keycloak(arguments_), provider.token());
    expect(token.roles).toEqual(['offline_access', 'customer', 'order-manager']);
    expect(token.scopes).toEqual(['openid', 'profile', 'orders:read']);
  });

  it('reads the roles of `clientId` instead of those of the audience', async () => {
    const options = keycloak({ ...arguments_, clientId: ['billing.api'] });
    const { roles } = await provider.verify(options, provider.token());
    expect(roles).toEqual(['offline_access', 'customer', 'accountant']);
  });

  it('accepts a lightweight token, which has no roles', async () => {
    const token = provider.token({ realm_access: undefined, resource_access: undefined });
    expect((await provider.verify(keycloak(arguments_), token)).roles).toEqual([]);
  });

  it('fetches the keys from `internalUrl`, while `iss` has the public address', async () => {
    const inside = new Provider({ iss: 'https://id.example.com/realms/shop', aud: 'orders-api' });
    inside.publishKeys(`http://keycloak:8080/auth${certs}`);
    const options = keycloak({ ...arguments_, internalUrl: 'http://keycloak:8080/auth/' });
    expect(await inside.outcome({ ...options, insecureAllowHttp: true }, inside.token())).toBe('accepted');
    expect(inside.fetched).toEqual([`http://keycloak:8080/auth${certs}`]);
  });

  it('does not allow http for `internalUrl` without `insecureAllowHttp`', async () => {
    const options = keycloak({ ...arguments_, internalUrl: 'http://keycloak:8080' });
    await expect(provider.verify(options, provider.token())).rejects.toThrow('keys.uri: is "http://keycloak:8080/');
  });

  it.each([
    ['https://id.example.com/auth/', 'https://id.example.com/auth/realms/shop'],
    ['https://id.example.com/', 'https://id.example.com/realms/shop'],
    ['https://id.example.com/realms-of-ours', 'https://id.example.com/realms-of-ours/realms/shop'],
  ])('keeps the base path of %s', (url, issuer) => {
    expect(keycloak({ ...arguments_, url }).issuer).toBe(issuer);
  });

  // `Urls.realmIssuer` of Keycloak encodes the path with RESTEasy's `Encode`.
  it.each([
    ['my shop', 'my%20shop'],
    ['größe', 'gr%C3%B6%C3%9Fe'],
    ["-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"],
    ['a"b#c?d[e]', 'a%22b%23c%3Fd%5Be%5D'],
    ['a..b', 'a..b'],
  ])('encodes the name of the realm as Keycloak does: %s', (realm, written) => {
    const { issuer, keys } = keycloak({ ...arguments_, realm, internalUrl: 'http://keycloak:8080' });
    expect(issuer).toBe(`https://id.example.com/realms/${written}`);
    expect(keys).toMatchObject({ uri: `http://keycloak:8080/realms/${written}/protocol/openid-connect/certs` });
  });

  it('does not add the base path of `url` to `internalUrl`', () => {
    const urls = { url: 'https://id.example.com/auth', internalUrl: 'http://keycloak:8080' };
    expect(keycloak({ ...arguments_, ...urls }).keys).toMatchObject({ uri: `http://keycloak:8080${certs}` });
  });

  rejectsTokens(provider, keycloak(arguments_), [
    ['of another realm', { iss: 'https://id.example.com/realms/master' }, 'ISSUER_UNTRUSTED'],
    ['for another client', { aud: 'account' }, 'AUDIENCE_MISMATCH'],
    ['that is an ID token', { typ: 'ID' }, 'TYPE_NOT_ALLOWED'],
    ['that is a refresh token', { typ: 'Refresh' }, 'TYPE_NOT_ALLOWED'],
  ]);

  rejectsOptions(keycloak, arguments_, [
    ...['/realms', '/realms/', '/auth/realms'].map(
      (path) => [{ url: `https://id.example.com${path}` }, 'Remove /realms, which the preset appends.'] as const,
    ),
    [{ internalUrl: 'http://keycloak:8080/realms/shop' }, 'Remove /realms/shop, which the preset appends.'],
    ...['.', '..', '/shop', 'realms/shop', 'my%20shop'].map(
      (realm) => [{ realm }, 'Set it to the name of the realm alone, not percent-encoded'] as const,
    ),
    [
      { audience: 'account' },
      'audience: is "account". Tokens for any API can have this audience. Add an Audience mapper',
    ],
    [
      { audience: ['orders-api', 'realm-management'] },
      'audience[1]: is "realm-management". Tokens for any API can have this',
    ],
  ]);
});

describe('The advice on a token of the same realm at another address', () => {
  const outside = 'https://id.example.com/realms/shop';
  const inside = 'http://keycloak:8080/realms/shop';
  const advice = (issuer: string, named: string) => adviceOf(keycloakProvider, 'ISSUER_UNTRUSTED', { issuer, named });

  it('names the public and the internal address if the token has the internal one', () => {
    const text = advice(outside, inside);
    expect(text).toContain('(KC_HOSTNAME=https://id.example.com)');
    expect(text).toContain("keycloak({ url: 'https://id.example.com', internalUrl: 'http://keycloak:8080', … })");
    expect(text).toContain('and insecureAllowHttp: true');
  });

  it('does not suggest to trust the address that only the token has', () => {
    const text = advice(inside, outside);
    expect(text).toContain("keycloak({ url: '<the public URL of Keycloak>', internalUrl: 'http://keycloak:8080', … })");
    expect(text).not.toContain('id.example.com');
  });

  it('escapes the address of the token', () => {
    const text = advice(outside, "http://keycloak/'\u202e\u001b[31m/realms/shop");
    expect(text).toContain("internalUrl: 'http://keycloak/%27%E2%80%AE%1B[31m'");
  });

  const INTERNAL = `http://localhost:8080 http://127.0.0.1:8080 https://10.1.2.3 http://[::1]:8080 https://keycloak
    https://keycloak.local https://keycloak.corp.internal https://keycloak.home.arpa http://keycloak.auth.svc
    http://keycloak.auth.svc.cluster.local:8080 http://keycloak.auth.svc.cluster.local.:8080`;
  it.each(INTERNAL.split(/\s+/))('treats %s as internal, and suggests it as internalUrl', (url) => {
    expect(advice(outside, `${url}/realms/shop`)).toContain('KC_HOSTNAME=https://id.example.com)');
    expect(advice(outside, `${url}/realms/shop`)).toContain(`internalUrl: '${url}'`);
  });

  const PUBLIC = `https://keycloak.evil.test http://keycloak.evil.test https://local.evil.test
    https://keycloak-local.example https://8.8.8.8 http://[2001:db8::1]:8080`;
  it.each(PUBLIC.split(/\s+/))('treats %s as public, and does not suggest it as internalUrl', (url) => {
    expect(advice(outside, `${url}/realms/shop`)).toContain('KC_HOSTNAME=https://id.example.com.');
    expect(advice(outside, `${url}/realms/shop`)).not.toContain('internalUrl');
  });

  it.each([
    [outside, 'http://keycloak:8080/realms/other'],
    ['https://a.example/shop', 'https://b.example/shop'],
    [outside, 'http://joe:secret@keycloak:8080/realms/shop'],
  ])('is not given for %s and %s', (issuer, named) => {
    expect(advice(issuer, named)).toBeUndefined();
  });
});
