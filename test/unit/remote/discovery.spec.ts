import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { discoverJwksUri, metadataLocations } from '../../../src/remote/discovery.js';
import { LocalIssuer } from '../../support/local-issuer.js';

let server: LocalIssuer;

beforeEach(async () => {
  server = await LocalIssuer.start();
  server.handlers.delete('/.well-known/openid-configuration');
});

afterEach(() => server.stop());

const discover = (issuer: string, options: { uri?: string; allowHttp?: boolean } = {}) =>
  discoverJwksUri(issuer, { fetch, timeoutMs: 2_000, uri: options.uri, allowHttp: options.allowHttp ?? false });

describe('metadataLocations', () => {
  it.each([
    [
      'https://issuer.example.com',
      [
        'https://issuer.example.com/.well-known/openid-configuration',
        'https://issuer.example.com/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://issuer.example.com/',
      [
        'https://issuer.example.com/.well-known/openid-configuration',
        'https://issuer.example.com/.well-known/oauth-authorization-server',
      ],
    ],
    [
      'https://issuer.example.com/realms/acme',
      [
        'https://issuer.example.com/realms/acme/.well-known/openid-configuration',
        'https://issuer.example.com/.well-known/oauth-authorization-server/realms/acme',
        'https://issuer.example.com/.well-known/openid-configuration/realms/acme',
      ],
    ],
  ])('of %s are those of OpenID Connect Discovery §4 and RFC 8414 §3', (issuer, locations) => {
    expect(metadataLocations(issuer)).toEqual(locations);
  });
});

describe('discoverJwksUri', () => {
  it.each([
    '/tenant/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server/tenant',
    '/.well-known/openid-configuration/tenant',
  ])('finds the metadata of an issuer with a path at %s', async (location) => {
    const issuer = `${server.url}/tenant`;
    server.json(location, () => ({ issuer, jwks_uri: `${server.url}/keys` }));
    await expect(discover(issuer)).resolves.toBe(`${server.url}/keys`);
  });

  it('goes on where a login page answers', async () => {
    server.handlers.set('/.well-known/openid-configuration', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    });
    server.json('/.well-known/oauth-authorization-server', () => ({ issuer: server.url, jwks_uri: `${server.url}/k` }));
    await expect(discover(server.url)).resolves.toBe(`${server.url}/k`);
  });

  it('finds metadata that live elsewhere, whose issuer is ours', async () => {
    const issuer = 'https://sts.example.com/tenant/';
    server.json('/metadata', () => ({ issuer, jwks_uri: 'https://keys.example.com/' }));
    await expect(discover(issuer, { uri: `${server.url}/metadata` })).resolves.toBe('https://keys.example.com/');
  });

  it.each([
    ['of another issuer', { issuer: 'https://evil.example.com', jwks_uri: 'https://evil.example.com/k' }, 'not of'],
    ['of our issuer with a slash', { issuer: '(ours)/', jwks_uri: 'https://issuer.example.com/k' }, 'not of'],
    ['without an issuer', { jwks_uri: 'https://issuer.example.com/k' }, 'no issuer'],
    ['that are null', null, 'no issuer'],
    ['that are a list', [], 'no issuer'],
    ['without jwks_uri', { issuer: '(ours)' }, 'no jwks_uri'],
    ['whose jwks_uri is no string', { issuer: '(ours)', jwks_uri: 7 }, 'no jwks_uri'],
    ['whose jwks_uri is no address', { issuer: '(ours)', jwks_uri: 'keys' }, 'no jwks_uri'],
    ['whose jwks_uri is http', { issuer: '(ours)', jwks_uri: 'http://issuer.example.com/k' }, 'no jwks_uri'],
    ['whose jwks_uri is a file', { issuer: '(ours)', jwks_uri: 'file:///etc/passwd' }, 'no jwks_uri'],
  ])('refuses metadata %s', async (_what, metadata, reason) => {
    const text = JSON.stringify(metadata).replace('(ours)', server.url);
    server.json('/.well-known/openid-configuration', () => JSON.parse(text) as unknown);
    await expect(discover(server.url)).rejects.toThrow(reason);
  });

  it('takes a jwks_uri over http where that is allowed by name', async () => {
    server.json('/.well-known/openid-configuration', () => ({
      issuer: server.url,
      jwks_uri: 'http://keys.internal/k',
    }));
    await expect(discover(server.url, { allowHttp: true })).resolves.toBe('http://keys.internal/k');
  });

  it('says for every location why it did not do', async () => {
    await expect(discover(`${server.url}/t`)).rejects.toThrow(
      /openid-configuration: .*404.*oauth-authorization-server\/t: .*404.*openid-configuration\/t: .*404/,
    );
  });
});
