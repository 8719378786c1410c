import { describe, expect, it } from '@jest/globals';
import { dex } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens, symmetric } from '../../support/provider.js';

const iss = 'https://id.example.com/dex';
// https://github.com/dexidp/dex/blob/master/server/tokens/claims.go: `at_hash` of an access token is that of a random value.
const claims = {
  iss,
  sub: 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs',
  aud: ['orders-api', 'web'],
  azp: 'web',
  jti: '0b2a8a2c-3f0e-4d52-a1e0-4a3b1f3c7d5e',
  nonce: 'n-0S6_WzA2Mj',
  at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng',
  email: 'alice@example.com',
  email_verified: true,
  groups: ['support', 'shop:admins'],
  name: 'alice',
};
// Dex writes no `typ`.
const provider = new Provider(claims, {}).publish(iss, `${iss}/keys`);
const options = dex({ issuer: iss, clientId: 'orders-api' });

describe('dex', () => {
  it('accepts an access token with `at_hash`, with its groups as roles', async () => {
    const token = await provider.verify(options, provider.token());
    expect([token.roles, token.scopes, token.permissions]).toEqual([['support', 'shop:admins'], [], []]);
  });

  it('accepts a token with one audience as text, and an ID token with `c_hash`', async () => {
    expect(await provider.outcome(options, provider.token({ aud: 'orders-api', azp: undefined }))).toBe('accepted');
    expect(await provider.outcome(options, provider.token({ c_hash: 'x' }))).toBe('accepted');
  });

  it('accepts a token signed with ES256', async () => {
    const local = new Provider(claims, {}, 'ES256', 'p-256').publish(iss, `${iss}/keys`);
    expect(await local.outcome(options, local.token())).toBe('accepted');
  });

  rejectsTokens(provider, options, [
    ['of a client without the audience', { aud: 'web', azp: undefined }, 'AUDIENCE_MISMATCH'],
    ['requested by this client for another', { aud: ['billing-api', 'web'], azp: 'orders-api' }, 'AUDIENCE_MISMATCH'],
    ['without an audience', { aud: undefined }, 'CLAIM_MISSING'],
    ['of another Dex', { iss: 'https://other.example.com/dex' }, 'ISSUER_UNTRUSTED'],
    [
      'that is a logout token',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
      'TYPE_NOT_ALLOWED',
    ],
  ]);

  it('rejects HS256 (ALGORITHM_NOT_ALLOWED)', async () => {
    expect(await provider.outcome(options, symmetric(provider.token()))).toBe('ALGORITHM_NOT_ALLOWED');
  });

  it('keeps the issuer as Dex writes it', () => {
    expect(dex({ issuer: 'http://127.0.0.1:5556/dex', clientId: 'a' }).issuer).toBe('http://127.0.0.1:5556/dex');
    expect(dex({ issuer: 'https://id.example.com/', clientId: 'a' }).issuer).toBe('https://id.example.com/');
  });

  rejectsOptions(dex, { issuer: iss, clientId: 'orders-api' }, [
    [{ clientId: [] }, 'clientId: is an empty list'],
    [{ clientId: undefined }, 'clientId: is missing. Set it to the id of your API as a client of Dex'],
    [{ issuer: 'id.example.com/dex' }, 'issuer: is "id.example.com/dex". Set it to the `issuer`'],
    [{ issuer: 'https://id.example.com/dex?x=1' }, 'Set it to the `issuer` in the configuration of Dex'],
  ]);
});
