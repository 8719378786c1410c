import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunningApi, startApi } from '../../demo/api.js';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { examine } from '../support/command.js';
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

/** The network: by method and address, the response. */
interface World {
  readonly challenge?: Response | undefined;
  readonly invalid?: Response;
  readonly accepted?: Response;
  readonly get?: Response;
  readonly metadata?: object;
  readonly type?: string;
  readonly metadataAt?: string;
  readonly server?: object;
}

const refusal = (status: number, challenge?: string) =>
  new Response('{}', { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } });
const json = (body: object, type = 'application/json') =>
  new Response(JSON.stringify(body), { headers: { 'content-type': type } });

function networkOf(world: World): { fetch: typeof fetch; sent: string[] } {
  const { metadata = {}, type, metadataAt = `${WELL_KNOWN}/mcp`, server = {} } = world;
  const documents = new Map<string, () => Response>([
    [metadataAt, () => json({ ...METADATA, ...metadata }, type)],
    [`${ISSUER}/.well-known/openid-configuration`, () => json({ ...SERVER, ...server })],
    [`${ISSUER}/keys`, () => json({ keys: [key.jwk] })],
  ]);
  const sent: string[] = [];
  const respond = (address: string, method: string, authorization: string | undefined): Response => {
    if (address !== RESOURCE) return documents.get(address)?.() ?? refusal(404);
    if (method === 'GET' && world.get !== undefined) return world.get.clone();
    if (authorization === undefined) return (world.challenge ?? refusal(401, CHALLENGE)).clone();
    if (authorization === 'Bearer doctor') return (world.invalid ?? refusal(401, INVALID)).clone();
    return (world.accepted ?? json({})).clone();
  };
  return {
    sent,
    fetch: (input, { method = 'GET', headers } = {}) => {
      const { authorization } = headers as Record<string, string>;
      const address = input as string;
      sent.push(`${method} ${address}`);
      return Promise.resolve(respond(address, method, authorization));
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
  it('finds nothing wrong with a resource that follows the rules', async () => {
    const { checks, exitCode } = await inspect({});
    expect(checks.filter(({ status }) => !['ok', 'skipped'].includes(status))).toEqual([]);
    expect(exitCode).toBe(0);
  });

  it.each<[string, World, string, 'problem' | 'warning', string]>([
    ['no challenge', { challenge: refusal(401) }, 'challenge', 'problem', 'no WWW-Authenticate'],
    ['a public resource', { challenge: json({}) }, 'challenge', 'problem', 'status 200'],
    ['another scheme', { challenge: refusal(401, 'Basic') }, 'challenge', 'problem', 'Basic'],
    [
      'a challenge without the address of the metadata',
      { challenge: refusal(401, 'Bearer scope="a"') },
      'challenge-metadata',
      'warning',
      'no resource_metadata',
    ],
    [
      'an http address of the metadata',
      { challenge: refusal(401, 'Bearer resource_metadata="http://api.example.com/m"') },
      'resource-metadata',
      'problem',
      'no',
    ],
    [
      'a challenge without a scope',
      { challenge: refusal(401, `Bearer resource_metadata="${WELL_KNOWN}/mcp"`) },
      'challenge-scope',
      'warning',
      'no scope',
    ],
    [
      'a challenge for offline_access',
      { challenge: refusal(401, CHALLENGE.replace('orders:read', 'a offline_access')) },
      'challenge-scope',
      'warning',
      'offline_access',
    ],
    [
      'an error without a token',
      { challenge: refusal(401, `${CHALLENGE}, error="invalid_token"`) },
      'challenge-error',
      'warning',
      'invalid_token',
    ],
    ['any text as a token', { invalid: json({}) }, 'challenge-error', 'problem', 'status 200'],
    ['another error for a wrong token', { invalid: refusal(400, INVALID) }, 'challenge-error', 'warning', 'status 400'],
    ['no error for a wrong token', { invalid: refusal(401, 'Bearer') }, 'challenge-error', 'warning', 'status 401'],
    ['no metadata', { metadataAt: '' }, 'resource-metadata', 'problem', 'status 404'],
    ['metadata of another type', { type: 'text/plain' }, 'resource-metadata', 'warning', 'text/plain'],
    ['no identifier', { metadata: { resource: undefined } }, 'metadata-resource', 'problem', 'nothing'],
    ['another identifier', { metadata: { resource: `${RESOURCE}s` } }, 'metadata-resource', 'problem', 'mcps'],
    ['another host', { metadata: { resource: 'https://b.example.com/mcp' } }, 'metadata-resource', 'problem', 'b.ex'],
    [
      'an identifier above it',
      { metadata: { resource: 'https://api.example.com' } },
      'metadata-resource',
      'warning',
      'https://api.example.com',
    ],
    ['a member without a value', { metadata: { resource_name: null } }, 'metadata-members', 'problem', 'resource_name'],
    ['an empty list', { metadata: { scopes_supported: [] } }, 'metadata-members', 'problem', 'scopes_supported'],
    ['a text in place of a list', { metadata: { scopes_supported: 'a b' } }, 'metadata-members', 'problem', 'no list'],
    ['a page without an address', { metadata: { resource_tos_uri: 'terms' } }, 'metadata-members', 'problem', 'tos'],
    ['keys over http', { metadata: { jwks_uri: 'http://a.example.com' } }, 'metadata-members', 'problem', 'jwks_uri'],
    [
      'the algorithm none',
      { metadata: { resource_signing_alg_values_supported: ['none'] } },
      'metadata-members',
      'problem',
      'none',
    ],
    [
      'a flag that is none',
      { metadata: { tls_client_certificate_bound_access_tokens: 'yes' } },
      'metadata-members',
      'problem',
      'neither true nor false',
    ],
    [
      'tokens only in the query',
      { metadata: { bearer_methods_supported: ['query'] } },
      'metadata-members',
      'problem',
      'no header',
    ],
    ['a signature that is none', { metadata: { signed_metadata: 'a.b' } }, 'metadata-members', 'problem', 'no JWT'],
    ['no scopes', { metadata: { scopes_supported: undefined } }, 'metadata-members', 'warning', 'no scopes_supported'],
    [
      'the scope offline_access',
      { metadata: { scopes_supported: ['offline_access'] } },
      'metadata-members',
      'warning',
      'offline_access',
    ],
    [
      'no authorization server',
      { metadata: { authorization_servers: undefined } },
      'authorization-servers',
      'problem',
      'none',
    ],
    [
      'an authorization server over http',
      { metadata: { authorization_servers: [ISSUER, 'http://issuer.example.com'] } },
      'authorization-servers',
      'problem',
      'http:',
    ],
    ['a server with another name', { server: { issuer: `${ISSUER}/` } }, 'metadata-issuer', 'problem', `${ISSUER}/`],
    [
      'a server without PKCE',
      { server: { code_challenge_methods_supported: ['plain'] } },
      'authorization-code',
      'problem',
      'S256',
    ],
    [
      'a server without the authorization code flow',
      { server: { response_types_supported: ['token'] } },
      'authorization-code',
      'problem',
      'code',
    ],
    [
      'a server without a token endpoint',
      { server: { token_endpoint: undefined } },
      'authorization-code',
      'problem',
      'token_endpoint',
    ],
    [
      'a server where clients cannot register',
      { server: { registration_endpoint: undefined } },
      'registration',
      'warning',
      'cannot register',
    ],
  ])('reports %s', async (_what, world, check, status, found) => {
    const result = await inspect(world);
    expect(result.row(check)).toMatchObject({ status, found: expect.stringContaining(found) });
    expect(result.exitCode).toBe(result.problems.length > 0 ? 1 : 0);
    expect(result.row(check).fix).toBeDefined();
  });

  it('finds metadata at the well-known addresses if the challenge names none, below the path first', async () => {
    const challenge = refusal(401, 'Bearer scope="orders:read"');
    const resource = { resource: 'https://api.example.com' };
    for (const [metadataAt, metadata, status] of [
      [`${WELL_KNOWN}/mcp`, {}, 'ok'],
      [WELL_KNOWN, resource, 'warning'],
    ] as const) {
      const result = await inspect({ challenge, metadataAt, metadata });
      expect(result.row('resource-metadata')).toMatchObject({ status: 'ok', found: metadataAt });
      expect(result.row('metadata-resource').status).toBe(status);
    }
  });

  it('sends a ping of the protocol to a server that has no route for GET', async () => {
    const { fetch, sent } = networkOf({ get: refusal(405) });
    const result = await examine(['--resource', RESOURCE], { fetch });
    expect(result.row('challenge').status).toBe('ok');
    expect(sent.slice(0, 2)).toEqual([`GET ${RESOURCE}`, `POST ${RESOURCE}`]);
  });

  it('accepts a server whose clients have an ID that is the address of their metadata', async () => {
    const server = { registration_endpoint: undefined, client_id_metadata_document_supported: true };
    expect((await inspect({ server })).row('registration').status).toBe('ok');
  });

  it.each<[string, Response, object, string[], string]>([
    ['accepts', json({}), {}, [], 'ok'],
    ['refuses', refusal(401, INVALID), {}, ['accepted'], 'problem'],
    ['refuses for its scopes', refusal(403, 'Bearer error="insufficient_scope", scope="a"'), {}, [], 'warning'],
    ['accepts, for another audience', json({}), { aud: 'https://other.example.com' }, ['token.audience'], 'ok'],
  ])('reports a token that the resource %s', async (_what, accepted, claims, problems, status) => {
    const token = tokenOf(claims);
    const result = await inspect({ accepted }, ['--token', '-'], token);
    expect([result.problems, result.row('accepted').status]).toEqual([problems, status]);
    for (const part of token.split('.')) expect(result.stdout).not.toContain(part);
  });

  it('ends with 3 if the resource cannot be reached, and with 2 for a wrong use', async () => {
    const fetch = () => Promise.reject(new TypeError('fetch failed'));
    expect((await examine(['--resource', RESOURCE], { fetch })).exitCode).toBe(3);
    expect((await examine(['--resource', 'http://api.example.com'])).problems).toEqual(['resource']);
    for (const other of ['--issuer', '--app', '--audience'])
      await expect(examine(['--resource', RESOURCE, other, 'a'])).rejects.toThrow();
  });
});
