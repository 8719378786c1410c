import { beforeEach, describe, expect, it } from '@jest/globals';
import { polluted } from '../../support/polluted.js';
import { metadataLocations, MetadataSource, requireJwksUri } from '../../../src/remote/metadata.js';

const ISSUER = 'https://issuer.example.com';
const [OPENID, OAUTH] = [
  `${ISSUER}/.well-known/openid-configuration`,
  `${ISSUER}/.well-known/oauth-authorization-server`,
];
const REQUEST = { uri: undefined, timeoutMs: 1_000, maxBytes: 65_536 };

let documents: Record<string, unknown>;
let requests: string[];
let source: MetadataSource;

beforeEach(() => {
  documents = {};
  requests = [];
  const fetch = (input: unknown) => {
    const address = input as string;
    requests.push(address);
    return Promise.resolve(
      address in documents ? Response.json(documents[address]) : new Response(null, { status: 404 }),
    );
  };
  source = new MetadataSource({ fetch, allowHttp: false });
});

describe('the well-known locations of metadata', () => {
  it.each([
    [ISSUER, [OPENID, OAUTH]],
    [`${ISSUER}/`, [OPENID, OAUTH]],
    [
      `${ISSUER}/realms/acme`,
      [`${ISSUER}/realms/acme/.well-known/openid-configuration`, `${OAUTH}/realms/acme`, `${OPENID}/realms/acme`],
    ],
  ])('of %s are those of OpenID Connect Discovery §4 and RFC 8414 §3', (issuer, locations) => {
    expect(metadataLocations(issuer)).toEqual(locations);
  });
});

describe('MetadataSource', () => {
  const metadata = { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` };

  it('fetches the metadata of an issuer once', async () => {
    documents[OPENID] = { ...metadata, token_endpoint: 7, scopes: [] };
    const [first, second] = await Promise.all([source.get(ISSUER, REQUEST), source.get(ISSUER, REQUEST, true)]);
    expect([first, second, await source.get(ISSUER, REQUEST)]).toEqual([metadata, metadata, metadata]);
    expect(requests).toEqual([OPENID]);
  });

  it('keeps the cached metadata if a refresh fails, and replaces them if it succeeds', async () => {
    documents[OPENID] = metadata;
    await source.get(ISSUER, REQUEST);
    documents[OPENID] = {};
    await expect(source.get(ISSUER, REQUEST, true)).rejects.toMatchObject({ name: 'FetchError' });
    expect(await source.get(ISSUER, REQUEST)).toEqual(metadata);
    documents[OPENID] = { ...metadata, jwks_uri: `${ISSUER}/moved` };
    await source.get(ISSUER, REQUEST, true);
    expect(await source.get(ISSUER, REQUEST)).toMatchObject({ jwks_uri: `${ISSUER}/moved` });
  });

  it('reads no member of a polluted prototype', async () => {
    documents[OPENID] = {};
    const get = () => source.get(ISSUER, REQUEST);
    await expect(polluted(metadata, get)).rejects.toMatchObject({ name: 'FetchError' });
    documents[OPENID] = { issuer: ISSUER };
    expect(await polluted({ jwks_uri: 'https://evil.example.com' }, get)).toEqual({ issuer: ISSUER });
  });

  it('requests metadata again after a failure', async () => {
    await expect(source.get(ISSUER, REQUEST)).rejects.toMatchObject({ code: 'STATUS' });
    documents[OAUTH] = metadata;
    expect(await source.get(ISSUER, REQUEST)).toEqual(metadata);
  });

  it('uses metadata without keys only if no other location has metadata with keys', async () => {
    documents[OPENID] = { issuer: ISSUER };
    expect(await source.get(ISSUER, REQUEST)).toEqual({ issuer: ISSUER });
    documents[OAUTH] = metadata;
    expect(await source.get(ISSUER, REQUEST, true)).toEqual(metadata);
  });

  it('does not share a document between locations', async () => {
    const uri = 'https://sts.example.com/metadata?key=s3cret';
    documents[OPENID] = metadata;
    await source.get(ISSUER, REQUEST);
    await expect(source.get(ISSUER, { ...REQUEST, uri })).rejects.toMatchObject({ code: 'STATUS' });
  });

  it.each([
    [
      'of another issuer',
      { issuer: 'https://evil.example.com' },
      'is the metadata of "https://evil.example.com", not of',
    ],
    ['of the issuer with a slash', { issuer: `${ISSUER}/` }, 'not of'],
    ['without an issuer', { jwks_uri: `${ISSUER}/keys` }, 'no issuer'],
    ['that are null', null, 'no issuer'],
    ['that are a list', [], 'no issuer'],
  ])('rejects metadata %s (ISSUER_MISMATCH)', async (_what, document, reason) => {
    const uri = 'https://sts.example.com/metadata?key=s3cret';
    documents[uri] = document;
    const rejected = expect(source.get(ISSUER, { ...REQUEST, uri })).rejects;
    await rejected.toMatchObject({ code: 'ISSUER_MISMATCH', message: expect.stringContaining(reason) });
    // The query may contain a credential.
    await expect(source.get(ISSUER, { ...REQUEST, uri })).rejects.toThrow(/^https:\/\/sts\.example\.com\/metadata: /);
  });

  it('reports the problem of each location', async () => {
    await expect(source.get(`${ISSUER}/t`, REQUEST)).rejects.toThrow(
      /openid-configuration: .*404.*oauth-authorization-server\/t: .*404.*openid-configuration\/t: .*404/,
    );
  });
});

describe('the jwks_uri of metadata', () => {
  const require = (
    jwksUri: string | undefined,
    jwksOrigins?: readonly string[],
    location = `${ISSUER}/meta?key=s3cret`,
  ) => requireJwksUri(jwksUri, location, { jwksOrigins, allowHttp: false });
  const refusal = (problem: string) => ({
    code: 'ADDRESS_REFUSED',
    message: `${ISSUER}/meta: the metadata has a jwks_uri that ${problem}`,
  });
  const refusalOf = (...args: Parameters<typeof require>): unknown => {
    try {
      return require(...args);
    } catch (error) {
      return error;
    }
  };

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
    // The host is read in linear time.
    `https://a${'.'.repeat(200_000)}localhost./k`,
    // IPv4 as a browser reads it, and networks that are not globally reachable.
    'https://169.254.169.254./latest/meta-data',
    'https://0251.0376.0251.0376/k',
    'https://192.0.0.1/k',
    'https://198.19.0.1/k',
    'https://224.0.0.1/k',
    'https://255.255.255.255/k',
    // An IPv4 address in IPv6: mapped, compatible, translated, NAT64, 6to4, ISATAP, Teredo.
    'https://[::ffff:169.254.169.254]/k',
    'https://[::169.254.169.254]/k',
    'https://[::ffff:0:169.254.169.254]/k',
    'https://[64:ff9b::169.254.169.254]/k',
    'https://[64:ff9b::10.0.0.1]/k',
    'https://[64:ff9b:1::169.254.169.254]/k',
    'https://[64:ff9b:1:ffff::8.8.8.8]/k',
    'https://[2002:a9fe:a9fe::]/k',
    'https://[2002:7f00:1::1]/k',
    'https://[2002:c0a8:101:5::1]/k',
    'https://[2606:4700::5efe:169.254.169.254]/k',
    'https://[2606:4700::200:5efe:10.0.0.1]/k',
    'https://[2001:0:a9fe:a9fe::1]/k',
    // IPv6 that is not global unicast, or not globally reachable.
    'https://[fec0::1]/k',
    'https://[feff::1]/k',
    'https://[fe90::1]/k',
    'https://[fc00::1]/k',
    'https://[ff02::1]/k',
    'https://[100::1]/k',
    'https://[5f00::1]/k',
    'https://[2001:db8::1]/k',
    'https://[3fff::1]/k',
    'https://[2001:10::1]/k',
    // Names that only resolve inside a network.
    'https://keycloak/k',
    'https://metadata./k',
    'https://metadata.google.internal/computeMetadata',
    'https://METADATA.Google.Internal./k',
    'https://host.docker.internal/k',
    'https://printer.local/k',
    'https://keycloak.auth.svc/k',
    'https://keycloak.auth.svc.cluster.local/k',
    'https://keycloak.auth.svc.cluster.local./k',
    'https://router.home.arpa/k',
    'https://1.0.0.127.in-addr.arpa/k',
    'https://sso.corp/k',
    'https://sso.lan/k',
    'https://sso.home/k',
    'https://sso.intranet/k',
    'https://sso.private/k',
    'https://sso.localdomain/k',
    'https://sso.test/k',
    'https://sso.alt/k',
    'https://sso.invalid/k',
    'https://abc.onion/k',
    'https://ｌocalhost/k',
    'https://keycloak。internal/k',
  ])('of a public host must not point to an internal network: %s (ADDRESS_REFUSED)', (jwksUri) => {
    expect(refusalOf(jwksUri)).toMatchObject(
      refusal('points to an internal network (list its origin in `jwksOrigins` if that is right)'),
    );
    const { origin, href } = new URL(jwksUri);
    expect(require(jwksUri, [origin])).toBe(href);
  });

  it.each(['https://127.0.0.1/k', 'https://10.1.2.3/k', 'http://localhost:8080/k'])(
    'of an internal host may be internal: %s',
    (jwksUri) => {
      expect(require(jwksUri, undefined, 'https://10.0.0.1/meta')).toBe(jwksUri);
    },
  );

  it.each([
    'http://keycloak:8080',
    'http://keycloak.auth.svc.cluster.local:8080',
    'https://sso.corp.internal',
    'https://[fec0::1]',
    'https://[64:ff9b::a00:1]',
  ])('of a host that you configured in your network may be on that host: %s', (host) => {
    expect(requireJwksUri(`${host}/k`, `${host}/meta`, { allowHttp: true })).toBe(`${host}/k`);
  });

  it.each(['keys', 'http://issuer.example.com/k', 'file:///etc/passwd'])(
    'must not be %s (ADDRESS_REFUSED)',
    (jwksUri) => {
      expect(refusalOf(jwksUri)).toMatchObject(refusal('must not be fetched (use https, or http on loopback)'));
    },
  );

  it('is required (METADATA_INVALID)', () => {
    expect(refusalOf(undefined)).toMatchObject({ code: 'METADATA_INVALID' });
  });

  it('may be on another host, as with Google and Entra ID', () => {
    const jwksUri = 'https://www.googleapis.example.com/oauth2/v3/certs';
    expect(require(jwksUri)).toBe(jwksUri);
  });

  it.each([
    'https://172.32.0.1/k',
    'https://100.128.0.1/k',
    'https://[::ffff:808:808]/k',
    'https://[64:ff9b::808:808]/k',
    'https://[2002:808:808::1]/k',
    'https://[2606:4700:4700::1111]/k',
    'https://[2606:4700:0:1:a9fe:5efe:a9fe:a9fe]/k',
    'https://[2001:4860:4860::8888]/k',
    'https://internal.example.com/k',
    'https://local.example.com/k',
    'https://keys.svc.example.com/k',
    'https://notlocalhost.example.com/k',
    'https://mylocal.dev/k',
    'https://keys.example/k',
    'https://keys.example.com./k',
  ])('may be at any other address: %s', (jwksUri) => {
    expect(require(jwksUri)).toBe(jwksUri);
  });

  it('must have one of the configured origins, if there are any (ADDRESS_REFUSED)', () => {
    const origins = ['https://keys.example.com'];
    expect(require('https://keys.example.com/k', origins)).toBe('https://keys.example.com/k');
    for (const jwksUri of [
      'https://issuer.example.com/k',
      'https://keys.example.com:8443/k',
      'https://keys.example.com.evil.example/k',
    ]) {
      expect(refusalOf(jwksUri, origins)).toMatchObject(refusal('has an origin that is not in `jwksOrigins`'));
    }
  });
});
