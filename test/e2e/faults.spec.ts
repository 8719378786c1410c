import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AccessTokenVerifier } from '../../src/index.js';
import { PLATFORMS, closeApps } from '../support/app.js';
import {
  closedPort,
  type Fault,
  fault,
  FAULTS,
  FAULTS_OF_METADATA,
  faultsOfSet,
  FaultyIssuer,
  KEYS,
  METADATA,
} from '../support/faulty-issuer.js';
import { type GuardedApp, lastingToken, startGuarded } from '../support/guarded-app.js';
import { until } from '../support/until.js';
import { holdTime, pass } from '../support/held-time.js';
import { newKey, signToken, type TestKey } from '../support/local-issuer.js';
import { outcomeOf } from '../support/verifier.js';

const UNAVAILABLE = '503 KEYS_UNAVAILABLE';
const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
/** For an exchange that never ends without a deadline. */
const DEADLINE_MS = 200;
/** Longer than any test. */
const NEVER_MS = 60_000;
const FAULTS_OF_KEYS = Object.entries({ ...FAULTS, ...faultsOfSet(first) });
const ENDLESS = Object.entries(FAULTS).filter(([, { isEndless }]) => isEndless === true);

let issuer: FaultyIssuer;
let good: string;

holdTime();

beforeEach(async () => {
  issuer = await FaultyIssuer.start([first]);
  good = lastingToken(issuer, first);
});

afterEach(async () => {
  await closeApps();
  await issuer.stop();
});

const newKeys = (count: number, members: Record<string, unknown> = {}) =>
  Array.from({ length: count }, () => newKey('p-256', members));

const policyFor = ({ isEndless }: Fault) => (isEndless === true ? { timeoutMs: DEADLINE_MS } : {});
const allEnded = () => until(() => issuer.openExchanges === 0);
const failed = (app: GuardedApp, times: number) => until(() => (app.health()[0]?.failures ?? 0) >= times);
/** Waits for an outcome. If the fault never ends, moves the time to the deadline of each exchange. */
const awaitOutcome = async <Outcome>({ isEndless }: Fault, outcome: Promise<Outcome>): Promise<Outcome> => {
  let isSettled = isEndless !== true;
  outcome.then(
    () => (isSettled = true),
    () => (isSettled = true),
  );
  while (!isSettled) {
    await until(() => isSettled || issuer.openExchanges > 0);
    const requests = issuer.requests.length;
    await pass(DEADLINE_MS / 1000);
    // The next exchange may have begun already.
    await until(() => isSettled || issuer.openExchanges === 0 || issuer.requests.length > requests);
  }
  return outcome;
};
const isFresh = (app: GuardedApp) => until(() => app.health()[0]?.state === 'fresh');

describe.each(PLATFORMS)(
  'at a cold start on %s, a token is rejected with 503, without a challenge, while the issuer',
  (platform) => {
    const rejects = async (app: GuardedApp, fault: Fault, code: string) => {
      const { retryAfter = '1' } = fault;
      const answer = await awaitOutcome(fault, app.ask(good));
      expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
      expect([answer.headers['retry-after'], answer.headers['www-authenticate']]).toEqual([retryAfter, undefined]);
      expect(app.health()).toMatchObject([
        { state: 'unavailable', source: undefined, failures: 1, lastErrorCode: code },
      ]);
      await allEnded();
    };
    const recovers = async (app: GuardedApp, { retryAfter = '1' }: Fault) => {
      issuer.recover();
      app.clock.pass(Number(retryAfter));
      expect(await app.outcome(good)).toBe('200');
      expect(app.health()).toMatchObject([{ state: 'fresh', source: 'issuer', failures: 0, lastErrorCode: undefined }]);
      await app.close();
      await allEnded();
    };

    it.each(FAULTS_OF_KEYS)('%s at the address of its keys', async (_what, fault) => {
      issuer.fail(fault, KEYS);
      const app = await startGuarded(issuer.url, { platform, keys: policyFor(fault) });
      await rejects(app, fault, fault.code);
      await recovers(app, fault);
    });

    it.each([...Object.entries(FAULTS), ...Object.entries(FAULTS_OF_METADATA)])(
      '%s at the locations of its metadata',
      async (_what, given) => {
        const fault = typeof given === 'function' ? given(issuer.url) : given;
        issuer.fail(fault, ...METADATA);
        const app = await startGuarded(issuer.url, { platform, keys: policyFor(fault) });
        await rejects(app, fault, fault.codeAtMetadata ?? fault.code);
        expect(issuer.fetches).toBe(0);
        await recovers(app, fault);
      },
    );
  },
);

describe('at a cold start', () => {
  it('rejects tokens with 503 while the port of the keys is closed, until the metadata name another', async () => {
    const closed = await closedPort();
    let keysAt = `http://127.0.0.1:${String(closed.port)}/jwks`;
    issuer.json(METADATA[0], () => ({ issuer: issuer.url, jwks_uri: keysAt }));
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
    expect(app.health()).toMatchObject([{ state: 'unavailable', lastErrorCode: 'NETWORK' }]);
    keysAt = issuer.url + KEYS;
    app.clock.pass(1);
    expect(await app.outcome(good)).toBe('200');
    await closed.free();
  });

  it('causes one fetch for many requests, and rejects all of them with 503 if it fails', async () => {
    issuer.fail(fault('never answers'), KEYS);
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: DEADLINE_MS } });
    const outcomes = Promise.all(Array.from({ length: 50 }, () => app.outcome(good)));
    const answers = await awaitOutcome(fault('never answers'), outcomes);
    expect(new Set(answers)).toEqual(new Set([UNAVAILABLE]));
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
    expect(issuer.fetches).toBe(1);
  });
});

describe('a cached key set', () => {
  it.each(FAULTS_OF_KEYS)(
    'is used for maxStaleSeconds while the issuer %s, then tokens are rejected with 503 until it recovers',
    async (_what, fault) => {
      const app = await startGuarded(issuer.url, { keys: policyFor(fault) });
      expect(await app.outcome(good)).toBe('200');
      issuer.failEverywhere(fault);
      app.clock.pass(600);
      expect(await app.outcome(good)).toBe('200');
      await awaitOutcome(fault, failed(app, 1));
      expect(app.health()).toMatchObject([
        { state: 'stale', source: 'issuer', ageSeconds: 600, lastErrorCode: fault.code },
      ]);
      app.clock.pass(2_999);
      expect(await app.outcome(good)).toBe('200');
      await awaitOutcome(fault, failed(app, 2));
      app.clock.pass(1);
      const answer = await app.ask(good);
      expect([answer.status, answer.body.code]).toEqual([503, 'KEYS_UNAVAILABLE']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(app.health()).toMatchObject([{ state: 'unavailable', source: undefined, ageSeconds: undefined }]);

      issuer.recover();
      app.clock.pass(60);
      expect(await app.outcome(good)).toBe('200');
      expect(app.health()).toMatchObject([{ state: 'fresh', ageSeconds: 0, failures: 0, lastErrorCode: undefined }]);
      await app.close();
      await allEnded();
    },
  );

  it.each(ENDLESS)(
    'delays no token while the issuer %s, and leaves no exchange open on close',
    async (_what, fault) => {
      const app = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS } });
      expect(await app.outcome(good)).toBe('200');
      await allEnded();
      issuer.failEverywhere(fault);
      app.clock.pass(600);
      for (let request = 0; request < 10; request += 1) expect(await app.outcome(good)).toBe('200');
      await until(() => issuer.openExchanges === 1);
      expect(issuer.fetches).toBe(2);
      await app.close();
      await allEnded();
    },
  );

  it('is refreshed from its last address while the metadata fail', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    issuer.failEverywhere(fault('answers 500'));
    app.clock.pass(600);
    await app.outcome(good);
    await failed(app, 1);
    issuer.recover(KEYS);
    issuer.publish(first, second);
    app.clock.pass(1);
    await app.outcome(good);
    await isFresh(app);
    expect(issuer.countOf(METADATA[0])).toBe(2);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('does not make a kid unknown while the issuer is unreachable (503)', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    issuer.failEverywhere(fault('answers 500'));
    expect(await app.outcome(lastingToken(issuer, second))).toBe(UNAVAILABLE);
    expect(await app.outcome(good)).toBe('200');
  });

  it('is not replaced by the fallback keys when it expires: they end with the first response of the issuer', async () => {
    const app = await startGuarded(issuer.url, { keys: { fallback: { keys: [second.jwk as never] } } });
    expect(await app.outcome(good)).toBe('200');
    issuer.failEverywhere(fault('answers 500'));
    app.clock.pass(3_600);
    expect(await app.outcome(lastingToken(issuer, second))).toBe(UNAVAILABLE);
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
  });

  it('is used only while it is fresh with maxStaleSeconds 0', async () => {
    const app = await startGuarded(issuer.url, { keys: { maxStaleSeconds: 0 } });
    await app.outcome(good);
    issuer.failEverywhere(fault('answers 500'));
    app.clock.pass(599);
    expect(await app.outcome(good)).toBe('200');
    app.clock.pass(1);
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
  });
});

describe('a key set', () => {
  const alg = { rsa: 'RS256', 'p-256': 'ES256', ed25519: 'EdDSA' } as const;

  it.each(['p-256', 'rsa', 'ed25519'] as const)(
    'with two keys of the same kid, one of them %s, verifies the tokens of both, in either order',
    async (kind) => {
      const twin = newKey(kind, { kid: 'first' });
      for (const keys of [
        [first, twin],
        [twin, first],
      ]) {
        issuer.publish(...keys);
        const app = await startGuarded(issuer.url);
        expect(await app.outcome(good)).toBe('200');
        expect(await app.outcome(issuer.token(twin, alg[kind], { exp: 99_999_999_999 }))).toBe('200');
        const forged = issuer.token(newKey(kind, { kid: 'first' }), alg[kind], { exp: 99_999_999_999 });
        expect(await app.outcome(forged)).toBe('401 SIGNATURE_INVALID');
        await app.close();
      }
    },
  );

  it('with a published private key accepts the other keys, and no token that the private key has signed', async () => {
    const leaked = { ...second.privateKey.export({ format: 'jwk' }), kid: 'second' };
    issuer.publish(leaked, first);
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe('200');
    expect(await app.outcome(lastingToken(issuer, second))).toBe('401 KEY_UNSUITABLE');
  });

  it('in which the issuer replaces a private key with its public key accepts its tokens again', async () => {
    issuer.publish({ ...second.privateKey.export({ format: 'jwk' }), kid: 'second' }, first);
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    issuer.publish(first, second);
    app.clock.pass(600);
    await app.outcome(good);
    await isFresh(app);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('with a symmetric key accepts the other keys, and no token that names the symmetric key', async () => {
    issuer.publish({ kty: 'oct', k: 'c2VjcmV0', kid: 'second', alg: 'HS256' }, first);
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe('200');
    expect(await app.outcome(lastingToken(issuer, second))).toBe('401 KEY_UNSUITABLE');
    // The kid is known, so the issuer is not requested again.
    expect(issuer.fetches).toBe(1);
  });

  it.each([
    ['null', null],
    ['a number', 7],
    ['a list', []],
    ['an empty object', {}],
    ['a key without its numbers', { kty: 'RSA', kid: 'second' }],
    ['a key of an unknown kind', { kty: 'AKP', kid: 'second', alg: 'ML-DSA-44', pub: 'AAAA' }],
    ['a point that is not on its curve', { ...second.jwk, x: first.jwk.x }],
    ['an oversized kid', { ...second.jwk, kid: 'x'.repeat(10_000) }],
  ])('with %s and a good key uses the good key', async (_what, bad) => {
    issuer.keys = [bad, first.jwk, bad];
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe('200');
    expect(app.health()).toMatchObject([{ state: 'fresh', failures: 0 }]);
  });
});

describe('a rotation', () => {
  const startRotated = async (...keys: Parameters<FaultyIssuer['publish']>) => {
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe('200');
    issuer.publish(...keys);
    return app;
  };

  it('with overlap causes one fetch, and the old key is still accepted', async () => {
    const app = await startRotated(first, second);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
    expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(2);
  });

  it('without overlap causes one fetch for the new key, and one for the old key, which is rejected (KEY_UNKNOWN)', async () => {
    const app = await startRotated(second);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
    expect(issuer.fetches).toBe(2);
    // The old key could be that of another server of the issuer.
    for (let count = 0; count < 3; count += 1) expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
    expect(issuer.fetches).toBe(3);
  });

  it('causes one fetch for its first tokens, even if they are received at the same time', async () => {
    const app = await startRotated(first, second);
    const token = lastingToken(issuer, second);
    const answers = await Promise.all(Array.from({ length: 20 }, () => app.outcome(token)));
    expect(new Set(answers)).toEqual(new Set(['200']));
    expect(issuer.fetches).toBe(2);
  });

  it.each([1, 2])(
    'takes at most a second if the servers of the issuer respond in turn and server %i is first',
    async (offset) => {
      const app = await startGuarded(issuer.url);
      expect(await app.outcome(good)).toBe('200');
      const sets = [[first], [first, second]];
      issuer.publishInTurn(...sets.slice(offset - 1), ...sets.slice(0, offset - 1));
      const token = lastingToken(issuer, second);
      const answers = [];
      for (let second = 0; second < 30; second += 1) {
        answers.push(await app.outcome(token));
        expect(await app.outcome(good)).toBe('200');
        app.clock.pass(1);
      }
      const wait = offset === 1 ? 1 : 0;
      expect(answers).toEqual([
        ...Array<string>(wait).fill('401 KEY_UNKNOWN'),
        ...Array<string>(30 - wait).fill('200'),
      ]);
      expect(issuer.fetches).toBe(2 + wait);
    },
  );

  it('without overlap causes at most six fetches in a cooldown if the servers of the issuer respond in turn', async () => {
    const app = await startGuarded(issuer.url);
    expect(await app.outcome(good)).toBe('200');
    issuer.publishInTurn([first], [second]);
    const token = lastingToken(issuer, second);
    const answers = [];
    for (let tenth = 0; tenth < 299; tenth += 1) {
      if (tenth % 10 === 0) answers.push(await app.outcome(token));
      await app.outcome(good);
      app.clock.pass(0.1);
    }
    expect(answers.slice(0, 2)).toEqual(['401 KEY_UNKNOWN', '200']);
    expect(issuer.fetches).toBeGreaterThan(3);
    expect(issuer.fetches).toBeLessThanOrEqual(1 + 6);
  });

  it('that withdraws a key takes effect with the next successful fetch', async () => {
    issuer.publish(first, second);
    const app = await startGuarded(issuer.url);
    const withdrawn = lastingToken(issuer, second);
    expect(await app.outcome(withdrawn)).toBe('200');
    issuer.publish(first);
    issuer.fail(fault('answers 500'), KEYS);
    app.clock.pass(600);
    expect(await app.outcome(withdrawn)).toBe('200');
    await failed(app, 1);
    expect(await app.outcome(withdrawn)).toBe('200');
    issuer.recover();
    app.clock.pass(1);
    await app.outcome(good);
    await isFresh(app);
    expect(await app.outcome(withdrawn)).toBe('401 KEY_UNKNOWN');
    expect(await app.outcome(good)).toBe('200');
  });

  it('during a long time without tokens is noticed before the first token is verified', async () => {
    const app = await startRotated(second);
    app.clock.pass(1_200);
    expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
  });

  it('during an outage does not make its tokens invalid: 503, then 200', async () => {
    const app = await startRotated(second);
    issuer.fail(fault('never answers'), KEYS);
    await app.close();
    const restarted = await startGuarded(issuer.url, { keys: { timeoutMs: DEADLINE_MS } });
    const outcome = restarted.outcome(lastingToken(issuer, second));
    expect(await awaitOutcome(fault('never answers'), outcome)).toBe(UNAVAILABLE);
    issuer.recover();
    restarted.clock.pass(1);
    expect(await restarted.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('of the address of the keys is followed when the old address fails', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    issuer.json('/new-jwks', () => ({ keys: [second.jwk] }));
    issuer.json(METADATA[0], () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/new-jwks` }));
    issuer.handlers.delete(KEYS);
    app.clock.pass(600);
    expect(await app.outcome(good)).toBe('200');
    await failed(app, 1);
    app.clock.pass(1);
    expect(await app.outcome(good)).toBe('200');
    await isFresh(app);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
    expect([issuer.countOf(METADATA[0]), issuer.countOf('/new-jwks')]).toEqual([2, 1]);
  });

  it('of the address of the keys is followed a second later when the old address still responds', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    issuer.json('/new-jwks', () => ({ keys: [second.jwk] }));
    issuer.json(METADATA[0], () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/new-jwks` }));
    const token = lastingToken(issuer, second);
    expect(await app.outcome(token)).toBe('401 KEY_UNKNOWN');
    app.clock.pass(1);
    expect(await app.outcome(token)).toBe('200');
    expect(issuer.countOf(METADATA[0])).toBe(2);
  });
});

describe('a flood of random key ids', () => {
  const junkToken = () => {
    const header = { alg: 'ES256', kid: randomUUID() };
    return signToken(header, { iss: issuer.url, exp: 99_999_999_999 }, second.privateKey);
  };

  it('causes one fetch in a cooldown, and no token with a known key is rejected', async () => {
    const app = await startGuarded(issuer.url);
    const verifier = app.get(AccessTokenVerifier);
    expect(await app.outcome(good)).toBe('200');
    const outcomes = new Map<string, number>();
    for (let batch = 0; batch < 40; batch += 1) {
      // The second half of the flood is in the next cooldown.
      if (batch === 20) app.clock.pass(30);
      const flood = Array.from({ length: 50 }, () => outcomeOf(verifier.verify(junkToken())));
      expect(await app.outcome(good)).toBe('200');
      for (const code of await Promise.all(flood)) outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    }
    expect([...outcomes]).toEqual([['KEY_UNKNOWN', 2_000]]);
    expect(issuer.fetches).toBe(1 + 2);
    expect(issuer.countOf(METADATA[0])).toBe(1);
  });

  it.each(ENDLESS)('delays no token with a known key while the issuer %s', async (_what, fault) => {
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS } });
    const verifier = app.get(AccessTokenVerifier);
    expect(await app.outcome(good)).toBe('200');
    issuer.failEverywhere(fault);
    const flood = Promise.all(Array.from({ length: 200 }, () => outcomeOf(verifier.verify(junkToken()))));
    for (let request = 0; request < 10; request += 1) expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(2);
    await app.close();
    expect(new Set(await flood)).toEqual(new Set(['KEYS_UNAVAILABLE']));
    await allEnded();
  });

  it('does not block a rotation in the next cooldown', async () => {
    const app = await startGuarded(issuer.url);
    const verifier = app.get(AccessTokenVerifier);
    await app.outcome(good);
    for (let count = 0; count < 100; count += 1) await outcomeOf(verifier.verify(junkToken()));
    issuer.publish(first, second);
    app.clock.pass(30);
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('at a cold start causes one attempt to reach an issuer that is down', async () => {
    issuer.failEverywhere(fault('answers 500'));
    const app = await startGuarded(issuer.url);
    const verifier = app.get(AccessTokenVerifier);
    for (let count = 0; count < 200; count += 1) {
      expect(await outcomeOf(verifier.verify(junkToken()))).toBe('KEYS_UNAVAILABLE');
    }
    expect(issuer.countOf(METADATA[0])).toBe(1);
  });
});

describe('a token without a kid', () => {
  const tokenWithoutKid = (key: TestKey) => lastingToken(issuer, { ...key, kid: undefined });

  it('is verified with each suitable key, at most sixteen', async () => {
    const keys = newKeys(17);
    const unsuitable = [...newKeys(20, { use: 'enc' }), newKey('ed25519'), newKey('rsa-1024')];
    issuer.publish(...unsuitable, ...keys);
    const app = await startGuarded(issuer.url);
    const answers = [];
    for (const key of keys) answers.push(await app.outcome(tokenWithoutKid(key)));
    expect(answers).toEqual([...Array<string>(16).fill('200'), '401 SIGNATURE_INVALID']);
  });

  it('that no key verifies causes one fetch in a cooldown', async () => {
    const app = await startGuarded(issuer.url);
    await app.outcome(good);
    for (let count = 0; count < 100; count += 1) {
      expect(await app.outcome(tokenWithoutKid(newKey('p-256')))).toBe('401 SIGNATURE_INVALID');
    }
    expect(issuer.fetches).toBe(2);
    expect(await app.outcome(tokenWithoutKid(first))).toBe('200');
  });
});

describe('a rotation of keys without a kid', () => {
  it.each([
    ['without a kid', undefined],
    ['with a kid', 'mine'],
  ])('causes one fetch for a token %s', async (_what, kid) => {
    const [old, rotated] = newKeys(2, { kid: undefined }) as [TestKey, TestKey];
    issuer.publish(old);
    const app = await startGuarded(issuer.url);
    const tokenOf = (key: TestKey) => lastingToken(issuer, { ...key, kid });
    expect(await app.outcome(tokenOf(old))).toBe('200');
    issuer.publish(rotated);
    expect(await app.outcome(tokenOf(rotated))).toBe('200');
    expect(await app.outcome(tokenOf(old))).toBe('401 SIGNATURE_INVALID');
    expect(issuer.fetches).toBe(2);
  });
});

describe('the metadata of an issuer with a path', () => {
  const OPENID = '/tenant/.well-known/openid-configuration';
  const OAUTH = '/.well-known/oauth-authorization-server/tenant';
  const OPENID_AT_ROOT = '/.well-known/openid-configuration/tenant';
  let name: string;
  let token: string;

  beforeEach(() => {
    name = `${issuer.url}/tenant`;
    token = lastingToken(issuer, first, { iss: name });
  });

  const metadata = () => ({ issuer: name, jwks_uri: issuer.url + KEYS });

  it.each([OPENID, OAUTH, OPENID_AT_ROOT])('are found at %s', async (path) => {
    issuer.json(path, metadata);
    const app = await startGuarded(name);
    expect(await app.outcome(token)).toBe('200');
  });

  const responding = Object.entries(FAULTS).filter(([, { code }]) => code !== 'NETWORK' && code !== 'TIMEOUT');
  const unreachable = Object.entries(FAULTS).filter(([, { code }]) => code === 'NETWORK' || code === 'TIMEOUT');

  it.each([...responding, ...Object.entries(FAULTS_OF_METADATA)])(
    'are found at the second location if the issuer %s at the first',
    async (_what, given) => {
      issuer.fail(typeof given === 'function' ? given(name) : given, OPENID);
      issuer.json(OAUTH, metadata);
      const app = await startGuarded(name);
      expect(await app.outcome(token)).toBe('200');
      expect([issuer.countOf(OPENID), issuer.countOf(OAUTH)]).toEqual([1, 1]);
      await app.close();
      await allEnded();
    },
  );

  it.each(unreachable)('are requested at one location only if the issuer %s there (503)', async (_what, fault) => {
    issuer.json(OPENID, metadata);
    issuer.json(OAUTH, metadata);
    issuer.fail(fault, OPENID);
    const app = await startGuarded(name, { keys: policyFor(fault) });
    expect(await awaitOutcome(fault, app.outcome(token))).toBe(UNAVAILABLE);
    expect(app.health()).toMatchObject([{ state: 'unavailable', lastErrorCode: fault.code }]);
    expect(issuer.countOf(OAUTH)).toBe(0);
    issuer.recover();
    app.clock.pass(1);
    expect(await app.outcome(token)).toBe('200');
    await app.close();
    await allEnded();
  });
});
