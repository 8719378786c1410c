import { describe, expect, it } from '@jest/globals';
import { recognisedProvider } from '../../../../src/cli/doctor/recognised-provider.js';

const tenant = '11111111-2222-3333-4444-555555555555';

/** What the preset makes of what is printed for it. */
const made = (issuer: string, audience?: string) =>
  recognisedProvider(issuer)?.call(audience === undefined ? undefined : [audience]);

const problems = (issuer: string, audience: string) =>
  made(issuer, audience)?.problems.map(({ path, message }) => `${path} ${message}`) ?? ['not recognised'];

describe('the preset that is printed for an issuer', () => {
  it.each([
    ['https://tenant.eu.auth0.com/', 'https://api.example.com'],
    ['https://id.example.com/auth/realms/shop', 'orders-api'],
    ['https://id.example.com/realms/my%20shop', 'orders-api'],
    [`https://login.microsoftonline.com/${tenant}/v2.0`, tenant],
    [`https://sts.windows.net/${tenant}/`, tenant],
    [`https://login.microsoftonline.us/${tenant}/v2.0`, tenant],
    [`https://login.partner.microsoftonline.cn/${tenant}/v2.0`, tenant],
    [`https://sts.chinacloudapi.cn/${tenant}/`, tenant],
    ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI', 'client'],
    ['https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI', 'client'],
    ['https://example.okta.com/oauth2/default', 'api://default'],
    ['https://example.okta.com/oauth2/aus1', 'api://orders'],
    ['https://accounts.google.com', 'https://orders.example.com'],
    ['https://securetoken.google.com/shop-1', 'shop-1'],
    ['https://my.zitadel.cloud', '69234237810729019'],
    ['https://abcdefghijklmnopqrst.supabase.co/auth/v1', 'authenticated'],
    ['https://abcdefghijklmnopqrst.supabase.co/auth/v1', 'orders'],
    ['https://my-shop.supabase.co/auth/v1', 'authenticated'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com'],
    ['https://shop.logto.app/oidc', 'https://api.example.com'],
    ['https://token.actions.githubusercontent.com', 'https://api.example.com'],
    ['https://token.actions.githubusercontent.com/octocorp', 'https://api.example.com'],
    ['https://token.actions.octocorp.ghe.com', 'https://api.example.com'],
  ])('makes options for that very issuer: %s', (issuer, audience) => {
    expect(problems(issuer, audience)).toEqual([]);
    const options = made(issuer, audience)?.issuers.find((one) => one.issuer === issuer);
    expect([options?.audience].flat()).toContain(audience);
    expect(options?.audienceClaim ?? 'aud').toBe(recognisedProvider(issuer)?.audienceClaim);
    expect(made(issuer)?.problems).toEqual([]);
  });

  it.each([
    ['https://id.example.com'],
    ['https://tenant.eu.auth0.com'],
    ['https://id.example.com/realms/shop/'],
    // The preset has it without the port: another name.
    ['https://id.example.com:443/realms/shop'],
  ])('is none for a name that may be anybody, or that it would write otherwise: %s', (issuer) => {
    expect(recognisedProvider(issuer)).toBeUndefined();
  });

  it.each([
    ['accounts.google.com', 'google'],
    ['https://accounts.google.com/', 'google'],
    ['https://accounts.google.com:443', 'google'],
    ['https://token.actions.githubusercontent.com/', 'github'],
    [`https://login.microsoftonline.com/${tenant}`, 'entraId'],
    [`https://sts.windows.net/${tenant}`, 'entraId'],
    ['https://securetoken.google.com/shop-1/', 'firebase'],
  ])('is there in any spelling where it checks more than issuer and audience: %s', (issuer, preset) => {
    expect(recognisedProvider(issuer)?.preset).toBe(preset);
  });

  it.each([
    ['https://my.zitadel.cloud', 'orders', 'audience must be the id of a project, a number'],
    [`https://login.microsoftonline.com/${tenant}/v2.0`, 'api', 'audience must contain the client id of your API'],
    ['https://happy-cat-1.clerk.accounts.dev', 'https://example.com/', 'authorizedParties must be origins'],
    ['https://id.example.com/realms/shop', 'account', "audience must not be 'account'"],
    ['https://securetoken.google.com/shop-1', 'orders', 'audience is not asked for: tokens name "shop-1"'],
    ['https://login.microsoftonline.com/common/v2.0', tenant, "tenantId is 'common', which accepts every tenant"],
    ['https://example-admin.okta.com/oauth2/default', 'api', 'domain is that of the Admin Console'],
  ])('says what it has against its arguments: %s for %s', (issuer, audience, message) => {
    expect(problems(issuer, audience)).toEqual([expect.stringContaining(message)]);
  });

  it('knows what tokens name by themselves', () => {
    expect(recognisedProvider('https://securetoken.google.com/shop-1')?.usualAudience).toBe('shop-1');
    expect(recognisedProvider('https://abc.supabase.co/auth/v1')?.usualAudience).toBe('authenticated');
    expect(recognisedProvider('https://tenant.auth0.com/')?.usualAudience).toBeUndefined();
  });
});
