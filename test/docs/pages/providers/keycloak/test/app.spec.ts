import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';

const claims = claimsOfPage('keycloak');

it('accepts the token of the page', async () => {
  const granted = { scopes: ['email', 'profile'], roles: ['default-roles-orders', 'support'] };
  expect(await verifyWith(auth, claims)).toMatchObject(granted);
});

it.each([
  ['a client without an Audience mapper', { aud: 'account' }, 'AUDIENCE_MISMATCH'],
  ['a token without an audience', { aud: undefined }, 'CLAIM_MISSING'],
  ['an ID token', { typ: 'ID' }, 'TYPE_NOT_ALLOWED'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});

it('quotes the realm of examples/keycloak', () => {
  const page = readFileSync('docs/providers/keycloak.md', 'utf8');
  const realm = JSON.parse(readFileSync('examples/keycloak/realm/orders.json', 'utf8')) as {
    realm: string;
    clients: { clientId: string; secret: string; protocolMappers: unknown[] }[];
    users: { username: string; realmRoles: string[] }[];
  };
  const mapper = { config: { 'included.custom.audience': 'https://api.example.com' } };
  const client = { clientId: claims.azp, secret: 'orders-cli-secret', protocolMappers: [mapper] };
  const { roles } = claims.realm_access as { roles: unknown };
  expect(realm).toMatchObject({
    realm: 'orders',
    clients: [client],
    users: [{ username: 'alice', realmRoles: roles }],
  });
  expect(page).toContain('-u orders-cli:orders-cli-secret');
});
