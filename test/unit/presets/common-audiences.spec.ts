import { describe, expect, it } from '@jest/globals';
import { apiOfAuth0, isClientOfEachRealm, isCommonAudience } from '../../../src/presets/common-audiences.js';

const ISSUER = 'https://login.example.com/';

describe('an audience that tokens of a provider name whatever API they are for', () => {
  it.each([
    'account',
    'account-console',
    'realm-management',
    'broker',
    'security-admin-console',
    'admin-cli',
    'https://tenant.eu.auth0.com/userinfo',
    'https://tenant.eu.auth0.com/api/v2/',
    'https://tenant.eu.auth0.com/api/v2',
    'https://login.example.com/userinfo',
    'https://login.example.com/api/v2/',
    '00000002-0000-0000-c000-000000000000',
    '00000003-0000-0000-c000-000000000000',
    '00000003-0000-0000-C000-000000000000',
    'https://graph.microsoft.com',
    'https://graph.microsoft.com/',
    'https://graph.microsoft.us',
    'https://dod-graph.microsoft.us',
    'https://microsoftgraph.chinacloudapi.cn',
    'https://graph.windows.net',
    'https://graph.windows.net/',
    'https://management.azure.com',
    'https://management.azure.com/',
    'https://management.core.windows.net',
    'https://management.core.windows.net/',
  ])('is %s', (audience) => {
    expect(isCommonAudience(audience, ISSUER)).toBe(true);
  });

  it.each([
    'accounts',
    'my-account',
    'orders-broker',
    'https://api.example.com/userinfo',
    'https://api.example.com/api/v2/',
    'https://login.example.com/api/v2/orders',
    'https://evilauth0.com/userinfo',
    '00000004-0000-0000-c000-000000000000',
    'https://graph.example.com',
    'https://graph.microsoft.com.example.com',
    'https://graph.microsoft.com/orders',
    'https://graphxwindows.net',
    'https://management.example.com',
    'https://orders.management.azure.com',
  ])('is not %s', (audience) => {
    expect(isCommonAudience(audience, ISSUER)).toBe(false);
  });

  it('is known without an issuer by the name of the provider only', () => {
    expect(isCommonAudience('https://tenant.auth0.com/userinfo', undefined)).toBe(true);
    expect(isCommonAudience('https://login.example.com/userinfo', undefined)).toBe(false);
    expect(isCommonAudience('https://login.example.com/userinfo', 'no address')).toBe(false);
  });

  it('is a client of Keycloak to the letter, of which another one may differ in its case', () => {
    expect([isClientOfEachRealm('account'), isClientOfEachRealm('Account')]).toEqual([true, false]);
  });

  it('says what of Auth0 it is', () => {
    expect(apiOfAuth0('https://Tenant.auth0.com/userinfo', 'login.example.com')).toBe('userinfo');
    expect(apiOfAuth0('https://login.example.com/api/v2', 'login.example.com')).toBe('management');
  });
});
