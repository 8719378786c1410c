import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, createPublicKey } from 'node:crypto';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { signIn } from '../../demo/sign-in.js';
import { AuthModule } from '../../src/index.js';
import { type Answer, bearer, call, PLATFORMS, type RunningApp, startApp } from '../support/app.js';
import { LocalIssuer, newKey, signText } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

const AUDIENCE = 'https://api.example.com';
const OTHER_AUDIENCE = 'https://other.example.com';
const REDIRECT_URI = 'http://127.0.0.1/callback';
const TOLERANCE = 10;
// Issuers of Auth0 end with a slash.
const SLASHED = 'https://tenant.example.com/';

const badKeys = {
  short: newKey('rsa-1024'),
  encryption: newKey('rsa', { use: 'enc' }),
  encryptionAlgorithm: newKey('rsa', { alg: 'RSA-OAEP' }),
  noOperations: newKey('rsa', { key_ops: [] }),
  otherCurve: newKey('p-384'),
  good: newKey('rsa'),
};

const attacker = newKey('rsa');

let server: AuthorizationServer;
let local: LocalIssuer;
let idToken: string;

beforeAll(async () => {
  server = await AuthorizationServer.start({ audiences: [AUDIENCE, OTHER_AUDIENCE], redirectUri: REDIRECT_URI });
  local = await LocalIssuer.start(Object.values(badKeys));
  ({ idToken } = await signIn(server, { login: 'alice', redirectUri: REDIRECT_URI, resource: AUDIENCE }));
});

afterAll(async () => {
  await server.stop();
  await local.stop();
});

interface Attack {
  readonly sends: string;
  readonly headers: () => Record<string, string | string[]> | Promise<Record<string, string | string[]>>;
  readonly path?: string;
  readonly status: number;
  readonly code: string;
  /** The `error` of the challenge; null for a bare one. */
  readonly error: string | null;
}

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const good = () => server.sign({});
const goodPayload = () => good().split('.')[1] ?? '';

function refusal(code: string, status = 401, error: string | null = 'invalid_token') {
  return { code, status, error };
}

function token(sends: string, make: () => string | Promise<string>, expected: ReturnType<typeof refusal>): Attack {
  return { sends, headers: async () => bearer(await make()), ...expected };
}

/** A token that is signed with an unsuitable key or algorithm. */
function withKey(name: keyof typeof badKeys, alg: string): () => string {
  return () => local.token(badKeys[name], alg);
}

/** A token that names this issuer, signed with the key of the issuer that ends with a slash. */
function namedAs(iss: string): string {
  return local.token(badKeys.good, 'RS256', { iss });
}

/** A token of an attacker, whose header refers to the attacker's key. */
function pointingTo(member: string, kid: string | undefined): string {
  const values: Record<string, unknown> = {
    jwk: attacker.jwk,
    jku: `${local.url}/attacker-jwks`,
    x5u: `${local.url}/attacker-certificate`,
    x5c: [encode('a certificate')],
  };
  return local.token(attacker, 'RS256', {}, { kid, [member]: values[member] });
}

const attacks: readonly Attack[] = [
  { sends: 'no token', headers: () => ({}), ...refusal('TOKEN_MISSING', 401, null) },
  { sends: 'an empty header', headers: () => ({ authorization: '' }), ...refusal('TOKEN_MISSING', 401, null) },
  { sends: 'an empty token', headers: () => ({ authorization: 'Bearer ' }), ...refusal('TOKEN_MALFORMED') },
  { sends: 'the scheme alone', headers: () => ({ authorization: 'Bearer' }), ...refusal('TOKEN_MALFORMED') },
  {
    sends: 'Basic credentials',
    headers: () => ({ authorization: 'Basic YWxpY2U6c2VjcmV0' }),
    ...refusal('SCHEME_UNSUPPORTED', 401, null),
  },
  {
    sends: 'a valid token with another scheme',
    headers: () => ({ authorization: `BearerX ${good()}` }),
    ...refusal('SCHEME_UNSUPPORTED', 401, null),
  },
  {
    sends: 'two headers, the first one valid',
    headers: () => ({ authorization: [`Bearer ${good()}`, 'Bearer x'] }),
    ...refusal('TOKEN_MULTIPLE', 400, 'invalid_request'),
  },
  {
    sends: 'two headers, the last one valid',
    headers: () => ({ authorization: ['Basic YWxpY2U6c2VjcmV0', `Bearer ${good()}`] }),
    ...refusal('TOKEN_MULTIPLE', 400, 'invalid_request'),
  },
  {
    sends: 'two tokens in one header',
    headers: () => ({ authorization: `Bearer ${good()} ${good()}` }),
    ...refusal('TOKEN_MULTIPLE', 400, 'invalid_request'),
  },
  {
    sends: 'two credentials with a comma',
    headers: () => ({ authorization: `Bearer ${good()}, Bearer ${good()}` }),
    ...refusal('TOKEN_MULTIPLE', 400, 'invalid_request'),
  },
  {
    sends: 'a valid token in the query',
    headers: () => ({}),
    path: 'query',
    ...refusal('TOKEN_MISSING', 401, null),
  },
  token('one part', () => 'abc', refusal('TOKEN_MALFORMED')),
  token('two parts', () => good().split('.').slice(0, 2).join('.'), refusal('TOKEN_MALFORMED')),
  token('three dots', () => `${good()}.x`, refusal('TOKEN_MALFORMED')),
  token('only dots', () => '..', refusal('TOKEN_MALFORMED')),
  token('what is not base64url', () => `${good()}!`, refusal('TOKEN_MALFORMED')),
  token('padded base64', () => good().replace('.', '=.'), refusal('TOKEN_MALFORMED')),
  token('a header that is not JSON', () => `${encode('{alg')}.${goodPayload()}.x`, refusal('TOKEN_MALFORMED')),
  token(
    'a payload that is not JSON',
    () => `${encode({ alg: 'RS256' })}.${encode('hello')}.aaaa`,
    refusal('TOKEN_MALFORMED'),
  ),
  token(
    'a payload that is a list',
    () => `${encode({ alg: 'RS256' })}.${encode('[]')}.aaaa`,
    refusal('TOKEN_MALFORMED'),
  ),
  token('64 KiB', () => good() + 'A'.repeat(65_536), refusal('TOKEN_TOO_LARGE', 400, 'invalid_request')),
  token('alg none', () => `${encode({ alg: 'none' })}.${goodPayload()}.`, refusal('ALGORITHM_NOT_ALLOWED')),
  token(
    'alg NONE with a signature',
    () => `${encode({ alg: 'NONE' })}.${goodPayload()}.aaaa`,
    refusal('ALGORITHM_NOT_ALLOWED'),
  ),
  token('no alg', () => `${encode({ typ: 'at+jwt' })}.${goodPayload()}.aaaa`, refusal('ALGORITHM_NOT_ALLOWED')),
  token('HS256 with the public key as secret', hmacWithPublicKey, refusal('ALGORITHM_NOT_ALLOWED')),
  token(
    'an algorithm named after an object member',
    () => `${encode({ alg: 'toString' })}.${goodPayload()}.aaaa`,
    refusal('ALGORITHM_NOT_ALLOWED'),
  ),
  token('an unknown kid', () => server.sign({}, { kid: 'unknown' }), refusal('KEY_UNKNOWN')),
  token('a kid that is no string', () => server.sign({}, { kid: 7 }), refusal('TOKEN_MALFORMED')),
  token("another key under the issuer's kid", () => server.forge(), refusal('SIGNATURE_INVALID')),
  token('a changed payload', changedPayload, refusal('SIGNATURE_INVALID')),
  token('no signature', () => `${good().split('.').slice(0, 2).join('.')}.`, refusal('SIGNATURE_INVALID')),
  token('an embedded jwk without kid', () => pointingTo('jwk', undefined), refusal('SIGNATURE_INVALID')),
  token('an embedded jwk with a known kid', () => pointingTo('jwk', badKeys.good.kid), refusal('SIGNATURE_INVALID')),
  token('a jku', () => pointingTo('jku', 'forged'), refusal('KEY_UNKNOWN')),
  token('an x5u', () => pointingTo('x5u', 'forged'), refusal('KEY_UNKNOWN')),
  token('an x5c', () => pointingTo('x5c', badKeys.good.kid), refusal('SIGNATURE_INVALID')),
  token('crit', () => server.sign({}, { crit: ['exp'] }), refusal('HEADER_CRITICAL')),
  token('crit null', () => server.sign({}, { crit: null }), refusal('HEADER_CRITICAL')),
  token('crit with b64', () => server.sign({}, { crit: ['b64'], b64: false }), refusal('HEADER_CRITICAL')),
  token('typ logout+jwt', () => server.sign({}, { typ: 'logout+jwt' }), refusal('TYPE_NOT_ALLOWED')),
  token('typ dpop+jwt', () => server.sign({}, { typ: 'dpop+jwt' }), refusal('TYPE_NOT_ALLOWED')),
  token('a typ that is no string', () => server.sign({}, { typ: ['at+jwt'] }), refusal('TYPE_NOT_ALLOWED')),
  token('a real ID token', () => idToken, refusal('AUDIENCE_MISMATCH')),
  token(
    'an ID token for our own audience',
    () => server.sign({ at_hash: 'x', nonce: 'n' }, { typ: 'JWT' }),
    refusal('TYPE_NOT_ALLOWED'),
  ),
  token('an ID token of Cognito', () => server.sign({ token_use: 'id' }), refusal('TYPE_NOT_ALLOWED')),
  token('an ID token of Keycloak', () => server.sign({ typ: 'ID' }), refusal('TYPE_NOT_ALLOWED')),
  token('a logout token with typ JWT', logoutToken, refusal('TYPE_NOT_ALLOWED')),
  token('no exp', () => server.sign({ exp: undefined }), refusal('CLAIM_MISSING')),
  token('exp as a string', () => server.sign({ exp: String(now() + 300) }), refusal('CLAIM_INVALID')),
  token('exp in milliseconds', () => server.sign({ exp: Date.now() + 300_000 }), refusal('CLAIM_INVALID')),
  token('exp null', () => server.sign({ exp: null }), refusal('CLAIM_INVALID')),
  token(
    'expired by one second past tolerance',
    () => server.sign({ exp: now() - TOLERANCE - 1 }),
    refusal('TOKEN_EXPIRED'),
  ),
  token('not yet valid', () => server.sign({ nbf: now() + 60 }), refusal('TOKEN_NOT_YET_VALID')),
  token(
    'issued tomorrow',
    () => server.sign({ iat: now() + 86_400, exp: now() + 90_000 }),
    refusal('TOKEN_NOT_YET_VALID'),
  ),
  token('iat as a string', () => server.sign({ iat: 'yesterday' }), refusal('CLAIM_INVALID')),
  token('nbf as an object', () => server.sign({ nbf: {} }), refusal('CLAIM_INVALID')),
  token('another issuer', () => server.sign({ iss: 'https://evil.example.com' }), refusal('ISSUER_UNTRUSTED')),
  token('the issuer with a slash', () => server.sign({ iss: `${server.issuer}/` }), refusal('ISSUER_UNTRUSTED')),
  token('the issuer without its trailing slash', () => namedAs(SLASHED.slice(0, -1)), refusal('ISSUER_UNTRUSTED')),
  token('the issuer in another case', () => namedAs(SLASHED.replace('tenant', 'Tenant')), refusal('ISSUER_UNTRUSTED')),
  token("the other issuer's name", () => server.sign({ iss: local.url }), refusal('KEY_UNKNOWN')),
  token('no issuer', () => server.sign({ iss: undefined }), refusal('CLAIM_MISSING')),
  token('an issuer that is a list', () => server.sign({ iss: [server.issuer] }), refusal('CLAIM_INVALID')),
  token('another audience', () => server.clientCredentialsToken(OTHER_AUDIENCE), refusal('AUDIENCE_MISMATCH')),
  token('other audiences', () => server.sign({ aud: [OTHER_AUDIENCE, 'x'] }), refusal('AUDIENCE_MISMATCH')),
  token(
    'an audience that ours is part of',
    () => server.sign({ aud: `${AUDIENCE}/admin` }),
    refusal('AUDIENCE_MISMATCH'),
  ),
  token('audiences in one string', () => server.sign({ aud: `${AUDIENCE} x` }), refusal('AUDIENCE_MISMATCH')),
  token('an empty list of audiences', () => server.sign({ aud: [] }), refusal('AUDIENCE_MISMATCH')),
  token('no audience', () => server.sign({ aud: undefined }), refusal('CLAIM_MISSING')),
  token('an audience that is an object', () => server.sign({ aud: { 0: AUDIENCE } }), refusal('CLAIM_INVALID')),
  token('a subject that is an object', () => server.sign({ sub: { admin: true } }), refusal('CLAIM_INVALID')),
  token('scopes that are an object', () => server.sign({ scope: { admin: true } }), refusal('CLAIM_INVALID')),
  token(
    'a token bound to a DPoP key, as Bearer',
    () => server.sign({ cnf: { jkt: 'x' } }),
    refusal('BINDING_UNPROVEN'),
  ),
  token('a token bound in an unknown way', () => server.sign({ cnf: { new: 'x' } }), refusal('BINDING_UNPROVEN')),
  token('a token bound to null', () => server.sign({ cnf: null }), refusal('BINDING_UNPROVEN')),
  token('an RSA key of 1024 bits', withKey('short', 'RS256'), refusal('KEY_UNSUITABLE')),
  token('a key with use enc', withKey('encryption', 'RS256'), refusal('KEY_UNSUITABLE')),
  token('a key with the alg RSA-OAEP', withKey('encryptionAlgorithm', 'RS256'), refusal('KEY_UNSUITABLE')),
  token('a key with empty key_ops', withKey('noOperations', 'RS256'), refusal('KEY_UNSUITABLE')),
  token('a P-384 key under ES256', withKey('otherCurve', 'ES256'), refusal('KEY_UNSUITABLE')),
  token(
    'an EC key under RS256',
    () => local.token({ ...badKeys.good, kid: badKeys.otherCurve.kid }, 'RS256'),
    refusal('KEY_UNSUITABLE'),
  ),
];

/** Algorithm confusion: a verifier that uses "the key" would use the PEM of the public key as an HMAC secret. */
function hmacWithPublicKey(): string {
  const { kid, privateKey } = badKeys.good;
  const secret = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' });
  const input = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${encode(local.claims())}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

function changedPayload(): string {
  const [header, payload, signature] = good().split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return [header, encode({ ...claims, sub: 'admin' }), signature].join('.');
}

function logoutToken(): string {
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  return server.sign({ events, sid: 'x' }, { typ: 'JWT' });
}

describe.each(PLATFORMS)('A guarded application on %s', (platform) => {
  let running: RunningApp;

  beforeAll(async () => {
    const issuers = [
      { issuer: server.issuer, audience: AUDIENCE },
      { issuer: local.url, audience: AUDIENCE },
      {
        issuer: SLASHED,
        audience: AUDIENCE,
        keys: { from: 'static', jwks: { keys: [{ kty: 'RSA', ...badKeys.good.jwk }] } },
      } as const,
    ];
    running = await startApp(platform, {
      imports: [AuthModule.forRoot({ issuers, clockToleranceSeconds: TOLERANCE, realm: 'orders' })],
      controllers: [OrdersController],
    });
  });

  afterAll(() => running.close());

  it.each(attacks)('rejects $sends ($status $code)', async ({ headers, path, status, code, error }) => {
    const url = path === 'query' ? `${running.url}/orders?access_token=${good()}` : `${running.url}/orders`;
    const answer = await call(url, await headers());
    expect(answer.body).toEqual({
      statusCode: status,
      error: status === 400 ? 'Bad Request' : 'Unauthorized',
      message: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/),
      code,
    });
    expect(answer.status).toBe(status);
    expectChallenge(answer, error);
  });

  it.each(attacks.filter(({ code }) => code !== 'TOKEN_MISSING'))(
    'rejects $sends on an optional route as well ($status $code)',
    async ({ headers, status, code }) => {
      const answer = await call(`${running.url}/orders/optional`, await headers());
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    },
  );

  it('accepts valid tokens of the same form, so that each rejection has its own reason', async () => {
    for (const accepted of [
      good(),
      server.sign({ aud: [OTHER_AUDIENCE, AUDIENCE] }),
      server.sign({ exp: now() - TOLERANCE + 3 }),
      server.sign({ nbf: now() + TOLERANCE - 3 }),
      server.sign({}, { typ: 'JWT' }),
      server.sign({}, { typ: 'application/at+JWT' }),
      server.sign({}, { typ: undefined }),
      server.sign({}, { kid: undefined }),
      local.token(badKeys.good, 'RS256'),
      local.token(badKeys.good, 'PS512'),
      namedAs(SLASHED),
      local.token(badKeys.otherCurve, 'ES384'),
      await server.clientCredentialsToken(),
    ]) {
      const answer = await call(`${running.url}/orders`, bearer(accepted));
      expect([answer.status, answer.body.code]).toEqual([200, undefined]);
    }
  });

  it.each(['bearer', 'BEARER', 'bEaReR'])('accepts the scheme in any case (%s)', async (scheme) => {
    const answer = await call(`${running.url}/orders`, { authorization: `${scheme} ${good()}` });
    expect(answer.status).toBe(200);
  });

  it.each(['jwk', 'jku', 'x5u', 'x5c'])('never fetches a URL that a token names (%s)', async (member) => {
    for (const kid of [undefined, 'forged', badKeys.good.kid]) {
      const answer = await call(`${running.url}/orders`, bearer(pointingTo(member, kid)));
      expect(answer.status).toBe(401);
    }
    expect(new Set(local.requests)).toEqual(new Set(['/.well-known/openid-configuration', '/jwks']));
  });

  it('removes members that change a prototype', async () => {
    const claims = JSON.stringify(local.claims());
    const payload = `${claims.slice(0, -1)},"__proto__":{"admin":true},"\\u005f_proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`;
    const header = JSON.stringify({ alg: 'RS256', kid: badKeys.good.kid });
    const answer = await call(
      `${running.url}/orders`,
      bearer(signText(header, payload, 'RS256', badKeys.good.privateKey)),
    );
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('admin');
  });

  it('reads the last of duplicate members', async () => {
    const header = JSON.stringify({ alg: 'RS256', kid: badKeys.good.kid });
    const payload = (last: string) =>
      `${JSON.stringify(local.claims()).slice(0, -1)},"aud":"${AUDIENCE}","aud":"${last}"}`;
    const send = (last: string) =>
      call(`${running.url}/orders`, bearer(signText(header, payload(last), 'RS256', badKeys.good.privateKey)));
    expect((await send(OTHER_AUDIENCE)).body.code).toBe('AUDIENCE_MISMATCH');
    expect((await send(AUDIENCE)).status).toBe(200);
  });

  it('rejects an infinite `exp` (CLAIM_INVALID)', async () => {
    const header = JSON.stringify({ alg: 'RS256', kid: badKeys.good.kid });
    const payload = `${JSON.stringify(local.claims()).slice(0, -1)},"exp":1e999}`;
    const answer = await call(
      `${running.url}/orders`,
      bearer(signText(header, payload, 'RS256', badKeys.good.privateKey)),
    );
    expect([answer.status, answer.body.code]).toEqual([401, 'CLAIM_INVALID']);
  });

  it("answers 431 if the headers exceed Node's limit", async () => {
    const answer = await call(`${running.url}/orders`, bearer('A'.repeat(300_000)));
    expect(answer.status).toBe(431);
  });
});

function expectChallenge(answer: Answer, error: string | null): void {
  const challenge = answer.headers['www-authenticate'];
  if (error === null) expect(challenge).toBe('Bearer realm="orders"');
  else {
    expect(challenge).toBe(
      `Bearer realm="orders", error="${error}", error_description="${String(answer.body.message)}"`,
    );
  }
}
