import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../../../src/model/errors.js';
import type { AuthOptions } from '../../../src/index.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { entraId } from '../../../src/presets.js';
import { securityScheme } from '../../../src/swagger/security-scheme.js';
import { pathsOf } from '../../support/catching.js';

const ISSUER = 'https://issuer.example.com/realms/a';
const KNOWN = `${ISSUER}/.well-known/openid-configuration`;
const BEARER = { type: 'http', scheme: 'bearer' };
const ENDPOINT = 'https://x.example.com';
const OAUTH2 = { kind: 'oauth2', authorizationUrl: ENDPOINT, tokenUrl: ENDPOINT };

const audience = 'https://api.example.com';

/** @param auth the options of `AuthModule`. Default: without an issuer that is found by discovery. */
function schemeOf(options: unknown, auth: AuthOptions = { issuers: () => undefined }, securitySchemes: object = {}) {
  const document = { openapi: '3.0.0', components: { securitySchemes: securitySchemes as never } };
  return securityScheme(options as never, document, resolveOptions(auth)).scheme;
}

describe('the scheme without a kind', () => {
  const other = {
    issuer: 'https://other.example.com',
    audience,
    keys: { from: 'jwks', uri: `${ENDPOINT}/jwks` },
  } as const;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
  const metadata = 'https://issuer.example.com/metadata';

  it.each<[AuthOptions, string | RegExp]>([
    [{ issuer: ISSUER, audience }, KNOWN],
    [{ issuer: `${ISSUER}/`, audience }, KNOWN],
    [{ issuer: ISSUER, audience, keys: { from: 'discovery', uri: metadata } }, metadata],
    [{ issuers: [other, { issuer: ISSUER, audience }, { issuer: ENDPOINT, audience }] }, KNOWN],
    [
      entraId({ tenantId: '11111111-2222-3333-4444-555555555555', audience: '66666666-7777-8888-9999-000000000000' }),
      /^https:\/\/login\.microsoftonline\.com\/.*\/v2\.0\/\.well-known\/openid-configuration/,
    ],
  ])('is openIdConnect at the metadata of the first issuer that is found by discovery: %j', (settings, address) => {
    const { type, openIdConnectUrl } = schemeOf({}, settings);
    expect(type).toBe('openIdConnect');
    expect(openIdConnectUrl).toEqual(typeof address === 'string' ? address : expect.stringMatching(address));
  });

  it.each<[AuthOptions]>([
    [{ issuer: ISSUER, audience, keys: { from: 'discovery', uri: 'https://keycloak.internal:8443/metadata' } }],
    [other],
    [{ issuer: ISSUER, audience, keys: { from: 'static', jwks: { keys: [jwk] } } }],
    [{ issuer: 'orders', audience, keys: { from: 'discovery', uri: metadata } }],
    [{ issuers: () => undefined }],
  ])('is bearer if no address may be published: %j', (settings) => {
    expect(schemeOf({}, settings)).toEqual(BEARER);
    expect(() => schemeOf({ kind: 'openIdConnect' }, settings)).toThrow(/openIdConnectUrl: is missing/);
  });

  it('is the scheme of the document with the name, which a kind replaces', () => {
    const present = { accessToken: { type: 'apiKey', in: 'cookie', name: 'token' } };
    expect(schemeOf({}, undefined, present)).toBe(present.accessToken);
    expect(schemeOf({ kind: 'bearer' }, undefined, present)).toEqual(BEARER);
  });

  // A default scheme would describe another way to send the token.
  it.each([
    [{ scheme: 'cookie' }, { key: {} }, /scheme: 'cookie' is not a scheme with a type in the document \(key\)/],
    [{ scheme: 'constructor' }, {}, /scheme: 'constructor' is not a scheme/],
    [{ scheme: 'accessToken' }, {}, /\(it has none\)/],
    [{ scheme: 'broken' }, { broken: {} }, /scheme: 'broken' is not a scheme with a type/],
    [{}, { accessToken: { $ref: '#/x' } }, /scheme: 'accessToken' is not a scheme with a type/],
  ])('rejects %j where the document has %j', (options, present, message) => {
    expect(() => schemeOf(options, { issuer: ISSUER, audience }, present)).toThrow(message);
  });
});

describe('the options of a scheme', () => {
  it('may be http addresses on loopback, and anywhere if AuthModule allows http', () => {
    expect(schemeOf({ ...OAUTH2, tokenUrl: 'http://127.0.0.1:3000/token' })).toMatchObject({ type: 'oauth2' });
    const options = { ...OAUTH2, tokenUrl: 'http://keycloak.internal/token' };
    expect(() => schemeOf(options)).toThrow(/tokenUrl: is ".* Set it to an https address/);
    expect(schemeOf(options, { issuer: ENDPOINT, audience, insecureAllowHttp: true })).toMatchObject({
      type: 'oauth2',
    });
    expect(schemeOf({ kind: 'openIdConnect', openIdConnectUrl: KNOWN }, { issuer: ENDPOINT, audience })).toEqual({
      type: 'openIdConnect',
      openIdConnectUrl: KNOWN,
    });
  });

  it('are rejected together, each with its path', () => {
    const options = { kind: 'oauth2', scheme: 'a b', authorizationURL: ENDPOINT, tokenUrl: 'token', scopes: ['read'] };
    expect(pathsOf(() => schemeOf(options))).toEqual([
      'authorizationURL',
      'scheme',
      'authorizationUrl',
      'tokenUrl',
      'scopes',
    ]);
  });

  it.each([
    [{ scheme: '' }, /scheme: must be a name/],
    [{ scheme: 1 }, /scheme: must be a name/],
    [{ kind: 'constructor' }, /kind: must be/],
    [{ kind: 'oauth2', tokenUrl: ENDPOINT }, /authorizationUrl: is missing/],
    [{ kind: 'oauth2', authorizationUrl: ENDPOINT }, /tokenUrl: is missing/],
    [{ ...OAUTH2, authorizationUrl: 'authorize' }, /authorizationUrl: is ".* Set it to an https address/],
    [{ ...OAUTH2, tokenUrl: 'javascript:alert(1)' }, /tokenUrl: is ".* Set it to an https address/],
    [{ kind: 'openIdConnect', openIdConnectUrl: 'metadata' }, /openIdConnectUrl: is ".* Set it to an https address/],
    [{ ...OAUTH2, scopes: ['read'] }, /scopes: is a list/],
    [{ ...OAUTH2, scopes: { read: undefined } }, /scopes.read: must be a description/],
    [{ ...OAUTH2, scopes: { 'read write': '' } }, /scopes: contains "read write"/],
    [{ ...OAUTH2, openIdConnectUrl: ENDPOINT }, /openIdConnectUrl: is an option of kind 'openIdConnect' only/],
    [{ authorizationUrl: ENDPOINT }, /authorizationUrl: is an option of kind 'oauth2' only/],
    ['oauth2', /options: is "oauth2"/],
  ])('are rejected: %j', (options, message) => {
    expect(() => schemeOf(options)).toThrow(ConfigurationError);
    expect(() => schemeOf(options)).toThrow(message);
  });
});
