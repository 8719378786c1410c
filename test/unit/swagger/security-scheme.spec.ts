import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
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
    expect(() => securityScheme({ kind: 'openIdConnect' }, {}, given as never)).toThrow(/openIdConnectUrl: is missing/);
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
    expect(securityScheme({ scheme: 'broken', kind: 'bearer' }, present, {}).scheme.type).toBe('http');
  });

  // A scheme would be made instead, and the document would tell of another way to send the token.
  it.each([
    ['cookie', /scheme: there is no 'cookie' among the schemes of the document \(accessToken, broken\)/],
    ['constructor', /scheme: there is no 'constructor'/],
    ['broken', /scheme: 'broken' of the document has no type/],
  ])('is missed when a name is given without a kind, and leads nowhere: %s', (scheme, message) => {
    const make = () => securityScheme({ scheme }, present, { issuer: ISSUER });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });

  it('is missed under the default name, too, where that was given', () => {
    expect(() => securityScheme({ scheme: 'accessToken' }, {}, {})).toThrow(/\(it has none\)/);
    expect(securityScheme({}, {}, {}).name).toBe('accessToken');
  });

  it('is not put in the place of a broken one', () => {
    expect(() => securityScheme({}, { accessToken: { $ref: '#/x' } }, {})).toThrow(/has no type/);
  });
});

const ENDPOINT = 'https://x.example.com';
const OAUTH2 = { kind: 'oauth2', authorizationUrl: ENDPOINT, tokenUrl: ENDPOINT } as const;

describe('addresses', () => {
  it('may be of http on loopback', () => {
    const tokenUrl = 'http://127.0.0.1:3000/token';
    expect(securityScheme({ ...OAUTH2, tokenUrl }, {}, {}).scheme).toMatchObject({
      flows: { authorizationCode: { tokenUrl } },
    });
  });

  it('may be of http elsewhere where AuthModule may', () => {
    const options = { ...OAUTH2, tokenUrl: 'http://keycloak.internal/token' };
    expect(() => securityScheme(options, {}, {})).toThrow(/tokenUrl/);
    expect(() => securityScheme(options, {}, { insecureAllowHttp: true })).not.toThrow();
  });
});

describe('options that cannot be used', () => {
  it('are told together, each with its path', () => {
    const options = { kind: 'oauth2', scheme: 'a b', authorizationURL: ENDPOINT, tokenUrl: 'token', scopes: ['read'] };
    let problems: unknown;
    try {
      securityScheme(options as never, {}, {});
    } catch (error) {
      problems = (error as ConfigurationError).problems.map(({ path }) => path);
    }
    expect(problems).toEqual(['authorizationURL', 'scheme', 'authorizationUrl', 'tokenUrl', 'scopes']);
  });

  it.each([
    [{ scheme: '' }, /scheme: must be a name/],
    [{ scheme: 'a b' }, /scheme: must be a name/],
    [{ scheme: 1 }, /scheme: must be a name/],
    [{ kind: 'oauth' }, /kind: must be/],
    [{ kind: 'constructor' }, /kind: must be/],
    [{ kind: 'oauth2', tokenUrl: ENDPOINT }, /authorizationUrl: is missing/],
    [{ kind: 'oauth2', authorizationUrl: ENDPOINT }, /tokenUrl: is missing/],
    [{ kind: 'oauth2', authorizationUrl: 'authorize', tokenUrl: ENDPOINT }, /authorizationUrl: must be an https/],
    [{ kind: 'oauth2', authorizationUrl: ENDPOINT, tokenUrl: 'javascript:alert(1)' }, /tokenUrl: must be an https/],
    [{ kind: 'oauth2', authorizationUrl: ENDPOINT, tokenUrl: 'http://x.example.com' }, /tokenUrl: must be an https/],
    [{ kind: 'oauth2', authorizationUrl: ENDPOINT, tokenUrl: 'https://undefined/token' }, /Set the variable/],
    [{ kind: 'openIdConnect', openIdConnectUrl: 'metadata' }, /openIdConnectUrl: must be an https/],
    [{ ...OAUTH2, scopes: ['read'] }, /scopes: .* Set it to an object/],
    [{ ...OAUTH2, scopes: { read: undefined } }, /scopes.read: must be its description/],
    [{ ...OAUTH2, scopes: { 'read write': '' } }, /scopes: contains "read write"/],
    [{ ...OAUTH2, authorizationURL: ENDPOINT }, /authorizationURL: is unknown/],
    [{ ...OAUTH2, openIdConnectUrl: ENDPOINT }, /openIdConnectUrl: is an option of kind 'openIdConnect' only/],
    [{ authorizationUrl: ENDPOINT }, /authorizationUrl: is an option of kind 'oauth2' only/],
    [{ kind: 'bearer', tokenUrl: ENDPOINT }, /tokenUrl: is an option of kind 'oauth2' only/],
    ['oauth2', /options: .* Set it to an object/],
  ])('%j are refused', (options, message) => {
    const make = () => securityScheme(options as unknown as SecurityOptions, {}, {});
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });
});
