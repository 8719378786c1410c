import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer } from 'node:https';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { signIn } from '../../demo/sign-in.js';
import { command, examine, type Given } from '../support/command.js';
import { closedPort, fault, FaultyIssuer, KEYS, METADATA } from '../support/faulty-issuer.js';
import { newKey } from '../support/local-issuer.js';
import { selfSigned } from '../support/self-signed.js';

const AUDIENCE = 'https://api.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';
const key = newKey('rsa', { use: 'sig', alg: 'RS256' });

describe('doctor at a real authorization server', () => {
  let server: AuthorizationServer;

  beforeAll(async () => {
    server = await AuthorizationServer.start({ audiences: [AUDIENCE], redirectUri: REDIRECT_URI });
  });

  afterAll(() => server.stop());

  it('finds no problem with a good issuer and a good token, and says what to paste', async () => {
    const stdin = await server.clientCredentialsToken();
    const found = await examine(['--issuer', server.issuer, '--audience', AUDIENCE, '--token', '-'], { stdin });
    expect(found.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect([found.exitCode, found.stderr]).toEqual([0, '']);
    expect(found.row('token.signature').found).toBe('verified');
    expect(found.row('token.grants').found).toBe('client "orders-job", scopes read:orders write:orders');
    expect(found.configuration).toContain(
      `AuthModule.forRoot({ issuer: '${server.issuer}', audience: '${AUDIENCE}' })`,
    );
  });

  it('tells the ID token of a sign-in from an access token', async () => {
    const { idToken } = await signIn(server, { login: 'alice', redirectUri: REDIRECT_URI, resource: AUDIENCE });
    const found = await examine(['--issuer', server.issuer, '--audience', AUDIENCE, '--token', '-'], {
      stdin: idToken,
    });
    expect(found.row('token.access-token')).toMatchObject({
      status: 'warning',
      found: 'may be an ID token',
      mend: expect.stringContaining('send access_token of the token response'),
    });
    expect(found.problems).toEqual(['token.audience']);
  });

  it('prints a table, the problems with their mends, and the configuration; no colours where nobody looks', async () => {
    const stdin = server.sign({ exp: 1_000 });
    const parameters = ['doctor', '--issuer', `${server.issuer}/`, '--audience', AUDIENCE, '--token', '-'];
    const { stdout, exitCode } = await command(parameters, { stdin });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`ok       reachable           ${new URL(server.issuer).host} answered in`);
    expect(stdout).toContain('3 problems.');
    expect(stdout).toContain(
      `  mend:     Write issuer: '${server.issuer}', without the slash at its end: \`iss\` is compared to the letter.`,
    );
    expect(stdout).toContain('problem: token.expiry\n  found:    expired ');
    expect(stdout.trimEnd().endsWith(`issuer: '${server.issuer}', audience: '${AUDIENCE}' })`)).toBe(true);
    expect(stdout).not.toContain('\u001b');
    const coloured = await command(parameters, { stdin, isTerminal: true });
    expect(coloured.stdout).toContain('\u001b[31mproblem');
    const asked = await command(parameters, { stdin, isTerminal: true, env: { NO_COLOR: '1' } });
    expect(asked.stdout).not.toContain('\u001b');
  });

  it('never prints the token, and of its claims only those that say whose it is and how long', async () => {
    const stdin = server.sign({ sub: 'secret-subject', email: 'alice@secret.example.com', cnf: { jkt: 'secret-jkt' } });
    for (const json of [[], ['--json']]) {
      const ran = await command(['doctor', '--issuer', server.issuer, '--token', '-', ...json], { stdin });
      const printed = ran.stdout + ran.stderr;
      expect(printed).toContain('token.binding');
      for (const part of ['secret', ...stdin.split('.')]) expect(printed).not.toContain(part);
    }
  });
});

describe('doctor', () => {
  let server: FaultyIssuer;

  beforeEach(async () => {
    server = await FaultyIssuer.start([key]);
  });

  afterEach(() => server.stop());

  const asked = (...more: string[]) => ['--issuer', server.url, '--audience', AUDIENCE, ...more];
  const withToken = (token: string, ...more: string[]) => examine(asked('--token', '-', ...more), { stdin: token });
  const good = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    server.token(key, 'RS256', claims, header);

  it('finds no problem with a good issuer on loopback', async () => {
    const found = await withToken(good());
    expect(found.problems).toEqual([]);
    expect(found.exitCode).toBe(0);
  });

  interface Mistake {
    readonly check: string;
    /** Words of the mend. */
    readonly mend: string | RegExp;
    readonly found?: string | RegExp;
    readonly status?: 'problem' | 'warning';
    readonly exitCode?: number;
    /** Plants it; returns the parameters, and what comes on standard input. */
    readonly plant: () => { parameters?: string[]; given?: Given } | undefined;
  }

  const token = (text: string) => ({ parameters: asked('--token', '-'), given: { stdin: text } });
  const metadata = (members: Record<string, unknown>) => {
    server.json(METADATA[0], () => ({ issuer: server.url, jwks_uri: server.url + KEYS, ...members }));
    return undefined;
  };
  const issuerOf = (issuer: string) => ({ parameters: ['--issuer', issuer, '--audience', AUDIENCE] });
  /** This server stands where the issuer should be. */
  const instead =
    (issuer: string): typeof fetch =>
    (address, init) =>
      fetch((address as string).replace(issuer, server.url), init);
  const now = () => Math.floor(Date.now() / 1000);
  const from = (iss: string, claims: Record<string, unknown> = {}) => good({ iss, ...claims });

  const MISTAKES: Record<string, Mistake> = {
    'a slash too many at the end of the issuer': {
      check: 'metadata-issuer',
      mend: /^Write issuer: 'http:\/\/127\.0\.0\.1:\d+', without the slash at its end/,
      plant: () => issuerOf(`${server.url}/`),
    },
    'a slash that is missing at the end of the issuer': {
      check: 'metadata-issuer',
      mend: /^Write issuer: 'http:\/\/127\.0\.0\.1:\d+\/', with the slash at its end/,
      plant: () => metadata({ issuer: `${server.url}/` }),
    },
    'spaces around the issuer': {
      check: 'issuer',
      found: 'has spaces in it',
      mend: /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      plant: () => issuerOf(` ${server.url} `),
    },
    'an issuer in the quotation marks of an .env file': {
      check: 'issuer',
      found: 'has quotation marks around it',
      mend: 'Write ',
      plant: () => issuerOf(`'${server.url}'`),
    },
    'an issuer with a query': {
      check: 'issuer',
      found: 'has a query or fragment',
      mend: 'Write ',
      plant: () => issuerOf(`${server.url}?tenant=1`),
    },
    'the address of the metadata in place of the issuer': {
      check: 'issuer',
      found: 'is the address of the metadata',
      mend: /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      plant: () => issuerOf(server.url + METADATA[0]),
    },
    'an issuer without https://': {
      check: 'issuer',
      found: 'is no address',
      mend: '--issuer https://tenant.example.com',
      plant: () => issuerOf('tenant.example.com'),
    },
    'an issuer over http': {
      check: 'issuer',
      found: 'is http',
      mend: "Write 'https://tenant.example.com'",
      plant: () => issuerOf('http://tenant.example.com'),
    },
    'credentials in the issuer': {
      check: 'issuer',
      found: 'has credentials in it',
      mend: /^Write 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      plant: () => issuerOf(server.url.replace('//', '//user:hunter2@')),
    },
    'a path that is wrong': {
      check: 'discovery',
      found: '/realms/demo/.well-known/openid-configuration answers 404',
      mend: /At .* are metadata: write issuer: 'http:\/\/127\.0\.0\.1:\d+'\.$/,
      plant: () => issuerOf(`${server.url}/realms/demo`),
    },
    'the /auth of an older Keycloak': {
      check: 'discovery',
      mend: /write issuer: '.*\/realms\/demo'/,
      plant: () => {
        const issuer = `${server.url}/realms/demo`;
        server.handlers.delete(METADATA[0]);
        server.json(`/realms/demo${METADATA[0]}`, () => ({ issuer, jwks_uri: server.url + KEYS }));
        return issuerOf(`${server.url}/auth/realms/demo`);
      },
    },
    'a path that was left out, and nothing anywhere': {
      check: 'discovery',
      mend: 'Many issuers have a path',
      plant: () => {
        server.handlers.delete(METADATA[0]);
        return undefined;
      },
    },
    'metadata behind a login': {
      check: 'discovery',
      mend: 'Metadata must be public',
      plant: () => {
        for (const path of METADATA)
          server.handlers.set(path, (_request, response) => response.writeHead(401).end('{}'));
        return undefined;
      },
    },
    'HTML in place of the metadata': {
      check: 'discovery',
      found: 'answers with a page (text/html) instead of JSON',
      mend: 'give the address of the authorization server itself',
      plant: () => {
        server.fail(fault('answers with a page to log in at'), ...METADATA);
        return undefined;
      },
    },
    'a redirect to a page to log in at': {
      check: 'discovery',
      found: 'redirects (302) to ',
      mend: 'Redirects are not followed',
      plant: () => {
        server.fail(fault('answers with a redirect'), ...METADATA);
        return undefined;
      },
    },
    'a redirect to the right issuer': {
      check: 'discovery',
      mend: /^There are metadata: write issuer: 'http:\/\/127\.0\.0\.1:\d+\/new'/,
      plant: () => {
        const location = `/new${METADATA[0]}`;
        server.json(location, () => ({ issuer: `${server.url}/new`, jwks_uri: server.url + KEYS }));
        server.handlers.set(METADATA[0], (_request, response) => response.writeHead(301, { location }).end());
        return undefined;
      },
    },
    'a server that does not work': {
      check: 'reachable',
      found: 'answers 500',
      mend: 'look into its log',
      plant: () => {
        server.fail(fault('answers 500'), ...METADATA);
        return undefined;
      },
    },
    'a server that never answers': {
      check: 'reachable',
      found: 'did not answer within 0.2 s (timeout)',
      mend: 'a firewall or a proxy',
      exitCode: 3,
      plant: () => {
        server.fail(fault('never answers'), ...METADATA);
        return { parameters: asked('--timeout', '0.2') };
      },
    },
    'a server that breaks off': {
      check: 'reachable',
      found: 'broke off the connection',
      mend: "whether the server's port speaks http",
      exitCode: 3,
      plant: () => {
        server.fail(fault('resets the connection in the middle of the body'), ...METADATA);
        return undefined;
      },
    },
    'metadata of another issuer': {
      check: 'metadata-issuer',
      found: 'the metadata are of "https://public.example.com"',
      mend: "write issuer: 'https://public.example.com'; where only this address can be reached",
      plant: () => metadata({ issuer: 'https://public.example.com' }),
    },
    'the common endpoint of Entra ID': {
      check: 'metadata-issuer',
      mend: "your tenant's id in place of common",
      plant: () => metadata({ issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }),
    },
    'metadata that name no issuer': {
      check: 'metadata-issuer',
      mend: 'no metadata of an authorization server',
      plant: () => metadata({ issuer: undefined }),
    },
    'metadata without jwks_uri': {
      check: 'jwks-uri',
      mend: "keys: { from: 'jwks', uri }",
      plant: () => metadata({ jwks_uri: undefined }),
    },
    'a jwks_uri over http': {
      check: 'jwks-uri',
      mend: 'X-Forwarded-Proto',
      plant: () => metadata({ jwks_uri: 'http://keys.example.com/jwks' }),
    },
    'a key set that is not there': {
      check: 'jwks',
      found: `${KEYS} answers 404`,
      mend: 'No keys are published there',
      plant: () => {
        server.handlers.delete(KEYS);
        return undefined;
      },
    },
    'HTML in place of the keys': {
      check: 'jwks',
      found: 'a page (text/html) instead of JSON',
      mend: 'A page stands where the keys should be',
      plant: () => {
        server.fail(fault('answers with a page to log in at'), KEYS);
        return undefined;
      },
    },
    'JSON that is no key set': {
      check: 'jwks',
      mend: 'but no key set',
      plant: () => {
        server.fail(fault('sends {}'), KEYS);
        return undefined;
      },
    },
    'an empty key set': {
      check: 'jwks',
      found: 'the key set is empty',
      mend: 'Let the authorization server make a signing key',
      plant: () => {
        server.publish();
        return undefined;
      },
    },
    'a private key that is published': {
      check: 'private-keys',
      mend: 'Withdraw these keys NOW',
      plant: () => {
        server.publish(key, { ...newKey().privateKey.export({ format: 'jwk' }), kid: 'open' });
        return undefined;
      },
    },
    'a shared secret that is published': {
      check: 'symmetric-keys',
      mend: 'who can verify with them can sign with them',
      plant: () => {
        server.publish(key, { kty: 'oct', k: 'c2VjcmV0', kid: 'hmac' });
        return undefined;
      },
    },
    'a key that is too short': {
      check: 'key-strength',
      found: 'RSA 1024 bits',
      mend: 'a new RSA key of 2048 bits',
      plant: () => {
        server.publish(key, newKey('rsa-1024'));
        return undefined;
      },
    },
    'keys of no use': {
      check: 'keys',
      found: 'none of 1 can verify a token',
      mend: 'Give the authorization server a signing key',
      plant: () => {
        server.publish({ ...key.jwk, use: 'enc' });
        return undefined;
      },
    },
    'a key for another algorithm': {
      check: 'key-use',
      status: 'warning',
      mend: '"use": "sig"',
      plant: () => {
        server.publish(key, { ...newKey().jwk, alg: 'RSA-OAEP' });
        return undefined;
      },
    },
    'a kid that is missing': {
      check: 'key-ids',
      found: 'without kid: a key without kid',
      mend: 'Give each key a kid',
      plant: () => {
        server.publish(key, newKey('p-256', { kid: undefined }));
        return undefined;
      },
    },
    'a kid that is there twice': {
      check: 'key-ids',
      status: 'warning',
      found: 'used more than once: ',
      mend: 'a kid of its own',
      plant: () => {
        server.publish(key, newKey('rsa', { kid: key.kid }));
        return undefined;
      },
    },
    'an issuer that signs with HS256 only': {
      check: 'algorithms',
      found: 'HS256',
      mend: 'HS256 shares its secret',
      plant: () => metadata({ id_token_signing_alg_values_supported: ['HS256'] }),
    },
    'an issuer that offers tokens without signature': {
      check: 'algorithms',
      status: 'warning',
      mend: 'switch that off there',
      plant: () => metadata({ id_token_signing_alg_values_supported: ['RS256', 'none'] }),
    },
    'a clock that is two minutes behind': {
      check: 'clock',
      found: /^the issuer is 1(?:19|20|21) s ahead$/,
      mend: /follow a time server.* Until then: clockToleranceSeconds: 12\d\.$/,
      plant: () => ({ given: { clock: () => Date.now() - 120_000 } }),
    },
    'a clock that is an hour ahead': {
      check: 'clock',
      found: 'behind',
      mend: 'follow a time server',
      plant: () => ({ given: { clock: () => Date.now() + 3_600_000 } }),
    },
    'a clock that is off, but tolerated': {
      check: 'clock',
      status: 'warning',
      mend: 'Up to 60 s are tolerated',
      plant: () => ({
        parameters: asked('--clock-tolerance', '60'),
        given: { clock: () => Date.now() - 20_000 },
      }),
    },
    'a token for another audience': {
      check: 'token.audience',
      found: '"https://other.example.com"',
      mend: 'write audience: \'https://other.example.com\'; if not, ask the issuer for a token for "https://api.example.com"',
      plant: () => token(good({ aud: 'https://other.example.com' })),
    },
    'an audience with a slash too many': {
      check: 'token.audience',
      mend: "Write audience: 'https://api.example.com/', with the slash at its end",
      plant: () => token(good({ aud: `${AUDIENCE}/` })),
    },
    'a token without audience': {
      check: 'token.audience',
      mend: 'Have the issuer name this API in aud',
      plant: () => token(good({ aud: undefined })),
    },
    'a token that names its issuer with a slash': {
      check: 'token.issuer',
      mend: /Write issuer: '.*\/', with the slash at its end.*Its metadata say/,
      plant: () => token(from(`${server.url}/`)),
    },
    'a token of another issuer': {
      check: 'token.issuer',
      found: '"https://elsewhere.example.com"',
      mend: 'The token is of another issuer',
      plant: () => token(from('https://elsewhere.example.com')),
    },
    'the other issuer of Entra ID': {
      check: 'token.issuer',
      mend: 'requestedAccessTokenVersion',
      plant: () => {
        const tenant = '11111111-2222-3333-4444-555555555555';
        const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
        metadata({ issuer });
        return {
          parameters: ['--issuer', issuer, '--audience', AUDIENCE, '--token', '-'],
          given: { stdin: from(`https://sts.windows.net/${tenant}/`), fetch: instead(issuer) },
        };
      },
    },
    'a token that expired': {
      check: 'token.expiry',
      found: /^expired 10 minutes ago \(/,
      mend: 'Get a fresh token',
      plant: () => token(good({ iat: now() - 900, exp: now() - 600 })),
    },
    'a token without an end': {
      check: 'token.expiry',
      mend: 'Have the issuer set exp',
      plant: () => token(good({ exp: undefined })),
    },
    'a token that is not valid yet': {
      check: 'token.not-before',
      found: /^valid in (?:9|10) min/,
      mend: 'not valid yet',
      plant: () => token(good({ nbf: now() + 600 })),
    },
    'a token that was issued tomorrow': {
      check: 'token.issued-at',
      mend: 'clock of this machine is behind',
      plant: () => token(good({ iat: now() + 86_400, exp: now() + 90_000 })),
    },
    'a token of Keycloak that is an ID token': {
      check: 'token.access-token',
      mend: 'Send access_token of the token response',
      plant: () => token(good({ typ: 'ID' })),
    },
    'a token that looks like an ID token': {
      check: 'token.access-token',
      status: 'warning',
      mend: "tokenTypes: ['at+jwt']",
      plant: () => token(good({ nonce: 'n' }, { typ: 'JWT' })),
    },
    'a token of another type': {
      check: 'token.type',
      found: '"example+jwt"',
      mend: "tokenTypes: ['example+jwt']",
      plant: () => token(good({}, { typ: 'example+jwt' })),
    },
    'a logout token': {
      check: 'token.type',
      found: '"logout+jwt"',
      mend: /^It is a logout token .* no access token/,
      plant: () => token(good({}, { typ: 'logout+jwt' })),
    },
    'an opaque token': {
      check: 'token.form',
      found: 'an opaque token (1 part)',
      mend: 'Ask for a token for your API',
      plant: () => token('v2_local_q8d7f6a5s4d3f2g1'),
    },
    'an encrypted token': {
      check: 'token.form',
      found: 'five parts',
      mend: 'Switch off the encryption',
      plant: () => token('eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn'),
    },
    'the whole answer of the token endpoint': {
      check: 'token.form',
      found: 'JSON, not a token',
      mend: 'the value of access_token only',
      plant: () => token(JSON.stringify({ access_token: good() })),
    },
    'a token that was cut off': {
      check: 'token.form',
      mend: 'cut off, wrapped or encoded',
      plant: () => token(`${good().slice(0, 60)}.e=.x`),
    },
    'a token that is too large': {
      check: 'token.form',
      mend: 'put less into it',
      plant: () => token(good({ groups: Array.from({ length: 3_000 }, (_item, index) => `group-${String(index)}`) })),
    },
    'a token that is signed with HS256': {
      check: 'token.algorithm',
      found: '"HS256"',
      mend: 'with HS256 whoever can verify can also forge',
      plant: () => {
        const input = good({}, { alg: 'HS256' }).split('.').slice(0, 2).join('.');
        return token(`${input}.${createHmac('sha256', 'secret').update(input).digest('base64url')}`);
      },
    },
    'a token without signature': {
      check: 'token.algorithm',
      found: '"none"',
      mend: 'none has no signature',
      plant: () => token(`${good({}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`),
    },
    'a token that demands an extension': {
      check: 'token.critical',
      mend: 'leave out crit',
      plant: () => token(good({}, { crit: ['b64'], b64: false })),
    },
    'a key that nobody publishes': {
      check: 'token.key',
      found: '"gone"',
      mend: 'The issuer does not publish this key',
      plant: () => token(good({}, { kid: 'gone' })),
    },
    'a key that does not fit the algorithm': {
      check: 'token.key',
      mend: 'must not verify "PS256"',
      plant: () => token(server.token(key, 'PS256')),
    },
    'a signature of somebody else': {
      check: 'token.signature',
      mend: 'signed with another key under the same kid',
      plant: () => token(server.token({ ...newKey(), kid: key.kid }, 'RS256')),
    },
    'a token for Microsoft Graph': {
      check: 'token.signature',
      mend: 'Microsoft Graph',
      plant: () => token(server.token({ ...newKey(), kid: key.kid }, 'RS256', {}, { nonce: 'n' })),
    },
    'a token that is bound to a key': {
      check: 'token.binding',
      found: 'bound to DPoP (cnf.jkt)',
      mend: 'a token without binding',
      plant: () => token(good({ cnf: { jkt: 'x' } })),
    },
    'a token that is bound to a certificate': {
      check: 'token.binding',
      found: 'a client certificate (cnf.x5t#S256)',
      mend: 'a token without binding',
      plant: () => token(good({ cnf: { 'x5t#S256': 'x' } })),
    },
    'a scope that is a number': {
      check: 'token.claims',
      found: 'scope is of another type',
      mend: 'Have the issuer send scope as a string',
      plant: () => token(good({ scope: 7 })),
    },
    'an audience that is a number': {
      check: 'token.audience',
      mend: 'send aud as a string or a list of strings',
      plant: () => token(good({ aud: 7 })),
    },
    'an end in milliseconds': {
      check: 'token.expiry',
      found: 'exp is in milliseconds',
      mend: 'in seconds, not in milliseconds, since 1970',
      plant: () => token(good({ exp: Date.now() + 60_000 })),
    },
    'a time that is a text': {
      check: 'token.issued-at',
      found: 'iat is a text',
      mend: 'Have the issuer send iat as a number of seconds since 1970',
      plant: () => token(good({ iat: 'today' })),
    },
    'a beginning in milliseconds': {
      check: 'token.not-before',
      found: 'nbf is in milliseconds',
      mend: 'in seconds, not in milliseconds',
      plant: () => token(good({ nbf: Date.now() })),
    },
    'an audience that every token of a realm names': {
      check: 'token.audience',
      found: '"account"',
      mend: /^It is not for your API, but what every token there names\. .*Audience mapper/,
      plant: () => token(good({ aud: 'account' })),
    },
    'an audience with a comma in it': {
      check: 'configuration',
      status: 'warning',
      mend: '--audience orders --audience stock',
      plant: () => ({ parameters: ['--issuer', server.url, '--audience', 'orders,stock'] }),
    },
    'an audience with white space around it': {
      check: 'configuration',
      mend: 'Write "orders"',
      plant: () => ({ parameters: ['--issuer', server.url, '--audience', 'orders '] }),
    },
    'an issuer that names itself with http behind its proxy': {
      check: 'metadata-issuer',
      mend: 'Have the issuer name itself with https',
      plant: () => {
        const issuer = 'https://id.example.com';
        metadata({ issuer: 'http://id.example.com' });
        return { parameters: ['--issuer', issuer], given: { fetch: instead(issuer) } };
      },
    },
    'a token that names its issuer with http behind its proxy': {
      check: 'token.issuer',
      found: '"http://id.example.com"',
      mend: 'Have the issuer name itself with https',
      plant: () => {
        const issuer = 'https://id.example.com';
        metadata({ issuer });
        return {
          parameters: ['--issuer', issuer, '--audience', AUDIENCE, '--token', '-'],
          given: { stdin: from('http://id.example.com'), fetch: instead(issuer) },
        };
      },
    },
    'a token of the same realm at another address': {
      check: 'token.issuer',
      found: '"http://keycloak:8080/realms/shop"',
      mend: /Set its hostname.*KC_HOSTNAME=https:\/\/id\.example\.com.*internalUrl: 'http:\/\/keycloak:8080'/,
      plant: () => {
        const issuer = 'https://id.example.com/realms/shop';
        metadata({ issuer });
        return {
          parameters: ['--issuer', issuer, '--audience', AUDIENCE, '--token', '-'],
          given: { stdin: from('http://keycloak:8080/realms/shop'), fetch: instead(issuer) },
        };
      },
    },
    'a made-up token of the same realm on a server of somebody else': {
      check: 'token.issuer',
      found: '"https://keycloak.evil.test/realms/shop"',
      mend: /^(?!.*(?:internalUrl|evil)).*on another server/,
      plant: () => ({
        parameters: [
          ...['--issuer', 'https://id.example.com/realms/shop', '--audience', AUDIENCE],
          ...['--jwks-uri', server.url + KEYS, '--token', '-'],
        ],
        given: {
          stdin: from('https://keycloak.evil.test/realms/shop'),
          fetch: instead('https://id.example.com/realms/shop'),
        },
      }),
    },
    'an audience that the preset refuses': {
      check: 'configuration',
      found: 'zitadel() refuses audience',
      mend: 'audience must be the id of a project, a number',
      plant: () => {
        const issuer = 'https://my.zitadel.cloud';
        metadata({ issuer, jwks_uri: issuer + KEYS });
        return { parameters: ['--issuer', issuer, '--audience', 'orders'], given: { fetch: instead(issuer) } };
      },
    },
    'a kid that is a number': {
      check: 'token.key',
      mend: 'does not publish this key',
      plant: () => token(good({}, { kid: 7 })),
    },
    'a token that names no issuer': {
      check: 'token.issuer',
      mend: 'Have the issuer name itself in iss',
      plant: () => token(good({ iss: undefined })),
    },
  };

  it('says of each of two times which it is that is wrong', async () => {
    const { problems } = await withToken(good({ nbf: now() + 600 }));
    expect(problems).toEqual(['token.not-before']);
    const both = await withToken(good({ nbf: now() + 600, iat: now() + 600, exp: now() + 900 }));
    expect(both.problems).toEqual(['token.not-before', 'token.issued-at']);
  });

  it('makes of a token without issuer what can be made, and no problem of the rest', async () => {
    const found = await withToken(good({ iss: undefined }));
    expect(found.problems).toEqual(['token.issuer']);
    expect(['token.algorithm', 'token.issued-at', 'token.key'].map((check) => found.row(check).status)).toEqual([
      'skipped',
      'skipped',
      'skipped',
    ]);
  });

  it('checks the rest of a token of another issuer', async () => {
    const iss = 'https://elsewhere.example.com';
    const { problems } = await withToken(from(iss, { aud: 'other', exp: 1_000 }));
    expect(problems).toEqual(['token.issuer', 'token.audience', 'token.expiry']);
  });

  it.each(Object.entries(MISTAKES))('names %s, with its mend', async (_name, mistake) => {
    const { parameters = asked(), given } = mistake.plant() ?? {};
    const found = await examine(parameters, given);
    const { status = 'problem', exitCode = status === 'problem' ? 1 : 0 } = mistake;
    const row = found.row(mistake.check);
    expect({ ...row, exitCode: found.exitCode }).toMatchObject({
      status,
      exitCode,
      mend: expect.stringMatching(patternOf(mistake.mend)),
      found: expect.stringMatching(patternOf(mistake.found ?? '')),
    });
    expect(found.stdout).not.toContain('hunter2');
  });

  it('names a server that refuses connections, and ends with 3', async () => {
    const closed = await closedPort();
    const found = await examine(['--issuer', `http://127.0.0.1:${String(closed.port)}`]);
    await closed.free();
    expect(found.exitCode).toBe(3);
    expect(found.problems).toEqual(['reachable']);
    expect(found.row('reachable')).toMatchObject({
      found: `127.0.0.1:${String(closed.port)} refused the connection (ECONNREFUSED)`,
      mend: expect.stringContaining('Nobody listens there'),
    });
    expect(found.row('keys').status).toBe('skipped');
  });

  it('names a name that no DNS server knows', async () => {
    const cause = Object.assign(new Error('getaddrinfo ENOTFOUND tennant.example.com'), { code: 'ENOTFOUND' });
    const found = await examine(['--issuer', 'https://tennant.example.com'], {
      fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
    });
    expect(found.exitCode).toBe(3);
    expect(found.row('reachable')).toMatchObject({
      found: 'the name tennant.example.com is not known here (DNS: ENOTFOUND)',
      mend: expect.stringContaining('Check the spelling of tennant.example.com'),
    });
  });

  it('names a certificate that nobody here knows', async () => {
    const { key: privateKey, cert } = selfSigned('127.0.0.1');
    const https = createServer({ key: privateKey, cert }).listen(0, '127.0.0.1');
    await once(https, 'listening');
    const found = await examine(['--issuer', `https://127.0.0.1:${String((https.address() as AddressInfo).port)}`]);
    https.closeAllConnections();
    https.close();
    expect(found.exitCode).toBe(3);
    expect(found.row('reachable')).toMatchObject({
      found: expect.stringContaining('TLS with 127.0.0.1'),
      mend: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it('names a jwks_uri that leads into an internal network', async () => {
    const issuer = 'https://tenant.example.com';
    const found = await examine(['--issuer', issuer], {
      fetch: () => Promise.resolve(Response.json({ issuer, jwks_uri: 'https://10.0.0.7/jwks' })),
    });
    expect(found.row('jwks-uri')).toMatchObject({
      status: 'problem',
      found: 'https://10.0.0.7/jwks leads into an internal network',
      mend: expect.stringContaining("the authorization server's public address"),
    });
    expect(found.row('jwks').status).toBe('skipped');
  });

  it('takes a token from standard input only: one on the command line is refused, and not repeated', async () => {
    const secret = good();
    for (const argument of [['--token', secret], [`--token=${secret}`], [`--tokn=${secret}`], [secret]]) {
      const ran = await command(['doctor', ...asked(), ...argument]);
      expect([ran.exitCode, ran.stdout]).toEqual([2, '']);
      for (const part of secret.split('.')) expect(ran.stderr).not.toContain(part);
    }
    const { stderr } = await command(['doctor', ...asked(), '--token', secret]);
    expect(stderr).toContain('history of the shell and in the list of processes');
    expect(stderr).toContain('--token -');
    expect(server.requests).toEqual([]);
  });

  it('says that nothing came on standard input', async () => {
    const ran = await command(['doctor', ...asked('--token', '-')], { stdin: ' \n' });
    expect([ran.exitCode, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain('nothing on standard input');
  });

  it('takes a token as it stands in a header', async () => {
    expect((await withToken(`Authorization: Bearer ${good()}\n`)).problems).toEqual([]);
  });

  it('checks what can be checked of a token when the issuer cannot be reached', async () => {
    const closed = await closedPort();
    const issuer = `http://127.0.0.1:${String(closed.port)}`;
    const found = await examine(['--issuer', issuer, '--token', '-'], { stdin: from(issuer, { exp: 1_000 }) });
    await closed.free();
    expect(found.exitCode).toBe(3);
    expect(found.problems).toEqual(['reachable', 'token.expiry']);
    expect(found.row('token.signature').status).toBe('skipped');
    expect(found.row('token.key').found).toContain('the keys could not be had');
    expect(found.row('token.audience')).toMatchObject({ status: 'skipped', found: `the token names "${AUDIENCE}"` });
  });

  it('verifies a token of the same issuer in another spelling', async () => {
    server.json(METADATA[0], () => ({ issuer: `${server.url}/`, jwks_uri: server.url + KEYS }));
    const found = await withToken(from(`${server.url}/`));
    expect(found.problems).toEqual(['metadata-issuer', 'token.issuer']);
    expect(found.row('token.signature').status).toBe('ok');
    expect(found.configuration).toContain(`issuer: '${server.url}/'`);
  });

  it('does not verify a token of another issuer with the keys of this one', async () => {
    const found = await withToken(from('https://elsewhere.example.com'));
    expect(found.problems).toEqual(['token.issuer']);
    expect(found.row('token.key').status).toBe('skipped');
    expect(found.row('token.signature').status).toBe('skipped');
  });

  it('finds nothing wrong with a key for encryption beside those that sign', async () => {
    server.publish(key, newKey('rsa', { use: 'enc', alg: 'RSA-OAEP' }));
    expect((await examine(asked())).row('key-use')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('for encryption: '),
    });
  });

  it("compares the audience where the provider names it: Cognito's in client_id", async () => {
    const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC';
    server.json(METADATA[0], () => ({ issuer, jwks_uri: `${issuer}${KEYS}` }));
    const found = await examine(['--issuer', issuer, '--audience', 'client', '--token', '-'], {
      stdin: from(issuer, { aud: undefined, client_id: 'client', token_use: 'access' }),
      fetch: (address, init) => fetch((address as string).replace(issuer, server.url), init),
    });
    expect(found.problems).toEqual([]);
    expect(found.row('token.audience')).toMatchObject({ status: 'ok', found: '"client"' });
    expect(found.configuration.replace(/\s+/g, ' ')).toContain("clientId: 'client'");
  });

  it('says where metadata were found, and which location was passed over', async () => {
    server.json(METADATA[1], () => ({ issuer: server.url, jwks_uri: server.url + KEYS }));
    server.handlers.delete(METADATA[0]);
    const found = await examine(asked());
    expect(found.problems).toEqual([]);
    expect(found.row('discovery').found).toBe(`${server.url}${METADATA[1]} (passed over: ${METADATA[0]} answers 404)`);
  });

  it('needs no metadata where the address of the keys is given', async () => {
    server.handlers.delete(METADATA[0]);
    const uri = server.url + KEYS;
    const found = await examine(asked('--jwks-uri', uri, '--token', '-'), { stdin: good() });
    expect(found.exitCode).toBe(0);
    expect(found.row('discovery')).toMatchObject({
      status: 'warning',
      mend: expect.stringContaining('With --jwks-uri the metadata are not needed'),
    });
    expect(found.row('token.signature').status).toBe('ok');
    expect(found.configuration).toContain(`keys: { from: 'jwks', uri: '${uri}' }`);
    const unreachable = await examine(asked('--jwks-uri', 'http://127.0.0.1:1/jwks', '--timeout', '1'));
    expect(unreachable.exitCode).toBe(3);
    const refused = await examine(asked('--jwks-uri', 'http://keys.example.com/jwks'));
    expect(refused.problems).toEqual(['jwks-uri']);
  });

  it('asks over http only where that is allowed, and writes it into the configuration', async () => {
    const issuer = 'http://auth.internal:8080';
    const requests: string[] = [];
    const fetchThere: typeof fetch = (address, init) => {
      requests.push(address as string);
      return fetch((address as string).replace(issuer, server.url), init);
    };
    server.json(METADATA[0], () => ({ issuer, jwks_uri: issuer + KEYS }));
    const refused = await examine(['--issuer', issuer], { fetch: fetchThere });
    expect([refused.problems, requests]).toEqual([['issuer'], []]);
    const allowed = await examine(['--issuer', issuer, '--allow-http'], { fetch: fetchThere });
    expect([allowed.exitCode, allowed.problems]).toEqual([0, []]);
    expect(allowed.row('issuer').status).toBe('warning');
    expect(allowed.configuration).toContain('insecureAllowHttp: true');
  });

  it.each([
    'http://169.254.169.254/.well-known/openid-configuration',
    'https://169.254.169.254/.well-known/openid-configuration',
    'https://localhost/.well-known/openid-configuration',
    'https://10.0.0.1/.well-known/openid-configuration',
  ])('follows no redirect into the network of this machine: %s', async (location) => {
    const asked: string[] = [];
    const found = await examine(['--issuer', 'https://tenant.example.com'], {
      fetch: (address) => {
        asked.push(address as string);
        return Promise.resolve(new Response(null, { status: 302, headers: { location } }));
      },
    });
    expect(found.row('discovery').mend).toContain('Redirects are not followed');
    expect(asked.every((address) => address.startsWith('https://tenant.example.com/'))).toBe(true);
  });

  it.each([
    ['an @ in the password', 'https://user:SECRETp@SECRETq@tenant.example.com'],
    ['a slash in the password', 'https://user:SECRET/p@tenant.example.com'],
    ['a query', 'https://tenant.example.com?client_secret=SECRET'],
    ['no address', 'user:SECRET@tenant'],
  ])('shows no credentials of the issuer: %s', async (_what, name) => {
    const fetch = () => Promise.reject(new TypeError('nobody'));
    for (const more of [[], ['--json'], ['--jwks-uri', 'https://u:SECRET@tenant.example.com/jwks']]) {
      const { stdout, stderr } = await command(['doctor', '--issuer', name, ...more], { fetch });
      expect(stdout + stderr).not.toContain('SECRET');
    }
  });

  it('takes no token for an issuer, however its header is written', async () => {
    const header = Buffer.from('{ "alg": "ES256" }').toString('base64url');
    const ran = await command(['doctor', '--issuer', `${header}.e30.c2ln`]);
    expect(ran.exitCode).toBe(2);
    expect(ran.stdout + ran.stderr).not.toContain(header);
    const fetch = () => Promise.reject(new TypeError('nobody'));
    expect((await command(['doctor', '--issuer', 'https://eyeglasses.example.com'], { fetch })).exitCode).not.toBe(2);
  });

  it.each([
    ['another realm', '/realms/a', '/realms/evil'],
    ['the root', '/realms/mistyped', ''],
  ])('has nothing pasted that trusts another issuer of the same host: %s', async (_what, path, named) => {
    const metadata = { issuer: server.url + named, jwks_uri: server.url + KEYS };
    server.json(`${path}/.well-known/openid-configuration`, () => metadata);
    const found = await examine(['--issuer', server.url + path]);
    expect(found.configuration).toBeNull();
    expect(found.row('configuration').mend).toContain('Once metadata-issuer is mended');
  });

  it('has the mended name pasted where it is known: the same realm under the path of another version', async () => {
    const issuer = `${server.url}/realms/shop`;
    server.handlers.delete(METADATA[0]);
    server.json(`/realms/shop${METADATA[0]}`, () => ({ issuer, jwks_uri: server.url + KEYS }));
    const found = await examine(['--issuer', `${server.url}/auth/realms/shop`, '--audience', 'orders']);
    expect(found.problems).toEqual(['discovery', 'metadata-issuer']);
    expect(found.configuration).toContain(`keycloak({ url: '${server.url}', realm: 'shop', audience: 'orders' })`);
  });

  const NOTHING_TO_PASTE: Record<string, { by: string; plant: () => string[] | undefined }> = {
    'a redirect': {
      by: 'discovery',
      plant: () => {
        server.fail(fault('answers with a redirect'), ...METADATA);
        return undefined;
      },
    },
    'a page': {
      by: 'discovery',
      plant: () => {
        server.fail(fault('answers with a page to log in at'), ...METADATA);
        return undefined;
      },
    },
    'a server that does not work': {
      by: 'reachable and discovery',
      plant: () => {
        server.fail(fault('answers 500'), ...METADATA);
        return undefined;
      },
    },
    'a server that never answers': {
      by: 'reachable',
      plant: () => {
        server.fail(fault('never answers'), ...METADATA);
        return asked('--timeout', '0.2');
      },
    },
    'a server that refuses': { by: 'reachable', plant: () => ['--issuer', 'http://127.0.0.1:1', '--timeout', '1'] },
    'a relative jwks_uri': { by: 'jwks-uri', plant: () => metadata({ jwks_uri: '/jwks' }) },
    'a forbidden jwks_uri': { by: 'jwks-uri', plant: () => metadata({ jwks_uri: 'http://keys.example.com/jwks' }) },
    'keys that are not there': { by: 'jwks', plant: () => metadata({ jwks_uri: `${server.url}/gone` }) },
    'keys that are not where they were said to be': {
      by: 'jwks',
      plant: () => asked('--jwks-uri', `${server.url}/gone`),
    },
    'an issuer over http': { by: 'issuer', plant: () => ['--issuer', 'http://tenant.example.com'] },
    'an issuer over http whose keys are given': {
      by: 'issuer',
      plant: () => ['--issuer', 'http://tenant.example.com', '--jwks-uri', server.url + KEYS],
    },
  };

  it.each(Object.entries(NOTHING_TO_PASTE))(
    'has nothing pasted that repeats what is to be mended, and says so: %s',
    async (_name, { by, plant }) => {
      const parameters = plant() ?? asked();
      const found = await examine(parameters);
      const sentence = `Once ${by} ${by.includes(' and ') ? 'are' : 'is'} mended, run this again for the configuration.`;
      expect(found.configuration).toBeNull();
      expect(found.row('configuration')).toMatchObject({ status: 'skipped', mend: sentence });
      const { stdout } = await command(['doctor', ...parameters]);
      expect(stdout).toContain(`Configuration\n\n  ${sentence}\n`);
      expect(stdout).not.toContain('forRoot');
    },
  );

  it('has the audience pasted as the token spells it', async () => {
    const found = await withToken(good({ aud: ['account', `${AUDIENCE}/`] }));
    expect(found.problems).toEqual(['token.audience']);
    expect(found.configuration).toContain(`audience: '${AUDIENCE}/'`);
  });

  it("checks a token against the audience of the project, and tells Firebase's to whoever gave another one", async () => {
    const issuer = 'https://securetoken.google.com/shop-1';
    metadata({ issuer, jwks_uri: issuer + KEYS });
    const given = { stdin: from(issuer, { aud: 'shop-1' }), fetch: instead(issuer) };
    const found = await examine(['--issuer', issuer, '--token', '-'], given);
    expect([found.problems, found.row('token.audience').found]).toEqual([[], '"shop-1"']);
    const other = await examine(['--issuer', issuer, '--audience', 'orders'], given);
    expect(other.problems).toEqual(['configuration']);
    expect(other.row('configuration').mend).toContain('tokens name "shop-1"');
  });

  it('tells a person what can still be looked at', async () => {
    const { stdout } = await command(['doctor', '--issuer', server.url]);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      'skipped: token.form: To check one: --token - reads it from standard input.',
    );
    const withOne = await command(['doctor', '--issuer', server.url, '--token', '-'], { stdin: good() });
    expect(withOne.stdout.trimEnd().split('\n').at(-1)).toMatch(/^skipped: token\.audience: .* give it as --audience/);
    expect(withOne.stdout).toContain('No problems, but nobody said whom the token must be for (--audience).');
    const all = await command(['doctor', ...asked('--token', '-')], { stdin: good() });
    expect(all.stdout).toContain('\nNo problems.\n');
  });

  it('names a port that speaks http where https was asked for', async () => {
    const found = await examine(['--issuer', server.url.replace('http:', 'https:')]);
    expect(found.exitCode).toBe(3);
    expect(found.row('reachable').mend).toContain('This port most likely speaks http');
  });

  it.each(['', ' ', 'undefined', 'null', 'https://', 'https://%', '\u0000', '[', '{', "'", '🙂', 'a b', '//', '-'])(
    'ends with a word on any input, and never with an error of its own: %j',
    async (text) => {
      for (const parameters of [
        ['--issuer', text],
        asked('--audience', text),
        asked('--jwks-uri', text),
        asked('--token', text),
        ['--issuer', text, '--jwks-uri', server.url + KEYS, '--audience', text],
      ]) {
        for (const given of [[], ['--token', '-']]) {
          const { exitCode, stdout, stderr } = await command(['doctor', ...parameters, ...given], { stdin: good() });
          expect([0, 1, 2, 3]).toContain(exitCode);
          expect(stdout === '').toBe(exitCode === 2);
          expect(stderr === '').toBe(exitCode !== 2);
        }
      }
    },
  );

  it('lets no server write on the terminal', async () => {
    server.json(METADATA[0], () => ({ issuer: `${server.url}/\u001b[2J\u202e`, jwks_uri: server.url + KEYS }));
    server.publish({ ...key.jwk, kid: '\u009b31m\nok' });
    for (const json of [[], ['--json']]) {
      const { stdout } = await command(['doctor', ...asked(...json)], { isTerminal: false });
      // eslint-disable-next-line no-control-regex -- they are what is looked for
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(stdout).toContain('u009b31m');
    }
  });

  function patternOf(words: string | RegExp): RegExp {
    return typeof words === 'string' ? new RegExp(words.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')) : words;
  }
});
