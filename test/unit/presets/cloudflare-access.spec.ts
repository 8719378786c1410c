import { describe, expect, it } from '@jest/globals';
import { cloudflareAccess } from '../../../src/presets.js';
import { Provider, rejectsOptions, rejectsTokens } from '../../support/provider.js';

const iss = 'https://yourteam.cloudflareaccess.com';
const audience = '32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228';
// https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/application-token/
const provider = new Provider({
  aud: [audience],
  email: 'user@example.com',
  iss,
  type: 'app',
  identity_nonce: '6ei69kawdKzMIAPF',
  sub: '7335d417-61da-459d-899c-0a01c76a2f94',
  country: 'US',
}).publishKeys(`${iss}/cdn-cgi/access/certs`);
// The same page, "Service token authentication".
const serviceToken = {
  email: undefined,
  identity_nonce: undefined,
  country: undefined,
  common_name: 'e367826f93b8d71185e03fe518aff3b4.access',
  sub: '',
};
const arguments_ = { team: 'yourteam', audience };

describe('cloudflareAccess', () => {
  it('accepts the application token of a user, without scopes, roles and permissions', async () => {
    const claims = { scope: 'a', roles: ['b'], permissions: ['c'] };
    const token = await provider.verify(cloudflareAccess(arguments_), provider.token(claims));
    expect([token.scopes, token.roles, token.permissions]).toEqual([[], [], []]);
  });

  it('reads the token only from the header of Cloudflare Access', () => {
    const place = { from: 'header', name: 'cf-access-jwt-assertion', origins: [] };
    expect(cloudflareAccess(arguments_).tokenFrom).toEqual([place]);
  });

  it('has another issuer for a FedRAMP team', () => {
    expect(cloudflareAccess({ ...arguments_, team: 'acme.fed' }).issuer).toBe('https://acme.fed.cloudflareaccess.com');
  });

  rejectsTokens(provider, cloudflareAccess(arguments_), [
    ['of another team', { iss: 'https://evil.cloudflareaccess.com' }, 'ISSUER_UNTRUSTED'],
    ['of another application', { aud: ['0'.repeat(64)] }, 'AUDIENCE_MISMATCH'],
    ['that is a global session token', { type: 'org' }, 'CLAIM_INVALID'],
    ['without a type', { type: undefined }, 'CLAIM_MISSING'],
    ['of a service token', serviceToken, 'CLAIM_INVALID'],
    ['without a subject', { sub: undefined }, 'CLAIM_INVALID'],
  ]);

  const withService = cloudflareAccess({ ...arguments_, serviceTokens: ['e367826f93b8d71185e03fe518aff3b4.access'] });

  it('accepts a listed service token, and users', async () => {
    expect(await provider.outcome(withService, provider.token(serviceToken))).toBe('accepted');
    expect(await provider.outcome(withService, provider.token())).toBe('accepted');
  });

  rejectsTokens(provider, withService, [
    ['of another service token', { ...serviceToken, common_name: 'evil.access' }, 'CLAIM_INVALID'],
    ['of a service token without a name', { ...serviceToken, common_name: undefined }, 'CLAIM_MISSING'],
    ['of a service token that is a global session token', { ...serviceToken, type: 'org' }, 'CLAIM_INVALID'],
  ]);

  rejectsOptions(cloudflareAccess, arguments_, [
    ...['https://acme.cloudflareaccess.com', 'acme.cloudflareaccess.com', 'Acme', 'acme.evil'].map(
      (team) => [{ team }, `team: is "${team}". Set it to the team name`] as const,
    ),
    [{ audience: 'https://api.example.com' }, 'Set it to the Application Audience (AUD) Tag'],
    [{ serviceTokens: [] }, 'serviceTokens: is an empty list'],
  ]);
});
