import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Post } from '@nestjs/common';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import {
  type AccessTokenClaims,
  type AuthOptions,
  fromHeader,
  type KeysOptions,
  RequireRoles,
  type UnnamedIssuerOptions,
} from '../../src/index.js';
import { ALGORITHM_NAMES, isAvailable } from '../../src/keys/algorithms.js';
import { TestKey } from '../../src/testing/test-key.js';
import { bearer, call, closeApps } from '../support/app.js';
import { routesController } from '../support/decorated-class.js';
import { startGuarded } from '../support/guarded-app.js';
import { newKey, signToken, AUDIENCE } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';

// Situations from public bug reports. Nothing goes over the network.

const ISSUER = 'https://issuer.example.com';
const JWKS = 'https://keys.example.com/jwks';
const key = newKey('p-256', { kid: 'first' });
const exp = Math.floor(Date.now() / 1000) + 3_600;
const tokenOf = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) =>
  signToken(
    { alg: 'ES256', kid: by.kid, ...header },
    { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp, ...claims },
    by.privateKey,
  );

afterEach(closeApps);

type Answers = Readonly<Record<string, (init: RequestInit) => Response>>;

const json = (body: unknown, type = 'application/json') =>
  new Response(JSON.stringify(body), { headers: { 'content-type': type } });
const serving =
  (answers: Answers): typeof fetch =>
  (address, init = {}) =>
    Promise.resolve(answers[address as string]?.(init) ?? new Response(null, { status: 404 }));
const publishing = (...keys: readonly { readonly jwk: object }[]) =>
  serving({ [JWKS]: () => json({ keys: keys.map(({ jwk }) => jwk) }) });

/** Starts an application whose issuer publishes one key at `JWKS`, unless the options say otherwise. */
const start = async (options: Partial<AuthOptions>, logger = new LogRecorder()) => {
  const app = await startGuarded(ISSUER, {
    keys: { from: 'jwks', uri: JWKS } as Partial<KeysOptions>,
    options: { fetch: publishing(key), ...options } as Partial<AuthOptions>,
    logger,
  });
  return {
    ...app,
    warnings: () => logger.lines.filter((line) => line.startsWith('warn: ')).map((line) => line.slice(6)),
  };
};

describe('Tokens without `aud` or `iss`', () => {
  it('are rejected by default (CLAIM_MISSING)', async () => {
    const app = await start({});
    for (const claim of ['aud', 'iss'])
      expect(await app.outcome(tokenOf({ [claim]: undefined }))).toBe('401 CLAIM_MISSING');
  });

  it('are accepted with audience: null, which also accepts any other audience, and is logged once', async () => {
    const app = await start({ audience: null });
    for (const aud of [undefined, AUDIENCE, 'other', ['a', 'b']])
      expect(await app.outcome(tokenOf({ aud }))).toBe('200');
    expect(await app.outcome(tokenOf({ aud: 7 }))).toBe('401 CLAIM_INVALID');
    expect(await app.outcome(tokenOf({ iss: undefined }))).toBe('401 CLAIM_MISSING');
    expect(app.warnings()).toEqual([
      `audience is null for ${ISSUER}: tokens of this issuer for other APIs are accepted`,
    ]);
  });

  it('are logged for the first issuer that an `issuers` function returns with audience: null', async () => {
    const logger = new LogRecorder();
    const keys = { from: 'static', jwks: { keys: [key.jwk as never] } } as const;
    const app = await startGuarded((issuer) => ({ issuer, audience: null, keys }), { logger });
    for (const tenant of ['a', 'b', 'a'])
      expect(await app.outcome(tokenOf({ iss: `${ISSUER}/${tenant}`, aud: undefined }))).toBe('200');
    expect(logger.lines.filter((line) => line.startsWith('warn: '))).toEqual([
      `warn: audience is null for ${ISSUER}/a: tokens of this issuer for other APIs are accepted (only the first of such issuers is logged)`,
    ]);
  });

  it.each<[string, UnnamedIssuerOptions['keys'], string]>([
    ['jwks', { from: 'jwks', uri: JWKS }, JWKS],
    ['static', { from: 'static', jwks: { keys: [key.jwk as never] } }, 'tokens without iss'],
  ])('are accepted with issuer: null and keys from %s, and no other tokens', async (_from, keys, place) => {
    const app = await start({ issuer: null, keys });
    expect(await app.outcome(tokenOf({ iss: undefined }))).toBe('200');
    for (const iss of [ISSUER, '', JWKS, place])
      expect(await app.outcome(tokenOf({ iss }))).toBe('401 ISSUER_UNTRUSTED');
    expect(await app.outcome(tokenOf({ iss: null }))).toBe('401 CLAIM_INVALID');
    expect(await app.outcome(tokenOf({ iss: undefined }, {}, newKey('p-256', { kid: 'first' })))).toBe(
      '401 SIGNATURE_INVALID',
    );
    expect(app.health()).toMatchObject([{ issuer: place }]);
    expect(app.warnings()).toEqual([
      `issuer is null: tokens without \`iss\` are accepted if a key of ${place} has signed them`,
    ]);
  });

  it('may be one of several issuers', async () => {
    const other = newKey('p-256');
    const app = await startGuarded(
      [
        { issuer: ISSUER, audience: AUDIENCE, keys: { from: 'static', jwks: { keys: [key.jwk as never] } } },
        { issuer: null, audience: null, keys: { from: 'static', jwks: { keys: [other.jwk as never] } } },
      ],
      {},
    );
    expect(await app.outcome(tokenOf())).toBe('200');
    expect(await app.outcome(tokenOf({ iss: undefined, aud: undefined }, {}, other))).toBe('200');
    expect(await app.outcome(tokenOf({ iss: undefined }))).toBe('401 KEY_UNKNOWN');
    expect(await app.outcome(tokenOf({}, {}, other))).toBe('401 KEY_UNKNOWN');
  });
});

describe('An issuer with several names', () => {
  it('is trusted by each of them, with the same keys', async () => {
    const app = await start({ issuer: 'https://accounts.google.com', issuerAliases: ['accounts.google.com'] });
    for (const iss of ['https://accounts.google.com', 'accounts.google.com'])
      expect(await app.outcome(tokenOf({ iss }))).toBe('200');
    expect(await app.outcome(tokenOf({ iss: 'accounts.google.com/' }))).toBe('401 ISSUER_UNTRUSTED');
  });
});

describe('Roles', () => {
  const controller = routesController('RolesController', 'roles', { admin: [RequireRoles('admin')] });
  const ask = async (claims: Record<string, unknown>, options: Partial<AuthOptions> = {}) => {
    const app = await startGuarded(ISSUER, {
      keys: { from: 'jwks', uri: JWKS } as Partial<KeysOptions>,
      options: { fetch: publishing(key), explainRefusals: true, ...options } as Partial<AuthOptions>,
      controllers: [controller],
    });
    const { status, body } = await call(`${app.url}/roles/admin`, bearer(tokenOf(claims)));
    await app.close();
    return [status, (body as { hint?: string }).hint] as const;
  };

  it.each<[string, Record<string, unknown>, AuthOptions['claimPaths'] & object, string]>([
    ['a list of objects', { roles: [{ id: 7, name: 'admin' }] }, { roles: ['roles[].name'] }, "'roles[].name'"],
    ['a list of objects with codes', { roles: [{ code: 'admin' }] }, { roles: ['roles[].code'] }, "'roles[].code'"],
    [
      'a text with commas',
      { roles: 'user, admin' },
      { roles: [{ path: 'roles', split: ',' }] },
      "{ path: 'roles', split: ',' }",
    ],
    ['a list of lists', { roles: [['user'], ['admin']] }, { roles: ['roles[]'] }, "'roles[]'"],
    ['an object', { roles: { admin: { 1: 'acme' } } }, { roles: [{ keysOf: 'roles' }] }, "{ keysOf: 'roles' }"],
  ])('in %s are named in the hint, with the option that reads them', async (_what, claims, claimPaths, fix) => {
    const [status, hint] = await ask(claims);
    expect([status, hint]).toEqual([403, expect.stringContaining(`Set claimPaths: { roles: [${fix}] }.`)]);
    expect(await ask(claims, { claimPaths })).toEqual([200, undefined]);
  });

  it.each<[string, Record<string, unknown>, AuthOptions['claimPaths'] & object, string]>([
    ['a list, not an object', { roles: ['admin'] }, { roles: [{ keysOf: 'roles' }] }, "'roles'"],
    [
      'a list, not a text',
      { roles: [{ code: 'admin' }] },
      { roles: [{ path: 'roles', split: ',' }] },
      "'roles[].code'",
    ],
    [
      'a text with semicolons',
      { roles: 'a;b' },
      { roles: [{ path: 'roles', split: ',' }] },
      "{ path: 'roles', split: ';' }",
    ],
    ['another member of objects', { roles: [{ code: 'admin' }] }, { roles: ['roles[].name'] }, "'roles[].code'"],
    ['strings, not objects', { roles: ['admin'] }, { roles: ['roles[].name'] }, "'roles'"],
    ['one string, not a list of lists', { roles: 'admin' }, { roles: ['roles[]'] }, "'roles'"],
    [
      'an object, not a list',
      { realm: { roles: { admin: {} } } },
      { roles: ['realm.roles[].name'] },
      "{ keysOf: 'realm.roles' }",
    ],
  ])('in %s, are named in the hint although the option names another form', async (_what, claims, claimPaths, fix) => {
    const [status, hint] = await ask(claims, { claimPaths });
    expect([status, hint]).toEqual([403, expect.stringContaining(`Set claimPaths: { roles: [${fix}] }.`)]);
  });

  it.each<[string, Record<string, unknown>, AuthOptions['claimPaths'] & object]>([
    ['an object', { roles: { user: {} } }, { roles: [{ keysOf: 'roles' }] }],
    ['a list of objects', { roles: [{ name: 'user' }] }, { roles: ['roles[].name'] }],
    ['a text', { roles: 'user' }, { roles: [{ path: 'roles', split: ',' }] }],
    ['an empty list', { roles: [] }, { roles: ['roles'] }],
  ])('in %s that the option reads have no hint about their form', async (_what, claims, claimPaths) => {
    const [status, hint] = await ask(claims, { claimPaths });
    expect([status, hint]).toEqual([403, expect.not.stringContaining('Set claimPaths')]);
  });

  it('can be read by a function of the claims', async () => {
    const roles = [({ tenants }: AccessTokenClaims) => (tenants as string[]).map((name) => name.toLowerCase())];
    expect(await ask({ tenants: ['ADMIN'] }, { claimPaths: { roles } })).toEqual([200, undefined]);
  });

  it.each([
    ['_claim_names', { _claim_names: { groups: 'src1' }, _claim_sources: { src1: {} } }],
    ['hasgroups', { hasgroups: true }],
  ])('that Entra ID leaves out because of their number (%s) are named in the hint', async (name, claims) => {
    const [, hint] = await ask(claims, { claimPaths: { roles: ['groups'] } });
    expect(hint).toContain(`the user has too many (\`${name}\`)`);
  });
});

describe('A key set', () => {
  it.each(['binary/octet-stream', 'text/plain', 'text/html', 'application/jwk-set+json'])(
    'may have the content type %s',
    async (type) => {
      const app = await start({ fetch: serving({ [JWKS]: () => json({ keys: [key.jwk] }, type) }) });
      expect(await app.outcome(tokenOf())).toBe('200');
    },
  );

  it('may be on a server that only knows application/jwk-set+json (406)', async () => {
    const accepts = ({ headers }: RequestInit) =>
      String((headers as Record<string, string>).accept).includes('jwk-set+json');
    const answer = (init: RequestInit) =>
      accepts(init) ? json({ keys: [key.jwk] }) : new Response(null, { status: 406 });
    const app = await start({ fetch: serving({ [JWKS]: answer }) });
    expect(await app.outcome(tokenOf())).toBe('200');
  });

  it('may be an object of PEM keys by key id, or one PEM file', async () => {
    const pem = createPublicKey({ key: key.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    for (const body of [JSON.stringify({ first: pem }), String(pem)]) {
      const app = await start({ fetch: serving({ [JWKS]: () => new Response(body) }) });
      expect(await app.outcome(tokenOf())).toBe('200');
      await app.close();
    }
  });

  it('may be at several addresses, one of which is down', async () => {
    const [one, two] = [`${JWKS}/1`, `${JWKS}/2`];
    const other = newKey('p-256', { kid: 'second' });
    let isDown = false;
    const fetch = serving({
      [one]: () => json({ keys: [key.jwk] }),
      [two]: () => (isDown ? new Response(null, { status: 500 }) : json({ keys: [other.jwk] })),
    });
    const app = await start({ fetch, keys: { from: 'jwks', uri: [one, two] } });
    for (const by of [key, other]) expect(await app.outcome(tokenOf({}, {}, by))).toBe('200');
    isDown = true;
    app.clock.pass(599);
    for (const by of [key, other]) expect(await app.outcome(tokenOf({}, {}, by))).toBe('200');
  });

  it('at several addresses answers 503, not 401, for keys of an address that was down from the start', async () => {
    const [one, two] = [`${JWKS}/1`, `${JWKS}/2`];
    const other = newKey('p-256', { kid: 'second' });
    let isDown = true;
    const fetch = serving({
      [one]: () => json({ keys: [key.jwk] }),
      [two]: () => (isDown ? new Response(null, { status: 503 }) : json({ keys: [other.jwk] })),
    });
    const app = await start({ fetch, keys: { from: 'jwks', uri: [one, two] } });
    expect(await app.outcome(tokenOf())).toBe('200');
    expect(await app.outcome(tokenOf({}, {}, other))).toBe('503 KEYS_UNAVAILABLE');
    expect(app.warnings()).toEqual([expect.stringContaining('cannot be fetched from all addresses')]);
    isDown = false;
    app.clock.pass(31);
    expect(await app.outcome(tokenOf({}, {}, other))).toBe('200');
  });

  it('logs no header that cannot be sent', async () => {
    const headers = () => ({ authorization: 'Bearer s3cret\nsecond line' });
    const app = await start({ keys: { from: 'jwks', uri: JWKS, headers } });
    expect(await app.outcome(tokenOf())).toBe('503 KEYS_UNAVAILABLE');
    expect(app.warnings().join()).toContain('`keys.headers` has a name or a value that is not valid');
    expect(app.warnings().join()).not.toContain('s3cret');
  });

  it('with a new key under the same `kid` is fetched once before the signature counts as invalid', async () => {
    let published = key;
    let fetches = 0;
    const fetch = serving({ [JWKS]: () => ((fetches += 1), json({ keys: [published.jwk] })) });
    const app = await start({ fetch });
    const renewed = newKey('p-256', { kid: 'first' });
    expect(await app.outcome(tokenOf())).toBe('200');
    published = renewed;
    expect(await app.outcome(tokenOf({}, {}, renewed))).toBe('200');
    expect(fetches).toBe(2);
    for (let count = 0; count < 20; count += 1)
      expect(await app.outcome(tokenOf({}, {}, newKey('p-256', { kid: 'first' })))).toBe('401 SIGNATURE_INVALID');
    expect(fetches).toBeLessThan(9);
  });

  it('does not turn forged tokens into 503 during an outage', async () => {
    let isDown = false;
    const app = await start({
      fetch: serving({ [JWKS]: () => (isDown ? new Response(null, { status: 500 }) : json({ keys: [key.jwk] })) }),
    });
    expect(await app.outcome(tokenOf())).toBe('200');
    isDown = true;
    for (let count = 0; count < 3; count += 1)
      expect(await app.outcome(tokenOf({}, {}, newKey('p-256', { kid: 'first' })))).toBe('401 SIGNATURE_INVALID');
  });

  it.each([2, 3])(
    'that flaps, because %i servers answer in turn, refuses no good token, and is logged once',
    async (count) => {
      const nodes = [key, newKey('p-256', { kid: 'second' }), newKey('p-256', { kid: 'third' })].slice(0, count);
      let fetches = 0;
      const fetch = serving({ [JWKS]: () => json({ keys: [nodes[fetches++ % count]?.jwk] }) });
      const app = await start({ fetch });
      const outcomes: string[] = [];
      // The last server first: the answer for its token is that of another one.
      for (let index = 0; index < 60; index += 1)
        outcomes.push(await app.outcome(tokenOf({}, {}, nodes.at(-index % count))));
      expect(outcomes).toEqual(Array(60).fill('200'));
      app.clock.pass(595);
      for (const by of nodes) expect(await app.outcome(tokenOf({}, {}, by))).toBe('200');
      expect(app.warnings()).toEqual([
        expect.stringContaining("list the address of each: keys: { from: 'jwks', uri: [ … ] }"),
      ]);
    },
  );

  it('may require headers, which are sent to no other origin', async () => {
    const seen: Record<string, unknown> = {};
    const record = (address: string, answer: unknown) => ({
      [address]: ({ headers }: RequestInit) => (
        (seen[address] = (headers as Record<string, string>).authorization),
        json(answer)
      ),
    });
    const metadata = `${ISSUER}/.well-known/openid-configuration`;
    const fetch = serving({
      ...record(metadata, { issuer: ISSUER, jwks_uri: JWKS }),
      ...record(JWKS, { keys: [key.jwk] }),
    });
    const headers = () => Promise.resolve({ authorization: 'Bearer node' });
    const elsewhere = await start({ fetch, keys: { from: 'discovery', headers } });
    expect(await elsewhere.outcome(tokenOf())).toBe('200');
    expect(seen).toEqual({ [metadata]: 'Bearer node', [JWKS]: undefined });
    const listed = await start({ fetch, keys: { from: 'discovery', headers, jwksOrigins: [new URL(JWKS).origin] } });
    expect(await listed.outcome(tokenOf())).toBe('200');
    expect(seen[JWKS]).toBe('Bearer node');
  });

  it('may be inside a network if `jwksOrigins` lists its origin', async () => {
    const internal = 'https://172.18.0.2:6443/openid/v1/jwks';
    const fetch = serving({
      [`${ISSUER}/.well-known/openid-configuration`]: () => json({ issuer: ISSUER, jwks_uri: internal }),
      [internal]: () => json({ keys: [key.jwk] }),
    });
    const unlisted = await start({ fetch, keys: { from: 'discovery' } });
    expect(await unlisted.outcome(tokenOf())).toBe('503 KEYS_UNAVAILABLE');
    const listed = await start({ fetch, keys: { from: 'discovery', jwksOrigins: ['https://172.18.0.2:6443'] } });
    expect(await listed.outcome(tokenOf())).toBe('200');
  });

  it('that cannot be found is reported with the most telling failure', async () => {
    const metadata = (body: unknown) => ({ [`${ISSUER}/.well-known/openid-configuration`]: () => json(body) });
    const reasons = [
      [metadata({ issuer: 'https://other.example.com' }), 'ISSUER_MISMATCH'],
      [
        {
          [`${ISSUER}/.well-known/openid-configuration`]: () =>
            new Response('<html>', { headers: { 'content-type': 'text/html' } }),
        },
        'MEDIA_TYPE',
      ],
      [{}, 'STATUS'],
    ] as const;
    for (const [answers, code] of reasons) {
      const app = await start({ fetch: serving(answers), keys: { from: 'discovery' } });
      expect(await app.outcome(tokenOf())).toBe('503 KEYS_UNAVAILABLE');
      expect(app.health()).toMatchObject([{ lastErrorCode: code }]);
      await app.close();
    }
  });
});

describe('Signatures', () => {
  it.each(ALGORITHM_NAMES.filter((name) => /ES256K|Ed448|ML-DSA/.test(name) && isAvailable(name)))(
    'with %s are accepted only if `algorithms` lists it',
    async (algorithm) => {
      const signer = new TestKey(algorithm);
      const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice', exp };
      const token = signer.sign({ alg: algorithm, kid: signer.kid }, claims);
      const published = { fetch: publishing({ jwk: signer.jwk }) };
      expect(await (await start(published)).outcome(token)).toBe('401 ALGORITHM_NOT_ALLOWED');
      const app = await start({ ...published, algorithms: ['ES256', algorithm] });
      expect(await app.outcome(token)).toBe('200');
      expect(await app.outcome(token.replace(/.{8}$/, 'AAAAAAAA'))).toBe('401 SIGNATURE_INVALID');
    },
  );

  it('in DER encoding are named in the hint', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const input = tokenOf().split('.').slice(0, 2).join('.');
    const token = `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'first' };
    const app = await start({ fetch: publishing({ jwk }), explainRefusals: true });
    const { body } = await app.ask(token);
    expect(body).toMatchObject({ code: 'SIGNATURE_INVALID', hint: expect.stringContaining('DER-encoded') });
  });
});

describe('A header that a proxy sets because of a cookie', () => {
  @Controller('payments')
  class PaymentsController {
    @Post()
    pay() {
      return 'paid';
    }
  }

  const ask = async (options: Partial<AuthOptions>, headers: Record<string, string>) => {
    const app = await startGuarded(ISSUER, {
      keys: { from: 'jwks', uri: JWKS } as Partial<KeysOptions>,
      options: { fetch: publishing(key), ...options } as Partial<AuthOptions>,
      controllers: [PaymentsController],
    });
    const response = await fetch(`${app.url}/payments`, {
      method: 'POST',
      headers: { ...headers, 'x-proxy-token': tokenOf() },
    });
    await app.close();
    return response.status;
  };
  const evil = { origin: 'https://evil.example.com', 'sec-fetch-site': 'cross-site' };

  it('is not read from requests that other sites cause, if `origins` is set', async () => {
    const checked = { tokenFrom: [fromHeader('X-Proxy-Token', { origins: ['https://app.example.com'] })] };
    expect(await ask(checked, evil)).toBe(403);
    expect(await ask(checked, { ...evil, origin: 'https://app.example.com' })).toBe(201);
    expect(await ask({ tokenFrom: [fromHeader('X-Proxy-Token', { origins: [] })] }, evil)).toBe(403);
    expect(await ask({ tokenFrom: [fromHeader('X-Proxy-Token', { origins: [] })] }, {})).toBe(201);
  });

  it('is read without a check of the origin by default, because other sites cannot set a header', async () => {
    expect(await ask({ tokenFrom: [fromHeader('X-Proxy-Token')] }, evil)).toBe(201);
  });
});

describe('Padded tokens', () => {
  const padded = () => {
    const parts = tokenOf({ name: 'Zoë' }).split('.').slice(0, 2);
    const input = parts.map((part) => part.padEnd(Math.ceil(part.length / 4) * 4, '=')).join('.');
    const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
  };

  it('are rejected by default, and the hint names the padding', async () => {
    const app = await start({ explainRefusals: true });
    const { body } = await app.ask(padded());
    expect(body).toMatchObject({ code: 'TOKEN_MALFORMED', hint: expect.stringContaining('padding') });
  });

  it("are accepted with padding: 'accept', which is logged", async () => {
    const app = await start({ padding: 'accept' });
    expect(await app.outcome(padded())).toBe('200');
    expect(await app.outcome(tokenOf())).toBe('200');
    expect(app.warnings()).toEqual([expect.stringContaining("padding is 'accept'")]);
  });
});

it('ID tokens are accepted with idTokens, which is logged', async () => {
  const token = tokenOf({ at_hash: 'x' });
  expect(await (await start({})).outcome(token)).toBe('401 TYPE_NOT_ALLOWED');
  const app = await start({ idTokens: 'accept' });
  expect(await app.outcome(token)).toBe('200');
  expect(app.warnings()).toEqual([`idTokens is 'accept' for ${ISSUER}: ID tokens are accepted as access tokens`]);
});
