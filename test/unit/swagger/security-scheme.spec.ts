import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/errors.js';
import { entraId } from '../../../src/presets.js';
import type { SecurityOptions } from '../../../src/swagger/security-options.js';
import { type GivenIssuers, securityScheme } from '../../../src/swagger/security-scheme.js';

const ISSUER = 'https://issuer.example.com/realms/a';
const KNOWN = `${ISSUER}/.well-known/openid-configuration`;

const addressOf = (given: GivenIssuers) => securityScheme({}, {}, given).scheme.openIdConnectUrl;

describe('without a kind, the address of the metadata', () => {
  it('is that of the issuer, with or without a slash', () => {
    expect(addressOf({ issuer: ISSUER })).toBe(KNOWN);
    expect(addressOf({ issuer: `${ISSUER}/` })).toBe(KNOWN);
  });

  it('is that of the first of several', () => {
    expect(addressOf({ issuers: [{ issuer: ISSUER }, { issuer: 'https://other.example.com' }] })).toBe(KNOWN);
  });

  it('is that of the first that gives any, where one has its metadata elsewhere: both versions of Entra ID', () => {
    const { issuers } = entraId({
      tenantId: '11111111-2222-3333-4444-555555555555',
      audience: '66666666-7777-8888-9999-000000000000',
    });
    expect(addressOf({ issuers })).toMatch(
      /^https:\/\/login\.microsoftonline\.com\/.*\/v2\.0\/\.well-known\/openid-configuration/,
    );
  });

  it('is the one that is given, at the same origin', () => {
    const uri = 'https://issuer.example.com/metadata';
    expect(addressOf({ issuer: ISSUER, keys: { from: 'discovery', uri } })).toBe(uri);
  });

  it('is never one of another network', () => {
    const given = { issuer: ISSUER, keys: { from: 'discovery', uri: 'http://keycloak.internal:8080/metadata' } };
    expect(securityScheme({}, {}, given).scheme).toEqual({ type: 'http', scheme: 'bearer' });
  });

  it.each([
    [{ issuer: ISSUER, keys: { from: 'jwks', uri: `${ISSUER}/jwks` } }],
    [{ issuer: ISSUER, keys: { from: 'static', jwks: { keys: [] } } }],
    [{ issuer: 'orders' }],
    [{ issuers: [] }],
    [{ issuers: () => undefined }],
  ])('is not made up for %j', (given) => {
    expect(securityScheme({}, {}, given as never).scheme).toEqual({ type: 'http', scheme: 'bearer' });
    expect(() => securityScheme({ kind: 'openIdConnect' }, {}, given as never)).toThrow(/openIdConnectUrl: must be/);
  });

  it('may be given', () => {
    const { scheme } = securityScheme({ kind: 'openIdConnect', openIdConnectUrl: KNOWN }, {}, {});
    expect(scheme).toEqual({ type: 'openIdConnect', openIdConnectUrl: KNOWN });
  });
});

describe('a scheme of the document', () => {
  const present = { accessToken: { type: 'apiKey', in: 'cookie', name: 'token' }, broken: {} };

  it('is taken without a kind, and replaced with one', () => {
    expect(securityScheme({}, present, {}).scheme).toBe(present.accessToken);
    expect(securityScheme({ kind: 'bearer' }, present, {}).scheme.type).toBe('http');
    expect(securityScheme({ scheme: 'broken' }, present, {}).scheme.type).toBe('http');
    expect(securityScheme({ scheme: 'constructor' }, present, {}).scheme.type).toBe('http');
  });
});

describe('options that cannot be used', () => {
  it.each([
    [{ scheme: '' }, /scheme: must be a name/],
    [{ scheme: 'a b' }, /scheme: must be a name/],
    [{ scheme: 1 }, /scheme: must be a name/],
    [{ kind: 'oauth' }, /kind: must be/],
    [{ kind: 'oauth2', tokenUrl: 'https://x.example.com' }, /authorizationUrl: must be/],
    [{ kind: 'oauth2', authorizationUrl: 'https://x.example.com' }, /tokenUrl: must be/],
  ])('%j are refused', (options, message) => {
    const make = () => securityScheme(options as unknown as SecurityOptions, {}, {});
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});
