import { describe, expect, it } from '@jest/globals';
import { authentik } from '../../../src/presets.js';
import { authentikProvider } from '../../../src/presets/authentik.js';
import { adviceOf } from '../../../src/presets/provider.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://auth.example.com/application/o/orders/';
// The claims that `IDToken.to_dict` and `to_access_token` of authentik write
// (https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py), with the scope `profile`. `scope` is new in 2025.10.
const claims = {
  iss,
  sub: '60f3643792ea',
  aud: 'Xa0cWQNrbVuEzPq5',
  auth_time: 1,
  acr: 'goauthentik.io/providers/oauth2/default',
  amr: ['pwd'],
  sid: '5868879d4070ef8b8fdf7f0588cfaafb',
  name: 'Alice',
  preferred_username: 'alice',
  groups: ['support', 'authentik Admins'],
  azp: 'Xa0cWQNrbVuEzPq5',
  uid: 'Y0q6MrgkGrZ5Ea3R',
  scope: 'openid profile',
};
const provider = new Provider(claims).publishKeys(`${iss}jwks/`);
const arguments_ = { url: 'https://auth.example.com', application: 'orders', clientId: 'Xa0cWQNrbVuEzPq5' };
const options = authentik(arguments_);

describe('authentik', () => {
  it('accepts an access token, with the groups as roles', async () => {
    const token = await provider.verify(options, provider.token());
    expect([token.scopes, token.roles]).toEqual([
      ['openid', 'profile'],
      ['support', 'authentik Admins'],
    ]);
  });

  it('accepts a token without groups and scopes', async () => {
    const token = await provider.verify(options, provider.token({ groups: undefined, scope: undefined }));
    expect([token.scopes, token.roles]).toEqual([[], []]);
  });

  it('accepts a token that is signed with an elliptic curve', async () => {
    const curve = new Provider(claims, { typ: 'JWT' }, 'ES256', 'p-256').publishKeys(`${iss}jwks/`);
    expect(await curve.outcome(options, curve.token())).toBe('accepted');
  });

  it('accepts the issuer of the mode `global`', async () => {
    const global = authentik({ ...arguments_, issuerMode: 'global' });
    expect(await provider.outcome(global, provider.token({ iss: 'https://auth.example.com/' }))).toBe('accepted');
    expect(await provider.outcome(global, provider.token())).toBe('ISSUER_UNTRUSTED');
  });

  it('keeps a base path', () => {
    const { issuer, keys } = authentik({ ...arguments_, url: 'https://example.com/auth/' });
    expect(issuer).toBe('https://example.com/auth/application/o/orders/');
    expect(keys).toMatchObject({ uri: 'https://example.com/auth/application/o/orders/jwks/' });
  });

  rejectsTokens(provider, options, [
    ['of another application', { iss: 'https://auth.example.com/application/o/other/' }, 'ISSUER_UNTRUSTED'],
    ['with the issuer of all providers', { iss: 'https://auth.example.com/' }, 'ISSUER_UNTRUSTED'],
    ['of another client', { aud: 'other', azp: 'other' }, 'AUDIENCE_MISMATCH'],
    ['that names another client', { azp: 'other' }, 'CLAIM_INVALID'],
    ['that is an ID token', { azp: undefined, uid: undefined, scope: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token with `azp`', { uid: undefined }, 'CLAIM_MISSING'],
    ['that is an ID token of the implicit flow', { at_hash: 'x' }, 'TYPE_NOT_ALLOWED'],
  ]);

  rejectsOptions(authentik, arguments_, [
    [{ url: iss }, 'Remove /application/o/orders, which the preset appends.'],
    [{ application: 'my shop' }, 'application: is "my shop". Set it to the slug of the application'],
    [{ issuerMode: 'other' }, "issuerMode: is \"other\". Set it to 'per-provider' or 'global'"],
  ]);
});

describe('The advice on another issuer', () => {
  const advice = (named: string) => adviceOf(authentikProvider, 'ISSUER_UNTRUSTED', { issuer: iss, named });

  it('names the issuer mode if the token has the issuer of all providers', () => {
    expect(advice('https://auth.example.com/')).toContain("issuerMode: 'global'");
    expect(advice('https://evil.example/')).toBeUndefined();
    expect(advice('https://auth.example.com/application/o/other/')).toBeUndefined();
  });
});
