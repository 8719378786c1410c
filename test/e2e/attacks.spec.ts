import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, createPublicKey } from 'node:crypto';
import { AuthorizationServer } from '../../demo/authorization-server.js';
import { signIn } from '../../demo/sign-in.js';
import { AuthModule } from '../../src/index.js';
import { bearer, call, PLATFORMS, type RunningApp, startApp } from '../support/app.js';
import { LocalIssuer, newKey, signText, AUDIENCE } from '../support/local-issuer.js';
import { OrdersController } from '../support/orders.js';

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

const now = () => Math.floor(Date.now() / 1000);
const encode = (value: string | object) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const good = () => server.sign({});
const goodPayload = () => good().split('.')[1] ?? '';
const unsigned = (header: object, payload = goodPayload()) => `${encode(header)}.${payload}.aaaa`;

/** A token that is signed with an unsuitable key or algorithm. */
const withKey = (name: keyof typeof badKeys, alg: string) => () => local.token(badKeys[name], alg);

/** A token that names this issuer, signed with the key of the issuer that ends with a slash. */
const namedAs = (iss: string) => local.token(badKeys.good, 'RS256', { iss });

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

const REFUSALS: Record<string, { readonly status: number; readonly error: string | null }> = {
  TOKEN_MISSING: { status: 401, error: null },
  SCHEME_UNSUPPORTED: { status: 401, error: null },
  TOKEN_MULTIPLE: { status: 400, error: 'invalid_request' },
  TOKEN_TOO_LARGE: { status: 400, error: 'invalid_request' },
};

/** Attacks by the `Authorization` header, by the code of their refusal. */
const HEADERS: Record<string, Record<string, () => string | string[] | undefined>> = {
  TOKEN_MISSING: { 'no token': () => undefined, 'an empty header': () => '' },
  TOKEN_MALFORMED: { 'an empty token': () => 'Bearer ', 'the scheme alone': () => 'Bearer' },
  SCHEME_UNSUPPORTED: {
    'Basic credentials': () => 'Basic YWxpY2U6c2VjcmV0',
    'a valid token with another scheme': () => `BearerX ${good()}`,
  },
  TOKEN_MULTIPLE: {
    'two headers, the first one valid': () => [`Bearer ${good()}`, 'Bearer x'],
    'two headers, the last one valid': () => ['Basic YWxpY2U6c2VjcmV0', `Bearer ${good()}`],
    'two tokens in one header': () => `Bearer ${good()} ${good()}`,
    'two credentials with a comma': () => `Bearer ${good()}, Bearer ${good()}`,
  },
};

/** Attacks by the token, by the code of their refusal. */
const TOKENS: Record<string, Record<string, () => string | Promise<string>>> = {
  TOKEN_TOO_LARGE: { '64 KiB': () => good() + 'A'.repeat(65_536) },
  TOKEN_MALFORMED: {
    'one part': () => 'abc',
    'two parts': () => good().split('.').slice(0, 2).join('.'),
    'three dots': () => `${good()}.x`,
    'only dots': () => '..',
    'what is not base64url': () => `${good()}!`,
    'padded base64': () => good().replace('.', '=.'),
    'a header that is not JSON': () => `${encode('{alg')}.${goodPayload()}.x`,
    'a payload that is not JSON': () => unsigned({ alg: 'RS256' }, encode('hello')),
    'a payload that is a list': () => unsigned({ alg: 'RS256' }, encode('[]')),
    'a kid that is no string': () => server.sign({}, { kid: [7] }),
  },
  ALGORITHM_NOT_ALLOWED: {
    'alg none': () => `${encode({ alg: 'none' })}.${goodPayload()}.`,
    'alg NONE with a signature': () => unsigned({ alg: 'NONE' }),
    'no alg': () => unsigned({ typ: 'at+jwt' }),
    'HS256 with the public key as secret': hmacWithPublicKey,
    'an algorithm named after an object member': () => unsigned({ alg: 'toString' }),
  },
  KEY_UNKNOWN: {
    'an unknown kid': () => server.sign({}, { kid: 'unknown' }),
    'a jku': () => pointingTo('jku', 'forged'),
    'an x5u': () => pointingTo('x5u', 'forged'),
    "the other issuer's name": () => server.sign({ iss: local.url }),
  },
  SIGNATURE_INVALID: {
    "another key under the issuer's kid": () => server.forge(),
    'a changed payload': changedPayload,
    'no signature': () => `${good().split('.').slice(0, 2).join('.')}.`,
    'an embedded jwk without kid': () => pointingTo('jwk', undefined),
    'an embedded jwk with a known kid': () => pointingTo('jwk', badKeys.good.kid),
    'an x5c': () => pointingTo('x5c', badKeys.good.kid),
  },
  KEY_UNSUITABLE: {
    'an RSA key of 1024 bits': withKey('short', 'RS256'),
    'a key with use enc': withKey('encryption', 'RS256'),
    'a key with the alg RSA-OAEP': withKey('encryptionAlgorithm', 'RS256'),
    'a key with empty key_ops': withKey('noOperations', 'RS256'),
    'a P-384 key under ES256': withKey('otherCurve', 'ES256'),
    'an EC key under RS256': () => local.token({ ...badKeys.good, kid: badKeys.otherCurve.kid }, 'RS256'),
  },
  HEADER_CRITICAL: {
    crit: () => server.sign({}, { crit: ['exp'] }),
    'crit null': () => server.sign({}, { crit: null }),
    'crit with b64': () => server.sign({}, { crit: ['b64'], b64: false }),
  },
  TYPE_NOT_ALLOWED: {
    'typ logout+jwt': () => server.sign({}, { typ: 'logout+jwt' }),
    'typ dpop+jwt': () => server.sign({}, { typ: 'dpop+jwt' }),
    'a typ that is no string': () => server.sign({}, { typ: ['at+jwt'] }),
    'an ID token for our own audience': () => server.sign({ at_hash: 'x', nonce: 'n' }, { typ: 'JWT' }),
    'an ID token of Keycloak': () => server.sign({ typ: 'ID' }),
    'a logout token with typ JWT': logoutToken,
  },
  TOKEN_EXPIRED: { 'a token one second past the tolerance': () => server.sign({ exp: now() - TOLERANCE - 1 }) },
  TOKEN_NOT_YET_VALID: {
    'a token that is not yet valid': () => server.sign({ nbf: now() + 60 }),
    'a token issued tomorrow': () => server.sign({ iat: now() + 86_400, exp: now() + 90_000 }),
  },
  ISSUER_UNTRUSTED: {
    'another issuer': () => server.sign({ iss: 'https://evil.example.com' }),
    'the issuer with a slash': () => server.sign({ iss: `${server.issuer}/` }),
    'the issuer without its trailing slash': () => namedAs(SLASHED.slice(0, -1)),
    'the issuer in another case': () => namedAs(SLASHED.replace('tenant', 'Tenant')),
  },
  AUDIENCE_MISMATCH: {
    'a real ID token': () => idToken,
    'another audience': () => server.clientCredentialsToken(OTHER_AUDIENCE),
    'other audiences': () => server.sign({ aud: [OTHER_AUDIENCE, 'x'] }),
    'an audience that ours is part of': () => server.sign({ aud: `${AUDIENCE}/admin` }),
    'audiences in one string': () => server.sign({ aud: `${AUDIENCE} x` }),
    'an empty list of audiences': () => server.sign({ aud: [] }),
  },
  CLAIM_MISSING: {
    'no exp': () => server.sign({ exp: undefined }),
    'no issuer': () => server.sign({ iss: undefined }),
    'no audience': () => server.sign({ aud: undefined }),
  },
  CLAIM_INVALID: {
    'exp as a string': () => server.sign({ exp: String(now() + 300) }),
    'exp in milliseconds': () => server.sign({ exp: Date.now() + 300_000 }),
    'exp null': () => server.sign({ exp: null }),
    'exp 1e999': () => withMembers('"exp":1e999'),
    'iat as a string': () => server.sign({ iat: 'yesterday' }),
    'nbf as an object': () => server.sign({ nbf: {} }),
    'an issuer that is a list': () => server.sign({ iss: [server.issuer] }),
    'an audience that is an object': () => server.sign({ aud: { 0: AUDIENCE } }),
    'a subject that is an object': () => server.sign({ sub: { admin: true } }),
    'scopes that are an object': () => server.sign({ scope: { admin: true } }),
  },
  BINDING_UNPROVEN: {
    'a token bound to a DPoP key, as Bearer': () => server.sign({ cnf: { jkt: 'x' } }),
    'a token bound in an unknown way': () => server.sign({ cnf: { new: 'x' } }),
    'a token bound to null': () => server.sign({ cnf: null }),
  },
};

const casesOf = <Make>(table: Record<string, Record<string, Make>>) =>
  Object.entries(table).flatMap(([code, cases]) =>
    Object.entries(cases).map(([sends, make]) => ({ code, sends, make })),
  );

const attacks = [
  ...casesOf(HEADERS),
  ...casesOf(TOKENS).map(({ make, ...rest }) => ({ ...rest, make: async () => `Bearer ${await make()}` })),
].map((attack) => ({ status: 401, error: 'invalid_token', ...REFUSALS[attack.code], ...attack }));

/** A valid token whose payload has these members at its end. */
function withMembers(members: string): string {
  const header = JSON.stringify({ alg: 'RS256', kid: badKeys.good.kid });
  const payload = `${JSON.stringify(local.claims()).slice(0, -1)},${members}}`;
  return signText(header, payload, 'RS256', badKeys.good.privateKey);
}

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

  const send = async (make: (typeof attacks)[number]['make'], path: string) => {
    const authorization = await make();
    return call(`${running.url}/${path}`, authorization === undefined ? {} : { authorization });
  };

  it.each(attacks)('rejects $sends ($status $code)', async ({ make, status, code, error }) => {
    const answer = await send(make, 'orders');
    expect(answer.body).toEqual({
      statusCode: status,
      error: status === 400 ? 'Bad Request' : 'Unauthorized',
      message: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/),
      code,
    });
    expect(answer.status).toBe(status);
    const parameters = `, error="${String(error)}", error_description="${String(answer.body.message)}"`;
    expect(answer.headers['www-authenticate']).toBe(`Bearer realm="orders"${error === null ? '' : parameters}`);
    // On an optional route it is rejected as well.
    const optional = await send(make, 'orders/optional');
    const isGuest = code === 'TOKEN_MISSING';
    expect([optional.status, optional.body.code]).toEqual(isGuest ? [200, undefined] : [status, code]);
  });

  it('rejects a valid token in the query (TOKEN_MISSING)', async () => {
    expect((await call(`${running.url}/orders?access_token=${good()}`)).body.code).toBe('TOKEN_MISSING');
  });

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
    const members =
      '"__proto__":{"admin":true},"\\u005f_proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}';
    const answer = await call(`${running.url}/orders`, bearer(withMembers(members)));
    expect([answer.status, answer.text.includes('admin')]).toEqual([200, false]);
  });

  it('reads the last of duplicate members', async () => {
    const sendAudience = (last: string) =>
      call(`${running.url}/orders`, bearer(withMembers(`"aud":"${AUDIENCE}","aud":"${last}"`)));
    expect((await sendAudience(OTHER_AUDIENCE)).body.code).toBe('AUDIENCE_MISMATCH');
    expect((await sendAudience(AUDIENCE)).status).toBe(200);
  });

  it("answers 431 if the headers exceed Node's limit", async () => {
    const answer = await call(`${running.url}/orders`, bearer('A'.repeat(300_000)));
    expect(answer.status).toBe(431);
  });
});
