import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningApi, startApi } from '../../demo/api.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { command, examine } from '../support/command.js';
import { newKey, signToken } from '../support/local-issuer.js';

const RESOURCE = 'https://api.example.com/mcp';
const WELL_KNOWN = 'https://api.example.com/.well-known/oauth-protected-resource';
const ISSUER = 'https://issuer.example.com';
const key = newKey('p-256', { kid: 'ours', use: 'sig', alg: 'ES256' });

const METADATA = {
  resource: RESOURCE,
  authorization_servers: [ISSUER],
  scopes_supported: ['orders:read'],
  bearer_methods_supported: ['header'],
};
const SERVER = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/keys`,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  registration_endpoint: `${ISSUER}/register`,
};
const CHALLENGE = `Bearer scope="orders:read", resource_metadata="${WELL_KNOWN}/mcp"`;
const INVALID = 'Bearer error="invalid_token"';

/** The responses of the network, where they differ from those that follow the rules. */
interface World {
  /** Without a token. */
  readonly get?: Response;
  readonly post?: Response;
  /** With a wrong token. */
  readonly wrong?: Response;
  readonly accepted?: Response;
  readonly metadata?: object;
  readonly type?: string;
  readonly metadataAt?: string;
  readonly server?: object;
  /** By their addresses. */
  readonly documents?: Readonly<Record<string, object>>;
}

const refusal = (status: number, challenge?: string, headers = {}) =>
  new Response('{}', { status, headers: { ...(challenge && { 'www-authenticate': challenge }), ...headers } });
const json = (body: object, type = 'application/json') =>
  new Response(JSON.stringify(body), { headers: { 'content-type': type } });
const challenge = (text: string): World => ({ get: refusal(401, text), post: refusal(401, text) });

function networkOf(world: World, resource = RESOURCE): { fetch: typeof fetch; sent: string[] } {
  const { metadata = {}, type, metadataAt = `${WELL_KNOWN}/mcp`, server = {} } = world;
  const documents = new Map<string, () => Response>([
    [metadataAt, () => json({ ...METADATA, ...metadata }, type)],
    [`${ISSUER}/.well-known/openid-configuration`, () => json({ ...SERVER, ...server })],
    [`${ISSUER}/keys`, () => json({ keys: [key.jwk] })],
    ...Object.entries(world.documents ?? {}).map(([address, body]) => [address, () => json(body)] as const),
  ]);
  const sent: string[] = [];
  const respond = (address: string, method: string, authorization: string | undefined): Response => {
    if (address !== resource) return documents.get(address)?.() ?? refusal(404);
    const free = (method === 'GET' ? world.get : world.post) ?? refusal(401, CHALLENGE);
    if (authorization === undefined) return free.clone();
    if (authorization === 'Bearer doctor') return (world.wrong ?? refusal(401, INVALID)).clone();
    return (world.accepted ?? json({})).clone();
  };
  return {
    sent,
    fetch: (input, { method = 'GET', headers } = {}) => {
      const { authorization } = headers as Record<string, string>;
      const address = input as string;
      sent.push([method, address, ...(authorization === undefined ? [] : [authorization])].join(' '));
      const response = respond(address, method, authorization);
      return response.type === 'error' ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(response);
    },
  };
}

const inspect = (world: World, parameters: readonly string[] = [], stdin?: string) =>
  examine(['--resource', RESOURCE, ...parameters], { fetch: networkOf(world).fetch, ...(stdin && { stdin }) });

const tokenOf = (claims: object = {}) => {
  const exp = Math.floor(Date.now() / 1000) + 300;
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'ours' };
  return signToken(header, { iss: ISSUER, aud: RESOURCE, sub: 'alice', exp, ...claims }, key.privateKey);
};

describe('doctor --resource against the demo', () => {
  let server: AuthorizationServer;
  let api: RunningApi;

  beforeAll(async () => {
    server = await AuthorizationServer.start({
      audiences: ['https://api.example.com'],
      canRegister: true,
      algorithm: 'ES256',
    });
    api = await startApi({ issuer: server.issuer, audience: 'https://api.example.com' }, { canSignIn: false });
  });

  afterAll(async () => {
    await api.app.close();
    await server.stop();
  });

  it('finds nothing wrong with its MCP server, nor with a token for it', async () => {
    const stdin = await server.clientCredentialsToken(`${api.url}/mcp`);
    const { checks, exitCode } = await examine(['--resource', `${api.url}/mcp`, '--token', '-'], { stdin });
    expect(checks.filter(({ status }) => status === 'problem' || status === 'warning')).toEqual([]);
    expect(checks.filter(({ status }) => status === 'skipped').map(({ check }) => check)).toEqual(['token.validate']);
    expect(exitCode).toBe(0);
  });

  it('names the audience of a token for another resource, which the MCP server refuses', async () => {
    const stdin = await server.clientCredentialsToken();
    const { problems, exitCode } = await examine(['--resource', `${api.url}/mcp`, '--token', '-'], { stdin });
    expect([problems, exitCode]).toEqual([['token.audience', 'accepted'], 1]);
  });
});

describe('doctor --resource', () => {
  const page = new Response('<html>', { headers: { 'content-type': 'text/html' } });
  const stream = new Response(new ReadableStream(), { headers: { 'content-type': 'text/event-stream' } });

  it('finds nothing wrong with a resource that follows the rules', async () => {
    const { checks, exitCode } = await inspect({});
    expect(checks.filter(({ status }) => !['ok', 'skipped'].includes(status))).toEqual([]);
    expect(exitCode).toBe(0);
  });

  it.each<[string, World]>([
    ['a page for GET', { get: page }],
    ['a server that does not know GET', { get: refusal(405) }],
    ['an API that does not know POST', { post: refusal(404) }],
  ])('accepts %s', async (_what, world) => {
    const result = await inspect(world);
    expect([result.problems, result.row('challenge').status, result.row('wrong-token').status]).toEqual([
      [],
      'ok',
      'ok',
    ]);
  });

  it.each<[string, World, string, 'problem' | 'warning', string]>([
    ['no challenge', { get: refusal(401), post: refusal(401) }, 'challenge', 'problem', 'GET answers 401, POST 401'],
    ['another scheme', challenge('Basic'), 'challenge', 'problem', '401 with "Basic"'],
    ['a public resource', { get: json({}), post: json({}) }, 'challenge', 'problem', 'GET answers 200, POST 200'],
    ['an open POST', { post: json({}) }, 'challenge', 'problem', 'POST 200'],
    ['an open stream that never ends', { get: stream, post: json({}) }, 'challenge', 'problem', 'GET answers 200'],
    ['an open stream beside a guarded POST', { get: stream }, 'challenge', 'problem', 'GET answers 200'],
    ['a public API that has no POST', { get: json({}), post: refusal(404) }, 'challenge', 'problem', '200, POST 404'],
    ['an address that is unknown', { get: refusal(404), post: refusal(404) }, 'challenge', 'problem', '404, POST 404'],
    [
      'a redirect',
      { get: refusal(307, undefined, { location: '/mcp/?a' }), post: refusal(307) },
      'challenge',
      'problem',
      '307 (to https://api.example.com/mcp/)',
    ],
    ['no address of metadata', challenge('Bearer scope="a"'), 'challenge-metadata', 'warning', 'no resource_metadata'],
    [
      'an http address of metadata',
      challenge('Bearer scope="a", resource_metadata="http://api.example.com/m?secret"'),
      'resource-metadata',
      'problem',
      '"http://api.example.com/m" is not an https URL',
    ],
    [
      'metadata inside a network',
      challenge('Bearer scope="a", resource_metadata="http://127.0.0.1:1/m"'),
      'resource-metadata',
      'problem',
      'is inside a network',
    ],
    [
      'a challenge without a scope',
      challenge(`Bearer resource_metadata="${WELL_KNOWN}/mcp"`),
      'challenge-scope',
      'warning',
      'no scope',
    ],
    [
      'a challenge for offline_access',
      challenge(CHALLENGE.replace('orders:read', 'a offline_access')),
      'challenge-scope',
      'warning',
      'a offline_access',
    ],
    [
      'an error without a token',
      challenge(`${CHALLENGE}, error="invalid_token"`),
      'challenge-error',
      'warning',
      'error="invalid_token"',
    ],
    ['any text as a token', { wrong: json({}) }, 'wrong-token', 'problem', '200'],
    ['another status for a wrong token', { wrong: refusal(400, INVALID) }, 'wrong-token', 'warning', '400'],
    ['no error for a wrong token', { wrong: refusal(401, 'Bearer') }, 'wrong-token', 'warning', '401 with "Bearer"'],
    ['no metadata', { metadataAt: '' }, 'resource-metadata', 'problem', 'status 404'],
    ['metadata of another type', { type: 'text/plain' }, 'resource-metadata', 'warning', '"text/plain"'],
    ['no identifier', { metadata: { resource: undefined } }, 'metadata-resource', 'problem', 'nothing'],
    ['a longer identifier', { metadata: { resource: `${RESOURCE}/` } }, 'metadata-resource', 'problem', '/mcp/'],
    ['another identifier', { metadata: { resource: `${RESOURCE}s` } }, 'metadata-resource', 'problem', 'mcps'],
    ['a fragment', { metadata: { resource: 'https://api.example.com/#a' } }, 'metadata-resource', 'problem', '.com/'],
    ['another host', { metadata: { resource: 'https://b.example.com/' } }, 'metadata-resource', 'problem', 'b.example'],
    [
      'an identifier above it',
      { metadata: { resource: 'https://api.example.com' } },
      'metadata-resource',
      'warning',
      '.com',
    ],
    ['no scopes', { metadata: { scopes_supported: undefined } }, 'metadata-members', 'warning', 'no scopes_supported'],
    [
      'the scope offline_access',
      { metadata: { scopes_supported: ['offline_access'] } },
      'metadata-members',
      'warning',
      'offline_access',
    ],
    ['no servers', { metadata: { authorization_servers: undefined } }, 'authorization-servers', 'problem', 'none'],
    [
      'a server over http',
      { metadata: { authorization_servers: [ISSUER, 'http://issuer.example.com'] } },
      'authorization-servers',
      'problem',
      '"http://issuer.example.com" is not an https URL',
    ],
    [
      'a server inside a network',
      { metadata: { authorization_servers: ['http://localhost:9000'] } },
      'authorization-servers',
      'problem',
      'is inside a network',
    ],
    ['a server with another name', { server: { issuer: `${ISSUER}/` } }, 'metadata-issuer', 'problem', `"${ISSUER}/"`],
    [
      'a server without PKCE',
      { server: { code_challenge_methods_supported: ['plain'] } },
      'authorization-code',
      'problem',
      'code_challenge_methods_supported',
    ],
    [
      'a server without the authorization code flow',
      { server: { response_types_supported: 'code' } },
      'authorization-code',
      'problem',
      'response_types_supported',
    ],
    ...[undefined, 'http://a.example.com', ['https://a.example.com'], { toString: 1 }].map(
      (endpoint): [string, World, string, 'problem', string] => [
        `the token endpoint ${JSON.stringify(endpoint)}`,
        { server: { token_endpoint: endpoint } },
        'authorization-code',
        'problem',
        'token_endpoint',
      ],
    ),
    ...[undefined, null, 'register'].map((endpoint): [string, World, string, 'warning', string] => [
      `a server where clients register at ${JSON.stringify(endpoint)}`,
      { server: { registration_endpoint: endpoint, client_id_metadata_document_supported: 'no' } },
      'registration',
      'warning',
      'cannot register',
    ]),
  ])('reports %s', async (_what, world, check, status, found) => {
    const result = await inspect(world);
    expect(result.row(check)).toMatchObject({ status, found: expect.stringContaining(found) });
    expect(result.row(check).fix).toBeDefined();
    expect([result.problems, result.exitCode]).toEqual(status === 'problem' ? [[check], 1] : [[], 0]);
  });

  it.each<[string, unknown]>([
    ['authorization_servers', [ISSUER, 7]],
    ['scopes_supported', 'a b'],
    ['scopes_supported', []],
    ['bearer_methods_supported', []],
    ['bearer_methods_supported', ['query']],
    ['resource_signing_alg_values_supported', ['none', 'ES256']],
    ['authorization_details_types_supported', [7]],
    ['dpop_signing_alg_values_supported', ''],
    ['jwks_uri', 'http://api.example.com/keys'],
    ['resource_name', null],
    ['resource_documentation', 'docs'],
    ['resource_policy_uri', ''],
    ['resource_tos_uri', {}],
    ['tls_client_certificate_bound_access_tokens', 'yes'],
    ['dpop_bound_access_tokens_required', 1],
    ['signed_metadata', 'a.b'],
    ['signed_metadata', signToken({ alg: 'ES256' }, { resource: RESOURCE }, key.privateKey)],
  ])('reports the member %s: %j of the metadata', async (name, value) => {
    const result = await inspect({ metadata: { [name]: value } });
    expect(result.row('metadata-members')).toMatchObject({
      status: 'problem',
      found: expect.stringContaining(`${name}: `),
    });
    expect(result.problems.filter((check) => check !== 'authorization-servers')).toEqual(['metadata-members']);
  });

  it('accepts all members of RFC 9728 §2', async () => {
    const pages = ['resource_documentation', 'resource_policy_uri', 'resource_tos_uri', 'jwks_uri'];
    const metadata = {
      ...Object.fromEntries(pages.map((name) => [name, 'https://api.example.com/page'])),
      resource_name: 'Orders',
      resource_signing_alg_values_supported: ['ES256'],
      authorization_details_types_supported: ['payment'],
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: false,
      tls_client_certificate_bound_access_tokens: true,
      signed_metadata: tokenOf(),
    };
    expect((await inspect({ metadata })).row('metadata-members').status).toBe('ok');
  });

  it('finds metadata at the well-known addresses if the challenge names none, below the path and query first', async () => {
    for (const [resource, metadataAt, named, status] of [
      [RESOURCE, `${WELL_KNOWN}/mcp`, RESOURCE, 'ok'],
      [`${RESOURCE}?tenant=1`, `${WELL_KNOWN}/mcp?tenant=1`, `${RESOURCE}?tenant=1`, 'ok'],
      [RESOURCE, WELL_KNOWN, 'https://api.example.com', 'warning'],
    ] as const) {
      const world = { ...challenge('Bearer scope="a"'), metadataAt, metadata: { resource: named } };
      const result = await examine(['--resource', resource], { fetch: networkOf(world, resource).fetch });
      expect([resource, result.row('resource-metadata').status]).toEqual([resource, 'ok']);
      expect(result.row('metadata-resource').status).toBe(status);
      expect(result.stdout).not.toContain('tenant');
    }
  });

  it('reads the metadata of the server that MCP clients read first (RFC 8414)', async () => {
    const server = { code_challenge_methods_supported: undefined, registration_endpoint: undefined };
    const documents = { [`${ISSUER}/.well-known/oauth-authorization-server`]: SERVER };
    expect((await inspect({ server, documents })).problems).toEqual([]);
    const reverse = { [`${ISSUER}/.well-known/oauth-authorization-server`]: { ...SERVER, ...server } };
    expect((await inspect({ documents: reverse })).problems).toEqual(['authorization-code']);
  });

  it('accepts a server whose clients have an ID that is the address of their metadata', async () => {
    const server = { registration_endpoint: undefined, client_id_metadata_document_supported: true };
    expect((await inspect({ server })).row('registration').status).toBe('ok');
  });

  it.each<[string, Response, object, string[], string]>([
    ['accepts', json({}), {}, [], 'ok'],
    ['accepts, but has no such method', refusal(405), {}, [], 'ok'],
    ['refuses', refusal(401, INVALID), {}, ['accepted'], 'problem'],
    ['refuses for its scopes', refusal(403, 'Bearer error="insufficient_scope", scope="a"'), {}, [], 'warning'],
    ['refuses for another reason', refusal(403), {}, [], 'warning'],
    ['fails for', refusal(500), {}, [], 'warning'],
    ['does not answer', Response.error(), {}, ['accepted'], 'problem'],
    ['refuses rightly', refusal(401, INVALID), { aud: 'other' }, ['token.audience', 'accepted'], 'problem'],
    ['accepts, for another audience', json({}), { aud: 'other' }, ['token.audience', 'accepted'], 'problem'],
    ['accepts, expired', json({}), { exp: 1 }, ['token.expiration', 'accepted'], 'problem'],
    ['accepts, of another issuer', json({}), { iss: 'https://b.example.com' }, ['token.issuer', 'accepted'], 'problem'],
  ])('reports a token that the resource %s', async (_what, accepted, claims, problems, status) => {
    const token = tokenOf(claims);
    const result = await inspect({ accepted }, ['--token', '-'], token);
    expect([result.problems, result.row('accepted').status]).toEqual([problems, status]);
  });

  it('never prints the token, also if the resource repeats it', async () => {
    const token = tokenOf();
    const error = `error="${token}", scope="${token}", error_description="${token}"`;
    const result = await inspect({ accepted: refusal(401, `Bearer ${error}`) }, ['--token', '-'], token);
    for (const part of token.split('.')) expect(result.stdout).not.toContain(part);
  });

  it('sends the token to the resource only, by POST only if GET needs none', async () => {
    const token = tokenOf();
    for (const [world, method] of [
      [{}, 'GET'],
      [{ get: page }, 'POST'],
      [{ metadataAt: '' }, 'GET'],
    ] as const) {
      const { fetch, sent } = networkOf(world);
      const result = await examine(['--resource', RESOURCE, '--token', '-'], { fetch, stdin: token });
      expect(sent.filter((call) => call.includes(token))).toEqual([`${method} ${RESOURCE} Bearer ${token}`]);
      expect(result.row('accepted').status).toBe('ok');
    }
  });

  it('checks a token with the server that issued it, another audience that is given, and an opaque token by its call', async () => {
    const other = 'https://b.example.com';
    const documents = {
      [`${other}/.well-known/openid-configuration`]: { ...SERVER, issuer: other, jwks_uri: `${other}/keys` },
      [`${other}/keys`]: { keys: [key.jwk] },
    };
    const world = { metadata: { authorization_servers: [ISSUER, other] }, documents };
    const ofOther = await inspect(world, ['--token', '-'], tokenOf({ iss: other }));
    expect([ofOther.problems, ofOther.row('issuer').found]).toEqual([[], `"${other}"`]);
    const client = await inspect({}, ['--token', '-', '--audience', 'client'], tokenOf({ aud: 'client' }));
    expect(client.problems).toEqual([]);
    const opaque = await inspect({}, ['--token', '-'], 'opaque');
    expect([opaque.problems, opaque.row('token.form').status, opaque.row('accepted').status]).toEqual([
      [],
      'skipped',
      'ok',
    ]);
  });

  it('ends with 3 if the resource cannot be reached, and with 2 for a wrong use', async () => {
    const fetch = () => Promise.reject(new TypeError('fetch failed'));
    expect((await examine(['--resource', RESOURCE], { fetch })).exitCode).toBe(3);
    expect((await examine(['--resource', 'http://api.example.com'])).problems).toEqual(['resource']);
    for (const unset of [
      ['--resource', ''],
      ['--resource', RESOURCE, '--audience', ''],
    ]) {
      const { exitCode, stderr } = await command(['doctor', ...unset]);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('a variable may not be set')]);
    }
    for (const other of ['--issuer', '--app', '--jwks-uri']) {
      const { exitCode, stderr } = await command(['doctor', '--resource', RESOURCE, other, 'a']);
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('exclude each other')]);
    }
  });
});
