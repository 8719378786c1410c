import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { discoverJwksUri, metadataLocations } from '../../../src/remote/metadata.js';
import { LocalIssuer } from '../../support/local-issuer.js';

let server: LocalIssuer;

beforeEach(async () => {
  server = await LocalIssuer.start();
  server.handlers.delete('/.well-known/openid-configuration');
});

afterEach(() => server.stop());

const discover = (issuer: string, options: { uri?: string; allowHttp?: boolean } = {}) =>
  discoverJwksUri(issuer, {
    fetch,
    timeoutMs: 2_000,
    maxBytes: 65_536,
    jwksOrigins: undefined,
    uri: undefined,
    allowHttp: false,
    ...options,
  });

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
    ['whose jwks_uri is no address', { issuer: '(ours)', jwks_uri: 'keys' }, 'may not be fetched'],
    ['whose jwks_uri is http', { issuer: '(ours)', jwks_uri: 'http://issuer.example.com/k' }, 'may not be fetched'],
    ['whose jwks_uri is a file', { issuer: '(ours)', jwks_uri: 'file:///etc/passwd' }, 'may not be fetched'],
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

describe('The address that metadata name for the keys', () => {
  /** Metadata that come from a public host, as far as the fetched address says. */
  const discoverFrom = (
    jwksUri: string,
    jwksOrigins?: readonly string[],
    location = 'https://issuer.example.com/meta',
  ) =>
    discoverJwksUri('https://issuer.example.com', {
      fetch: () => Promise.resolve(Response.json({ issuer: 'https://issuer.example.com', jwks_uri: jwksUri })),
      timeoutMs: 1_000,
      maxBytes: 65_536,
      uri: location,
      allowHttp: false,
      jwksOrigins,
    });

  it.each([
    'https://localhost/k',
    'https://keys.localhost/k',
    'http://localhost/k',
    'https://127.0.0.1/k',
    'https://2130706433/k',
    'https://0x7f.1/k',
    'http://127.0.0.1:8080/k',
    'https://[::1]/k',
    'https://[::ffff:127.0.0.1]/k',
    'https://[::]/k',
    'https://0.0.0.0/k',
    'https://10.1.2.3/k',
    'https://100.64.0.1/k',
    'https://172.31.255.255/k',
    'https://192.168.0.1/k',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00::1]/k',
    'https://[fe80::1]/k',
    'https://localhost./k',
  ])('must not lead into an internal network: %s', async (jwksUri) => {
    await expect(discoverFrom(jwksUri)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  });

  it.each(['https://127.0.0.1/k', 'https://10.1.2.3/k', 'http://localhost:8080/k'])(
    'may be internal where the metadata are: %s',
    async (jwksUri) => {
      await expect(discoverFrom(jwksUri, undefined, 'https://10.0.0.1/meta')).resolves.toBe(jwksUri);
    },
  );

  it('may be on another host, as with large issuers', async () => {
    const jwksUri = 'https://www.googleapis.example.com/oauth2/v3/certs';
    await expect(discoverFrom(jwksUri)).resolves.toBe(jwksUri);
    await expect(discoverFrom('https://172.32.0.1/k')).resolves.toBe('https://172.32.0.1/k');
  });

  it('must have an origin of the list, where there is one', async () => {
    const origins = ['https://keys.example.com'];
    await expect(discoverFrom('https://keys.example.com/k', origins)).resolves.toBe('https://keys.example.com/k');
    for (const jwksUri of [
      'https://issuer.example.com/k',
      'https://keys.example.com:8443/k',
      'https://keys.example.com.evil.example/k',
    ]) {
      await expect(discoverFrom(jwksUri, origins)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    }
  });
});

it('asks no other location when nobody answers at the first', async () => {
  const asked: string[] = [];
  const fetchNothing = (address: unknown) => {
    asked.push(String(address));
    return Promise.reject(new TypeError('fetch failed'));
  };
  const options = { timeoutMs: 1_000, maxBytes: 1_024, uri: undefined, allowHttp: false, jwksOrigins: undefined };
  const discovery = discoverJwksUri('https://issuer.example.com/t', { ...options, fetch: fetchNothing });
  await expect(discovery).rejects.toMatchObject({ code: 'NETWORK' });
  expect(asked).toEqual(['https://issuer.example.com/t/.well-known/openid-configuration']);
});
