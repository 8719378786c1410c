import { describe, expect, it } from '@jest/globals';
import type { Facts } from '../../../../src/cli/doctor/token-facts.js';
import { typeRow } from '../../../../src/cli/doctor/token-type-row.js';

const rowOf = (typ: unknown) =>
  typeRow(
    { decoded: { header: { typ }, claims: {} }, issuer: { tokenTypes: new Set(['at+jwt']) } } as unknown as Facts,
    { passed: false },
  );

describe('the mend of a token of another type', () => {
  it.each([
    ['logout+jwt', 'a logout token'],
    ['application/Logout+JWT', 'a logout token'],
    ['dpop+jwt', 'DPoP'],
    ['secevent+jwt', 'a security event token'],
    ['id_token', 'an ID token'],
    ['id+jwt', 'an ID token'],
    ['ID', 'an ID token'],
    ['refresh+jwt', 'a refresh token'],
    ['oauth-authz-req+jwt', 'a request to the authorization server'],
    ['token-introspection+jwt', 'token introspection'],
    ['openid4vci-proof+jwt', 'a proof of its sender'],
    ['kb+jwt', 'a proof of its sender'],
    ['vc+sd-jwt', 'a credential'],
  ])('is never to accept %s', (typ, kind) => {
    const { mend } = rowOf(typ);
    expect(mend).toContain(kind);
    expect(mend).toContain('no access token');
    expect(mend).not.toContain('tokenTypes');
  });

  it.each(['access_token', 'at+example', 'JWS'])('may be to accept %s, which may be one', (typ) => {
    expect(rowOf(typ).mend).toContain(`tokenTypes: ['${typ}']`);
  });
});
