import { expect, it } from '@jest/globals';
import { claimsOfPage, verifyWith } from '../../../../test/support/provider-page.js';
import { auth } from '../src/auth.js';
import { externalTenant } from '../src/external.js';
import { options } from '../src/tenants.js';

const claims = claimsOfPage('entra-id');
const customer = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const ofCustomer = { ...claims, tid: customer };
const b2c = { ...externalTenant, issuer: `https://contoso.b2clogin.com/${customer}/v2.0/` };

it('accepts the token of the page, and its form of version 1.0', async () => {
  const granted = { scopes: ['Orders.Read'], roles: ['support'] };
  expect(await verifyWith(auth, claims)).toMatchObject(granted);
  const version1 = { iss: `https://sts.windows.net/${String(claims.tid)}/`, azp: undefined, appid: claims.azp };
  const audience = { aud: `api://${String(claims.aud)}` };
  expect(await verifyWith(auth, { ...claims, ...version1, ...audience })).toMatchObject(granted);
});

it.each([
  ['a token for Microsoft Graph', { aud: '00000003-0000-0000-c000-000000000000' }, 'AUDIENCE_MISMATCH'],
  ['an ID token', { azp: undefined }, 'CLAIM_MISSING'],
  ['another tenant', { tid: customer }, 'CLAIM_INVALID'],
])('rejects %s', async (_name, change, code) => {
  await expect(verifyWith(auth, { ...claims, ...change })).rejects.toMatchObject({ code });
});

it('accepts only tokens of listed tenants', async () => {
  const iss = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
  expect(await verifyWith(options, { ...ofCustomer, iss: iss(customer) })).toMatchObject({ roles: ['support'] });
  await expect(verifyWith(options, { ...claims, iss: iss(String(claims.tid)) })).rejects.toThrow('does not trust');
});

it.each([
  ['external tenants', externalTenant],
  ['Azure AD B2C', b2c],
])('accepts access tokens of %s, but no ID tokens', async (_name, issuer) => {
  const iss = issuer.issuer;
  expect(await verifyWith(issuer, { ...ofCustomer, iss })).toMatchObject({ scopes: ['Orders.Read'] });
  await expect(verifyWith(issuer, { ...ofCustomer, iss, azp: undefined })).rejects.toMatchObject({
    code: 'CLAIM_MISSING',
  });
});
