import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { CONTROL_TEXT, hasControls } from '../support/catching.js';
import { command, type CommandEnvironment, examine } from '../support/command.js';
import { closedPort, fault, FaultyIssuer, KEYS, METADATA } from '../support/faulty-issuer.js';
import { newKey, signToken } from '../support/local-issuer.js';
import { selfSigned } from '../support/self-signed.js';

const AUDIENCE = 'https://api.example.com';
const TENANT = '11111111-2222-3333-4444-555555555555';
const key = newKey('rsa', { use: 'sig', alg: 'RS256' });
const now = () => Math.floor(Date.now() / 1000);
const unreachable = () => Promise.reject(new TypeError('fetch failed'));

const LONG_AUDIENCES = ['a', 'b'].flatMap((name) => ['--audience', `https://${name.repeat(50)}.example.com`]);

describe('doctor against a real authorization server', () => {
  let server: AuthorizationServer;

  beforeAll(async () => {
    server = await AuthorizationServer.start({
      audiences: [AUDIENCE],
      redirectUri: 'http://127.0.0.1/callback',
      algorithm: 'ES256',
    });
  });

  afterAll(() => server.stop());

  it('finds no problem with a valid issuer and a valid token, and prints the configuration', async () => {
    const stdin = await server.clientCredentialsToken();
    const result = await examine(['--issuer', server.issuer, '--audience', AUDIENCE, '--token', '-'], { stdin });
    expect(result.checks.filter(({ status }) => status === 'problem' || status === 'warning')).toEqual([]);
    expect([result.exitCode, result.stderr]).toEqual([0, '']);
    expect(result.row('token.signature').status).toBe('ok');
    expect(result.configuration).toContain(
      `AuthModule.forRoot({ issuer: '${server.issuer}', audience: '${AUDIENCE}' })`,
    );
  });

  it('prints a table, the problems with their fixes, or the configuration, with colors only if they are shown', async () => {
    const at = Date.now();
    const environment = { stdin: server.sign({ exp: 1_000 }), clock: () => at };
    const argv = ['doctor', '--issuer', `${server.issuer}/`, '--audience', AUDIENCE, '--token', '-'];
    const { stdout, exitCode } = await command(argv, environment);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^ok {7}reachable {2,}127\.0\.0\.1:\d+ answered$/m);
    expect(stdout).toContain('3 problems, 0 warnings.');
    expect(stdout).toContain(
      `  fix:      Write issuer: '${server.issuer}', without the trailing slash. \`iss\` must match exactly.`,
    );
    expect(stdout).toContain('problem: token.expiration\n  found:    1970-01-01T00:16:40Z');
    expect(stdout).not.toContain('\u001b');
    const colored = await command(argv, { ...environment, hasColors: true });
    expect(colored.stdout).toContain('\u001b[31mproblem\u001b[39m  metadata-issuer');
    expect(colored.stdout).toContain('\u001b[31m3 problems, 0 warnings.');
    expect(stripVTControlCharacters(colored.stdout)).toBe(stdout);
    const complete = await command(['doctor', '--issuer', server.issuer, '--audience', AUDIENCE]);
    expect(complete.stdout).toContain(
      `Configuration\n\nimport { AuthModule } from 'nestjs-resource-server';\n\nAuthModule.forRoot({ issuer: '${server.issuer}', audience: '${AUDIENCE}' })\n`,
    );
  });

  it.each([40, 50])('wraps rows and fixes within a terminal of %d columns, and not in a pipe', async (columns) => {
    const argv = ['doctor', '--issuer', `${server.issuer}/`, '--audience', AUDIENCE, '--token', '-'];
    const at = Date.now();
    const pipe = { stdin: server.sign({ exp: 1_000 }), clock: () => at };
    const terminal = { ...pipe, hasColors: true, columns };
    const plain = stripVTControlCharacters((await command(argv, terminal)).stdout);
    const tooLong = plain.split('\n').filter((line) => line.length > columns);
    // A word that is longer than a line is not divided.
    expect(tooLong).toEqual([expect.stringMatching(/^ {9}http:\S+openid-configuration$/)]);
    expect(plain).toContain(`problem  metadata-issuer\n         "${server.issuer}"\n`);
    expect(plain).toMatch(/^ {2}expected: later than.*(?:\n {12}\S.*)+\)$/m);
    expect(plain).toMatch(/^ {2}fix: {6}Write issuer:.*(?:\n {12}\S.*)+(?<=exactly\.)$/m);
    expect(plain.split(/\s+/)).toEqual((await command(argv, pipe)).stdout.split(/\s+/));
    const wide = await command(argv, { ...pipe, columns: 80 });
    expect(wide.stdout).toMatch(/^ok {7}keys {23}1 can verify tokens:\n {36}"/m);
    const json = await command([...argv, '--json'], terminal);
    expect(json).toEqual(await command([...argv, '--json'], pipe));
  });

  it('lays out the configuration for the width of a terminal, and never inside of a string', async () => {
    const argv = ['doctor', '--issuer', server.issuer];
    const { stdout } = await command(argv, { columns: 50 });
    const audience = "'<the audience of tokens for this API>'";
    expect(stdout).toContain(`AuthModule.forRoot({\n  issuer: '${server.issuer}',\n  audience: ${audience}\n})\n`);
    const pipe = await command([...argv, ...LONG_AUDIENCES]);
    for (const columns of [0, 300]) expect(await command([...argv, ...LONG_AUDIENCES], { columns })).toEqual(pipe);
    const { configuration } = await examine(argv.slice(1), { columns: 50 });
    expect(configuration).toContain(`AuthModule.forRoot({ issuer: '${server.issuer}', audience: ${audience} })`);
  });

  it('never prints the token, and only the claims that name its issuer, its audience and its times', async () => {
    const claims = { sub: ['secret-subject'], email: 'alice@secret.example.com', cnf: { jkt: 'secret-thumbprint' } };
    const stdin = server.sign(claims);
    for (const json of [[], ['--json']]) {
      const { stdout, stderr } = await command(['doctor', '--issuer', server.issuer, '--token', '-', ...json], {
        stdin,
      });
      expect(stdout).toContain('token.sender-constraint');
      for (const part of ['secret', ...stdin.split('.')]) expect(stdout + stderr).not.toContain(part);
    }
  });
});

describe('doctor', () => {
  let server: FaultyIssuer;

  beforeEach(async () => {
    server = await FaultyIssuer.start([key]);
  });

  afterEach(() => server.stop());

  interface Run {
    readonly parameters?: readonly string[];
    readonly environment?: CommandEnvironment;
  }

  const args = (...more: string[]) => ['--issuer', server.url, '--audience', AUDIENCE, ...more];
  const valid = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    server.token(key, 'RS256', claims, header);
  const examineToken = (stdin: string, ...more: string[]) => examine(args('--token', '-', ...more), { stdin });
  const withToken = (stdin: string): Run => ({ parameters: args('--token', '-'), environment: { stdin } });
  const withIssuer = (issuer: string): Run => ({ parameters: ['--issuer', issuer, '--audience', AUDIENCE] });
  const metadata = (members: Record<string, unknown>): Run => {
    server.json(METADATA[0], () => ({ issuer: server.url, jwks_uri: server.url + KEYS, ...members }));
    return {};
  };
  const publish = (...keys: Parameters<FaultyIssuer['publish']>): Run => {
    server.publish(...keys);
    return {};
  };
  const failing = (name: string, ...paths: readonly string[]): Run => {
    server.fail(fault(name), ...(paths.length === 0 ? METADATA : paths));
    return {};
  };
  const withClock = (aheadSeconds: number, ...more: string[]): Run => ({
    parameters: args(...more),
    environment: { clock: () => Date.now() + aheadSeconds * 1_000 },
  });
  /** Answers requests to this issuer from the local server. */
  const serveAs = (issuer: string) => (address: string | URL | Request, init?: RequestInit) =>
    fetch((address as string).replace(issuer, server.url), init);
  /** An issuer with this name, whose token names another issuer. */
  const withTokenFrom = (issuer: string, iss: string): Run => {
    metadata({ issuer });
    return {
      parameters: ['--issuer', issuer, '--audience', TENANT, '--token', '-'],
      environment: { stdin: valid({ iss, aud: TENANT }), fetch: serveAs(issuer) },
    };
  };
  const pattern = (text: string | RegExp) =>
    typeof text === 'string' ? new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')) : text;

  type Mistake = readonly [
    check: string,
    fix: string | RegExp,
    plant: () => Run,
    more?: { readonly found?: string; readonly status?: 'warning'; readonly exitCode?: number },
  ];

  const ISSUER_MISTAKES: Record<string, Mistake> = {
    'an additional trailing slash': [
      'metadata-issuer',
      /^Write issuer: 'http:\/\/127\.0\.0\.1:\d+', without the trailing slash/,
      () => withIssuer(`${server.url}/`),
    ],
    'a missing trailing slash': [
      'metadata-issuer',
      /^Write issuer: 'http:\/\/127\.0\.0\.1:\d+\/', with the trailing slash/,
      () => metadata({ issuer: `${server.url}/` }),
    ],
    'spaces around the issuer': [
      'issuer',
      /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      () => withIssuer(` ${server.url} `),
      { found: 'it contains white space' },
    ],
    'an issuer with a query': [
      'issuer',
      /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      () => withIssuer(`${server.url}?tenant=1#top`),
      { found: 'a query, a fragment' },
    ],
    'the address of the metadata (OpenID Connect Discovery §4)': [
      'issuer',
      /^Write 'http:\/\/127\.0\.0\.1:\d+\/realms\/a'\.$/,
      () => withIssuer(`${server.url}/realms/a${METADATA[0]}`),
      { found: '/.well-known' },
    ],
    'the address of the metadata (RFC 8414 §3)': [
      'issuer',
      /^Write 'http:\/\/127\.0\.0\.1:\d+\/realms\/a'\.$/,
      () => withIssuer(`${server.url}${METADATA[1]}/realms/a`),
    ],
    'credentials in the issuer': [
      'issuer',
      /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      () => withIssuer(server.url.replace('//', '//user:hunter2@')),
      { found: 'credentials' },
    ],
    'an issuer without https://': [
      'issuer',
      "for example 'https://tenant.example.com'",
      () => withIssuer('tenant.example.com'),
      { found: 'is not an https URL' },
    ],
    'an issuer of another scheme': [
      'issuer',
      "'https://tenant.example.com'",
      () => withIssuer('ftp://tenant.example.com'),
    ],
    'an issuer over http': [
      'issuer',
      'anyone on the network path can forge every token',
      () => withIssuer('http://tenant.example.com'),
      { found: 'is not an https URL' },
    ],
    'the base path of an older Keycloak': [
      'discovery',
      /Write issuer: '.*\/realms\/demo'/,
      () => {
        const issuer = `${server.url}/realms/demo`;
        server.handlers.delete(METADATA[0]);
        server.json(`/realms/demo${METADATA[0]}`, () => ({ issuer, jwks_uri: server.url + KEYS }));
        return withIssuer(`${server.url}/auth/realms/demo`);
      },
    ],
    'no metadata at all': [
      'discovery',
      'Many issuers have a path',
      () => {
        server.handlers.delete(METADATA[0]);
        return {};
      },
    ],
    'metadata that require authentication': [
      'discovery',
      'must be public',
      () => {
        for (const path of METADATA)
          server.handlers.set(path, (_request, response) => response.writeHead(401).end('{}'));
        return {};
      },
    ],
    'HTML instead of metadata': [
      'discovery',
      'single-page application',
      () => failing('answers with a page to log in at'),
      { found: 'text/html' },
    ],
    'a redirect to a sign-in page': [
      'discovery',
      'Redirects are not followed',
      () => failing('answers with a redirect'),
      { found: '/elsewhere' },
    ],
    'a server with an internal error': [
      'discovery',
      'Check its log',
      () => failing('answers 500'),
      { found: 'status 500' },
    ],
    'a server that never answers': [
      'reachable',
      'Check for a firewall or a proxy',
      () => {
        failing('never answers');
        return { parameters: args('--timeout', '0.2') };
      },
      { found: 'no answer within 200 ms', exitCode: 3 },
    ],
    'a server that closes the connection': [
      'reachable',
      'The connection was closed',
      () => failing('resets the connection in the middle of the body'),
      { exitCode: 3 },
    ],
    'metadata of another issuer': [
      'metadata-issuer',
      /write issuer: 'https:\/\/public\.example\.com'; if the API reaches only this address, add keys: .*discovery/,
      () => metadata({ issuer: 'https://public.example.com' }),
      { found: '"https://public.example.com"' },
    ],
    'metadata without an issuer': [
      'discovery',
      'Many issuers have a path',
      () => metadata({ issuer: undefined }),
      { found: 'another JSON document' },
    ],
    'the common endpoint of Entra ID': [
      'metadata-issuer',
      'the id of your tenant',
      () => {
        const issuer = 'https://login.microsoftonline.com/common/v2.0';
        metadata({ issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' });
        return { parameters: ['--issuer', issuer], environment: { fetch: serveAs(issuer) } };
      },
    ],
    'an issuer that names itself with http behind its proxy': [
      'metadata-issuer',
      'Configure the issuer to name itself with https',
      () => {
        metadata({ issuer: 'http://id.example.com' });
        return {
          parameters: ['--issuer', 'https://id.example.com'],
          environment: { fetch: serveAs('https://id.example.com') },
        };
      },
    ],
    'metadata without jwks_uri': [
      'jwks-uri',
      "keys: { from: 'jwks', uri }",
      () => metadata({ jwks_uri: undefined }),
      { found: 'has no jwks_uri' },
    ],
    'a jwks_uri over http': [
      'jwks-uri',
      'X-Forwarded-Proto',
      () => metadata({ jwks_uri: 'http://keys.example.com/jwks' }),
      { found: 'http://keys.example.com/jwks must not be fetched' },
    ],
    'a key set that does not exist': [
      'jwks',
      'There is no key set',
      () => {
        server.handlers.delete(KEYS);
        return {};
      },
      { found: `${KEYS}: answered with status 404` },
    ],
    'HTML instead of keys': [
      'jwks',
      'single-page application',
      () => failing('answers with a page to log in at', KEYS),
    ],
    'JSON that is not a key set': ['jwks', 'There is no key set', () => failing('sends {}', KEYS)],
    'an empty key set': ['keys', 'Publish signing keys', () => publish(), { found: 'no key is for signatures' }],
    'a published private key': [
      'keys',
      'Revoke these keys NOW',
      () => publish(key, { ...newKey().privateKey.export({ format: 'jwk' }), kid: 'open' }),
      { found: '"open"' },
    ],
    'a published shared secret': [
      'keys',
      'Revoke these keys NOW',
      () => publish(key, { kty: 'oct', k: 'c2VjcmV0', kid: 'hmac' }),
      { found: '"hmac"' },
    ],
    'a key that is too short': [
      'keys',
      'at least 2048 bits',
      () => publish(key, newKey('rsa-1024')),
      { found: 'is shorter than 2048 bits', status: 'warning' },
    ],
    'no usable key': [
      'keys',
      'Publish signing keys',
      () => publish({ ...key.jwk, use: 'enc' }),
      { found: 'no key is for signatures' },
    ],
    'a key for another algorithm': [
      'keys',
      '"use": "sig"',
      () => publish(key, { ...newKey().jwk, alg: 'RSA-OAEP' }),
      { found: 'fits no signature algorithm', status: 'warning' },
    ],
    'a clock that is two minutes behind': [
      'clock',
      /^New tokens are rejected as not yet valid\. Synchronize both clocks/,
      () => withClock(-120),
      { found: 's ahead' },
    ],
    'a clock that is an hour ahead': [
      'clock',
      /^Tokens expire too early\. Synchronize both clocks/,
      () => withClock(3_600),
      { found: 'behind' },
    ],
    'an audience with white space': [
      'configuration',
      'Remove the white space',
      () => ({ parameters: ['--issuer', server.url, '--audience', 'orders '] }),
    ],
    'an audience that the preset rejects': [
      'configuration',
      'audience is "orders"',
      () => {
        const issuer = 'https://my.zitadel.cloud';
        metadata({ issuer, jwks_uri: issuer + KEYS });
        return { parameters: ['--issuer', issuer, '--audience', 'orders'], environment: { fetch: serveAs(issuer) } };
      },
      { found: 'does not start' },
    ],
    'a token that names its issuer with a trailing slash': [
      'token.issuer',
      /Write issuer: '.*\/', with the trailing slash/,
      () => withToken(valid({ iss: `${server.url}/` })),
    ],
    'a token that names its issuer with http behind its proxy': [
      'token.issuer',
      'Configure the issuer to name itself with https',
      () => withTokenFrom('https://id.example.com', 'http://id.example.com'),
    ],
    'a token of the other issuer of Entra ID': [
      'token.issuer',
      'requestedAccessTokenVersion',
      () => withTokenFrom(`https://login.microsoftonline.com/${TENANT}/v2.0`, `https://sts.windows.net/${TENANT}/`),
    ],
    'a token of the same realm at an internal address': [
      'token.issuer',
      /KC_HOSTNAME=https:\/\/id\.example\.com.*internalUrl: 'http:\/\/keycloak:8080'/,
      () => withTokenFrom('https://id.example.com/realms/shop', 'http://keycloak:8080/realms/shop'),
    ],
    'a forged token of the same realm on the server of an attacker': [
      'token.issuer',
      /^(?!.*(?:internalUrl|evil)).*same realm/,
      () => withTokenFrom('https://id.example.com/realms/shop', 'https://keycloak.evil.test/realms/shop'),
    ],
    'a forged token of another issuer': [
      'token.issuer',
      /^(?!.*evil).*another issuer/,
      () => withToken(valid({ iss: 'https://evil.example.com' })),
      { found: '"https://evil.example.com"' },
    ],
  };

  it.each(Object.entries(ISSUER_MISTAKES))(
    'reports %s with its fix',
    async (_title, [check, fix, plant, more = {}]) => {
      const { parameters = args(), environment } = plant();
      const result = await examine(parameters, environment);
      const { status = 'problem', exitCode = status === 'problem' ? 1 : 0, found = '' } = more;
      expect({ ...result.row(check), exitCode: result.exitCode }).toMatchObject({
        status,
        exitCode,
        found: expect.stringContaining(found),
        fix: expect.stringMatching(pattern(fix)),
      });
      expect(result.stdout).not.toContain('hunter2');
    },
  );

  const TOKEN_MISTAKES: Record<string, readonly [check: string, token: () => string]> = {
    'another audience': ['audience', () => valid({ aud: 'https://other.example.com' })],
    'an audience in another spelling': ['audience', () => valid({ aud: `${AUDIENCE}/` })],
    'no audience': ['audience', () => valid({ aud: undefined })],
    'an audience that is a number': ['audience', () => valid({ aud: 7 })],
    'no issuer': ['issuer', () => valid({ iss: undefined })],
    'a past expiration': ['expiration', () => valid({ iat: now() - 900, exp: now() - 600 })],
    'no expiration': ['expiration', () => valid({ exp: undefined })],
    'an expiration in milliseconds': ['expiration', () => valid({ exp: Date.now() + 60_000 })],
    'a future nbf': ['not-before', () => valid({ nbf: now() + 600 })],
    'an nbf in milliseconds': ['not-before', () => valid({ nbf: Date.now() })],
    'a future iat': ['not-before', () => valid({ iat: now() + 86_400, exp: now() + 90_000 })],
    'an iat that is text': ['not-before', () => valid({ iat: 'today' })],
    'the typ claim of an ID token': ['access-token', () => valid({ typ: 'ID' })],
    'the type of a logout token': ['type', () => valid({}, { typ: 'logout+jwt' })],
    'a critical extension': ['critical-extensions', () => valid({}, { crit: ['b64'], b64: false })],
    'an unknown kid': ['signature', () => valid({}, { kid: 'gone' })],
    'a kid that is a number': ['signature', () => valid({}, { kid: 7 })],
    'an algorithm that the key is not for': ['signature', () => server.token(key, 'PS256')],
    'the signature of another key': ['signature', () => server.token({ ...newKey(), kid: key.kid }, 'RS256')],
    'a DPoP key': ['sender-constraint', () => valid({ cnf: { jkt: 'x' } })],
    'a scope that is a number': ['claim-types', () => valid({ scope: 7 })],
    'no signature': ['algorithm', () => `${valid({}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`],
    'an HS256 signature': [
      'algorithm',
      () => {
        const input = valid({}, { alg: 'HS256' }).split('.').slice(0, 2).join('.');
        return `${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`;
      },
    ],
    'one part (opaque)': ['form', () => 'v2_local_q8d7f6a5s4d3f2g1'],
    'five parts (encrypted)': ['form', () => 'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn'],
    'the JSON of the token response around it': ['form', () => JSON.stringify({ access_token: valid() })],
    'only its first part': ['form', () => valid().slice(0, 30)],
    'missing characters': ['form', () => `${valid().slice(0, 60)}.e=.x`],
    'too many claims': ['form', () => valid({ groups: Array.from({ length: 9_000 }, () => 'group') })],
  };

  it.each(Object.entries(TOKEN_MISTAKES))('reports a token with %s and a fix', async (_title, [check, token]) => {
    const result = await examineToken(token());
    expect(result.problems[0]).toBe(`token.${check}`);
    expect(result.row(`token.${check}`).fix).toMatch(/\w/);
    expect(result.exitCode).toBe(1);
  });

  it('adds the advice of the provider to the fix of a rejected token, and does not recommend a common audience', async () => {
    const issuer = 'https://id.example.com/realms/shop';
    metadata({ issuer, jwks_uri: issuer + KEYS });
    const stdin = valid({ iss: issuer, aud: 'account' });
    const result = await examine(['--issuer', issuer, '--audience', 'orders', '--token', '-'], {
      stdin,
      fetch: serveAs(issuer),
    });
    expect(result.row('token.audience').fix).toMatch(/Do not configure account: .*mapper of the type Audience/);
  });

  it('warns of an accepted token that looks like an ID token', async () => {
    const result = await examineToken(valid({ client_id: undefined, scope: undefined, nonce: 'n' }));
    expect([result.exitCode, result.row('token.access-token').status]).toEqual([0, 'warning']);
    expect(result.row('token.access-token').fix).toContain('It may be an ID token');
  });

  it('makes the remaining checks of a token of another issuer, without fetching keys that the token names', async () => {
    const iss = 'https://elsewhere.example.com';
    const result = await examineToken(valid({ iss, aud: 'other', exp: 1_000 }));
    expect(result.problems).toEqual(['token.issuer', 'token.expiration', 'token.audience']);
    expect(server.requests.every((path) => [METADATA[0], KEYS].includes(path))).toBe(true);
  });

  it('makes the remaining checks of a token when the issuer is unreachable (exit code 3)', async () => {
    const closed = await closedPort();
    const issuer = `http://127.0.0.1:${String(closed.port)}`;
    const stdin = valid({ iss: issuer, exp: 1_000 });
    const result = await examine(['--issuer', issuer, '--token', '-'], { stdin });
    await closed.free();
    expect(result.exitCode).toBe(3);
    expect(result.problems).toEqual(['reachable', 'token.expiration']);
    expect(result.row('reachable')).toMatchObject({
      found: expect.stringContaining('ECONNREFUSED'),
      fix: expect.stringContaining(`No server listens on 127.0.0.1:${String(closed.port)}`),
    });
    for (const check of ['keys', 'token.signature', 'token.audience']) expect(result.row(check).status).toBe('skipped');
  });

  it.each([
    ['ENOTFOUND', 'Check the spelling of tenant.example.com'],
    ['UND_ERR_CONNECT_TIMEOUT', 'increase --timeout'],
    ['CERT_HAS_EXPIRED', 'The certificate of tenant.example.com has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'is for another host'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TLS 1.2'],
    ['ECONNRESET', 'Check the port'],
  ])('explains the network error %s (exit code 3)', async (code, fix) => {
    const cause = Object.assign(new Error(code), { code });
    const result = await examine(['--issuer', 'https://tenant.example.com'], {
      fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
    });
    expect(result.exitCode).toBe(3);
    expect(result.row('reachable').fix).toContain(fix);
  });

  it('reports a certificate that this machine does not trust', async () => {
    const { key: privateKey, cert } = selfSigned('127.0.0.1');
    const https = createServer({ key: privateKey, cert }).listen(0, '127.0.0.1');
    await once(https, 'listening');
    const result = await examine(['--issuer', `https://127.0.0.1:${String((https.address() as AddressInfo).port)}`]);
    https.closeAllConnections();
    https.close();
    expect(result.exitCode).toBe(3);
    expect(result.row('reachable').fix).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('fetches no keys from an internal network that public metadata name (SSRF)', async () => {
    const issuer = 'https://tenant.example.com';
    const requests: unknown[] = [];
    const result = await examine(['--issuer', issuer], {
      fetch: (address) => {
        requests.push(address);
        return Promise.resolve(Response.json({ issuer, jwks_uri: 'https://10.0.0.7/jwks' }));
      },
    });
    expect(result.row('jwks-uri')).toMatchObject({ status: 'problem', found: expect.stringContaining('internal') });
    expect(result.row('jwks').status).toBe('skipped');
    expect(requests).toEqual([issuer + METADATA[0]]);
  });

  it('follows no redirect (SSRF)', async () => {
    const requests: string[] = [];
    const result = await examine(['--issuer', 'https://tenant.example.com'], {
      fetch: (address) => {
        requests.push(address as string);
        const headers = { location: `http://user:SECRET@169.254.169.254${METADATA[0]}?code=SECRET#SECRET` };
        return Promise.resolve(new Response(null, { status: 302, headers }));
      },
    });
    expect(result.row('discovery').fix).toContain('Redirects are not followed');
    expect(result.stdout).not.toContain('SECRET');
    expect(requests.filter((address) => !address.startsWith('https://tenant.example.com/'))).toEqual([]);
  });

  it('compares clocks with the age of a cached response and with the tolerance, and only if the date is valid', async () => {
    const answer = (headers: Record<string, string>) => () =>
      Promise.resolve(Response.json({ issuer: server.url }, { headers }));
    const date = new Date(Date.now() - 600_000).toUTCString();
    const statusOf = async (headers: Record<string, string>, ...more: string[]) =>
      (await examine(args(...more), { fetch: answer(headers) })).row('clock').status;
    expect(await statusOf({ date, age: '600' })).toBe('ok');
    expect(await statusOf({ date, age: '580' })).toBe('problem');
    expect(await statusOf({ date, age: '580' }, '--clock-tolerance', '30')).toBe('ok');
    expect(await statusOf({ date: 'today' })).toBe('skipped');
  });

  it('accepts a key for encryption next to signing keys', async () => {
    server.publish(key, newKey('rsa', { use: 'enc', alg: 'RSA-OAEP' }));
    const found = `1 can verify tokens: "${String(key.kid)}"`;
    expect((await examine(args())).row('keys')).toMatchObject({ status: 'ok', found });
  });

  it('names the location of the metadata and the locations that were skipped', async () => {
    server.json(METADATA[1], () => ({ issuer: server.url, jwks_uri: server.url + KEYS }));
    server.handlers.delete(METADATA[0]);
    const result = await examine(args());
    expect(result.problems).toEqual([]);
    expect(result.row('discovery').found).toBe(
      `${server.url}${METADATA[1]} (skipped ${server.url}${METADATA[0]}: answered with status 404)`,
    );
  });

  describe('with the options of an unusual issuer', () => {
    const JWKS_URI = 'https://keys.example.com/jwks';
    const METADATA_URI = 'https://internal.example.com/metadata';
    const NAME = 'http://sts.example.com/trust';
    const requests: Record<string, unknown> = {};
    const fetch: typeof globalThis.fetch = (address, init) => {
      const documents: Record<string, unknown> = {
        [METADATA_URI]: { issuer: NAME, jwks_uri: JWKS_URI },
        [JWKS_URI]: { keys: [key.jwk] },
      };
      requests[address as string] = new Headers(init?.headers).get('x-tenant');
      return Promise.resolve(Response.json(documents[address as string]));
    };
    const tokenWith = (claims: Record<string, unknown>) =>
      signToken(
        { alg: 'RS256', kid: key.kid },
        { iss: NAME, aud: AUDIENCE, exp: now() + 60, ...claims },
        key.privateKey,
      );
    const ask = (args: readonly string[], claims: Record<string, unknown> = {}) =>
      examine(['--issuer', NAME, '--token', '-', ...args], { fetch, stdin: tokenWith(claims) });

    it('accepts an issuer over http that is only a name, and pastes no insecureAllowHttp', async () => {
      const result = await ask(['--audience', AUDIENCE, '--jwks-uri', JWKS_URI, '--allow-http']);
      expect([result.exitCode, result.row('issuer').status]).toEqual([0, 'ok']);
      expect(result.configuration).toContain(`keys: { from: 'jwks', uri: '${JWKS_URI}' }`);
      expect(result.configuration).not.toContain('insecureAllowHttp');
    });

    it('reads metadata at --metadata-uri, with the headers of --header for that origin only', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
      await writeFile(join(folder, 'tenant'), 's3cret\n');
      const header = ['--header', `X-Tenant: id @${join(folder, 'tenant')}`];
      const result = await ask(['--audience', AUDIENCE, '--metadata-uri', METADATA_URI, ...header]);
      await rm(folder, { recursive: true });
      expect([result.exitCode, requests]).toEqual([0, { [METADATA_URI]: 'id s3cret', [JWKS_URI]: null }]);
      expect(result.configuration).toContain(METADATA_URI);
      expect(result.configuration).toContain("headers: { 'X-Tenant': '<value>' }");
      expect(result.stdout).not.toContain('s3cret');
    });

    it('checks no audience with --no-audience, and prints audience: null', async () => {
      const result = await ask(['--no-audience', '--jwks-uri', JWKS_URI], { aud: undefined });
      expect([result.exitCode, result.row('token.audience').status]).toEqual([0, 'warning']);
      expect(result.configuration).toContain('audience: null');
      // The type is checked regardless, as the API does.
      expect((await ask(['--no-audience', '--jwks-uri', JWKS_URI], { aud: 7 })).problems).toEqual(['token.audience']);
    });

    it.each([
      ['--no-audience', '--audience', 'a'],
      ['--jwks-uri', JWKS_URI, '--metadata-uri', METADATA_URI],
      ['--header', 'X-Tenant'],
      ['--header', 'X-Tenant: @/no/such/file'],
      ['--metadata-uri', 'notaurl'],
    ])('refuses %s %s %s %s', async (...args) => {
      const { exitCode, stderr } = await command(['doctor', '--issuer', NAME, ...args], { fetch });
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('error: --')]);
    });

    it('names the form of roles that are not read, and a token that is too long for the headers of Node', async () => {
      const claims = { roles: [{ name: 'admin' }], groups: Array(400).fill('0'.repeat(36)) };
      const result = await ask(['--audience', AUDIENCE, '--jwks-uri', JWKS_URI], claims);
      expect(result.exitCode).toBe(0);
      expect(result.row('token.roles')).toMatchObject({
        status: 'warning',
        found: '`roles` is a list of objects',
        fix: "Set claimPaths: { roles: ['roles[].name'] }.",
      });
      expect(result.row('token.size')).toMatchObject({ status: 'warning', fix: expect.stringContaining('431') });
    });

    it('names a proxy that Node ignores, if the issuer is unreachable', async () => {
      const env = { HTTPS_PROXY: 'http://proxy.example.com:3128' };
      const args = ['--issuer', 'https://issuer.example.com'];
      const found = (await examine(args, { fetch: unreachable, env })).row('proxy').found;
      expect(found).toBe('HTTPS_PROXY is set, but Node ignores it');
      const used = await examine(args, { fetch: unreachable, env: { ...env, NODE_USE_ENV_PROXY: '1' } });
      expect(used.checks.map(({ check }) => check)).not.toContain('proxy');
    });
  });

  it('needs no metadata, and no URL as issuer, with --jwks-uri', async () => {
    server.handlers.delete(METADATA[0]);
    const uri = server.url + KEYS;
    const result = await examine(args('--jwks-uri', uri, '--token', '-'), { stdin: valid() });
    expect(result.exitCode).toBe(0);
    expect([result.row('discovery').status, server.requests]).toEqual(['skipped', [KEYS]]);
    expect(result.row('token.signature').status).toBe('ok');
    expect(result.configuration).toContain(`keys: { from: 'jwks', uri: '${uri}' }`);
    const named = await examine(['--issuer', 'joe', '--jwks-uri', uri, '--audience', 'api']);
    expect(named.configuration).toContain("issuer: 'joe'");
    expect([named.row('issuer').status, named.exitCode]).toEqual(['ok', 0]);
    expect((await examine(args('--jwks-uri', 'http://127.0.0.1:1/jwks', '--timeout', '1'))).exitCode).toBe(3);
    expect((await examine(args('--jwks-uri', 'http://keys.example.com/jwks'))).problems).toEqual(['jwks-uri']);
  });

  it('uses http for other hosts than loopback only with --allow-http, and configures it', async () => {
    const issuer = 'http://auth.internal:8080';
    const requests: unknown[] = [];
    const record: typeof fetch = (address, init) => {
      requests.push(address);
      return serveAs(issuer)(address, init);
    };
    metadata({ issuer, jwks_uri: issuer + KEYS });
    const refused = await examine(['--issuer', issuer], { fetch: record });
    expect([refused.problems, requests]).toEqual([['issuer'], []]);
    const allowed = await examine(['--issuer', issuer, '--allow-http'], { fetch: record });
    expect(allowed.exitCode).toBe(0);
    expect(allowed.configuration).toContain('insecureAllowHttp: true');
  });

  it.each([
    ['an @ in the password', 'https://user:SECRETp@SECRETq@tenant.example.com'],
    ['a slash in the password', 'https://user:SECRET/p@tenant.example.com'],
    ['a question mark in the password', 'https://user:SECRET?p@tenant.example.com'],
    ['a query', 'https://tenant.example.com?client_secret=SECRET'],
    ['no URL', 'user:SECRET@tenant'],
  ])('prints no credentials of the issuer: %s', async (_title, issuer) => {
    for (const more of [[], ['--json'], ['--jwks-uri', 'https://u:SECRET@tenant.example.com/jwks']]) {
      const { stdout, stderr } = await command(['doctor', '--issuer', issuer, ...more], { fetch: unreachable });
      expect(stdout + stderr).not.toContain('SECRET');
    }
    const { stdout } = await command(['doctor', '--issuer', issuer, '--jwks-uri', server.url + KEYS], {
      fetch: (address, init) => ((address as string).startsWith(server.url) ? fetch(address, init) : unreachable()),
    });
    expect(stdout).not.toContain('SECRET');
  });

  it('escapes control characters of servers, tokens and arguments', async () => {
    const stdin = valid({ scope: `read${CONTROL_TEXT}`, aud: CONTROL_TEXT }, { typ: CONTROL_TEXT });
    server.publish({ ...key.jwk, kid: CONTROL_TEXT });
    for (const issuer of [server.url, `${server.url}/\u001b[2J\u202e`]) {
      metadata({ issuer });
      for (const json of [[], ['--json']]) {
        const argv = ['doctor', '--issuer', server.url, '--audience', 'a,\u202eb', '--token', '-', ...json];
        const { stdout } = await command(argv, { stdin });
        expect(stdout.split('\n').filter(hasControls)).toEqual([]);
        expect(stdout).toContain('u009b31m');
      }
    }
  });

  describe('the token', () => {
    it('must not be an argument, and is not repeated (exit code 2)', async () => {
      const secret = valid();
      const spaced = `${Buffer.from('{ "alg": "ES256" }').toString('base64url')}.e30.c2ln`;
      for (const argument of [['--token', secret], [`--token=${secret}`], [`--tokn=${secret}`], [secret], [spaced]]) {
        const result = await command(['doctor', ...args(), ...argument]);
        expect([result.exitCode, result.stdout]).toEqual([2, '']);
        expect(result.stderr).toContain('--token -');
        for (const part of [...secret.split('.'), spaced]) expect(result.stderr).not.toContain(part);
      }
      expect(server.requests).toEqual([]);
    });

    it('is read from standard input, also as a header', async () => {
      expect((await examineToken(`authorization: bearer  ${valid()}\r\n`)).problems).toEqual([]);
      const empty = await command(['doctor', ...args('--token', '-')], { stdin: ' \n' });
      expect([empty.exitCode, empty.stdout]).toEqual([2, '']);
      expect(empty.stderr).toContain('standard input is empty');
    });
  });

  it.each(['', ' ', 'undefined', 'null', 'https://', 'https://%', '\u0000', '[', '{', "'", '🙂', 'a b', '//', '-'])(
    'handles any value of an option without an internal error: %j',
    async (text) => {
      for (const parameters of [
        [`--issuer=${text}`],
        args(`--audience=${text}`),
        args(`--jwks-uri=${text}`),
        args(`--token=${text}`),
        [`--issuer=${text}`, '--jwks-uri', server.url + KEYS, `--audience=${text}`],
      ]) {
        for (const more of [[], ['--token', '-']]) {
          const { exitCode, stdout, stderr } = await command(['doctor', ...parameters, ...more], { stdin: valid() });
          expect([0, 1, 2, 3]).toContain(exitCode);
          expect([stdout === '', stderr !== '']).toEqual([exitCode === 2, exitCode === 2]);
        }
      }
    },
  );

  describe('the configuration', () => {
    const BLOCKERS: Record<string, readonly [checks: string, plant: () => Run]> = {
      'metadata of another issuer on the same host': [
        'metadata-issuer',
        () => {
          const location = `/realms/a${METADATA[0]}`;
          server.json(location, () => ({ issuer: `${server.url}/realms/evil`, jwks_uri: server.url + KEYS }));
          return withIssuer(`${server.url}/realms/a`);
        },
      ],
      'an unreachable issuer': ['reachable', () => withIssuer('http://127.0.0.1:1')],
      'a relative jwks_uri': ['jwks-uri', () => metadata({ jwks_uri: '/jwks' })],
      'a forged token with another spelling of the issuer and of the audience': [
        'token.issuer, token.signature, and token.audience',
        () =>
          withToken(
            server.token({ ...newKey(), kid: key.kid }, 'RS256', { iss: `${server.url}/`, aud: `${AUDIENCE}/` }),
          ),
      ],
    };

    it.each(Object.entries(BLOCKERS))('is withheld because of %s, with the reason', async (_title, [checks, plant]) => {
      const { parameters = args(), environment } = plant();
      const result = await examine(parameters, environment);
      const fix = `Fix ${checks} and run doctor again for the configuration.`;
      expect(result.configuration).toBeNull();
      expect(result.row('configuration')).toMatchObject({ status: 'skipped', fix });
      const { stdout } = await command(['doctor', ...parameters], environment);
      expect(stdout).toContain(`\nskipped: configuration: ${fix}\n`);
      expect(stdout).not.toContain('forRoot');
    });

    it('uses the audience that follows from the issuer (Firebase)', async () => {
      const issuer = 'https://securetoken.google.com/shop-1';
      metadata({ issuer, jwks_uri: issuer + KEYS });
      const claims = { iss: issuer, aud: 'shop-1', auth_time: now() };
      const environment = { stdin: valid(claims, { typ: 'JWT' }), fetch: serveAs(issuer) };
      const result = await examine(['--issuer', issuer, '--token', '-'], environment);
      expect([result.problems, result.row('token.audience').status]).toEqual([[], 'ok']);
      expect(result.configuration).toContain("firebase({ projectId: 'shop-1' })");
      const other = await examine(['--issuer', issuer, '--audience', 'orders'], environment);
      expect(other.problems).toEqual(['configuration']);
      expect(other.row('configuration').fix).toContain('tokens have the audience "shop-1"');
    });

    it("checks a token as the preset does: Cognito's audience is in client_id", async () => {
      const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC';
      metadata({ issuer, jwks_uri: issuer + KEYS });
      const parameters = ['--issuer', issuer, '--audience', 'client', '--token', '-'];
      const claims = { iss: issuer, aud: undefined, client_id: 'client', token_use: 'access' };
      const stdin = valid(claims, { typ: undefined });
      const result = await examine(parameters, { stdin, fetch: serveAs(issuer) });
      expect(result.problems).toEqual([]);
      expect(result.configuration?.replace(/\s+/g, ' ')).toContain("clientId: 'client'");
      const idToken = valid({ ...claims, token_use: 'id' }, { typ: undefined });
      const rejected = await examine(parameters, { stdin: idToken, fetch: serveAs(issuer) });
      expect(rejected.problems).toContain('token.access-token');
    });

    it("makes the check of the preset: Entra ID's tid must be the configured tenant", async () => {
      const issuer = `https://login.microsoftonline.com/${TENANT}/v2.0`;
      metadata({ issuer, jwks_uri: issuer + KEYS });
      const stdin = valid({ iss: issuer, aud: TENANT, azp: 'client', tid: 'another-tenant' }, { typ: 'JWT' });
      const parameters = ['--issuer', issuer, '--audience', TENANT, '--token', '-'];
      const result = await examine(parameters, { stdin, fetch: serveAs(issuer) });
      expect(result.problems).toEqual(['token.validate']);
      expect(result.stdout).not.toContain('another-tenant');
    });
  });

  it('states what was not checked, and how to check it', async () => {
    const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);
    const { stdout } = await command(['doctor', '--issuer', server.url]);
    expect(lastLine(stdout)).toBe('skipped: token.form: Pass --token - to check a token on standard input.');
    const withoutAudience = await command(['doctor', '--issuer', server.url, '--token', '-'], { stdin: valid() });
    expect(lastLine(withoutAudience.stdout)).toMatch(/^skipped: token\.audience: Pass --audience/);
  });
});
