import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { KeySet } from '../../../src/keys/key-set.js';
import type { StoredKeys } from '../../../src/keys/key-store.js';
import { AuthError } from '../../../src/model/errors.js';
import { IssuerKeys } from '../../../src/remote/issuer-keys.js';
import { holdTime } from '../../support/held-time.js';
import { newKey, type TestKey } from '../../support/local-issuer.js';

const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
const ISSUER = 'https://issuer.example.com';
const ORIGIN = `jwks ${ISSUER}/jwks`;
const POLICY = {
  refreshSeconds: 600,
  maxStaleSeconds: 3_600,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 50,
  maxBytes: 65_536,
};

/** A simulated issuer: a function instead of the network, and a clock that the test moves. */
class Scene {
  now = 1_000_000;
  body: unknown = { keys: [first.jwk] };
  isDown = false;
  status = 200;
  headers: Record<string, string> = {};
  conditions: Record<string, string> = {};
  /** With 1, the refresh is at 570 of 600 seconds, and pauses are 1, 2, 4, … seconds. */
  random = 1;
  located = 0;
  fetches = 0;
  /** While set, the metadata take until it settles. */
  locating: Promise<readonly string[]> | undefined;
  /** While set, responses wait for it. */
  gate: Promise<void> | undefined;
  readonly problems: string[] = [];

  stored: StoredKeys | undefined;
  storeProblem: Error | undefined;
  /** While set, a save takes until it settles. */
  storing: Promise<void> | undefined;
  readonly saved: StoredKeys[] = [];
  fallback: KeySet | undefined;
  /** Configured issuers have a timer. */
  isConfigured = false;
  notBefore: number | undefined;
  private created: IssuerKeys | undefined;

  /** Created on first use, after the test has set the fields above. */
  get keys(): IssuerKeys {
    this.created ??= this.create();
    return this.created;
  }

  private readonly create = () =>
    new IssuerKeys({
      ...POLICY,
      fallback: this.fallback,
      headers: undefined,
      isConfigured: this.isConfigured,
      origin: ORIGIN,
      notBefore: this.notBefore,
      issuer: ISSUER,
      signal: new AbortController().signal,
      clock: () => this.now,
      store: {
        load: () => this.storeResult(this.stored),
        save: (_issuer, keys) => {
          this.saved.push(keys);
          return this.storing ?? this.storeResult(undefined);
        },
      },
      locate: () => {
        this.located += 1;
        return this.locating ?? Promise.resolve([`${ISSUER}/jwks?key=s3cret`]);
      },
      onProblem: (problem) => this.problems.push(problem),
      fetch: async (_address, init) => {
        this.fetches += 1;
        const { accept: _accept, ...conditions } = init?.headers as Record<string, string>;
        this.conditions = conditions;
        const { isDown, body, status, headers } = this;
        await this.gate;
        if (isDown) throw new TypeError('fetch failed');
        return status === 304 ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
      },
    });

  private storeResult<T>(value: T): Promise<T> {
    return this.storeProblem === undefined ? Promise.resolve(value) : Promise.reject(this.storeProblem);
  }

  /** Moves the clock and the timers, and waits for the fetch that they cause. */
  async wait(seconds: number): Promise<void> {
    this.pass(seconds);
    await jest.advanceTimersByTimeAsync(seconds * 1000);
    await settled();
  }

  publish(...keys: TestKey[]): void {
    this.body = { keys: keys.map(({ jwk }) => jwk) };
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  /** Returns `found`, `unknown`, or the code of the rejection. */
  async ask(kid: string | undefined): Promise<string> {
    try {
      const keySet = await this.keys.keySetFor(kid);
      return keySet.candidates(kid).length > 0 ? 'found' : 'unknown';
    } catch (error) {
      if (error instanceof AuthError) return error.code;
      throw error;
    }
  }
}

let scene: Scene;

holdTime();

beforeEach(() => {
  scene = new Scene();
  jest.spyOn(Math, 'random').mockImplementation(() => scene.random);
});

/** Waits until a background refresh has ended. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

/** Asks for a key and waits for the refresh that this may cause. */
async function askAndSettle(kid: string): Promise<string> {
  const outcome = await scene.ask(kid);
  await settled();
  return outcome;
}

/** A promise that the test resolves. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('a remote key set', () => {
  it('is fetched once for all tokens that are received at the same time', async () => {
    scene.publish(first, second);
    const outcomes = await Promise.all(['first', 'second', 'first', undefined].map((kid) => scene.ask(kid)));
    expect(outcomes).toEqual(['found', 'found', 'found', 'found']);
    expect([scene.fetches, scene.located]).toEqual([1, 1]);
  });

  it('is refreshed in the background, once, before it is no longer fresh', async () => {
    await scene.ask('first');
    scene.pass(569);
    await scene.ask('first');
    expect(scene.fetches).toBe(1);
    scene.pass(1);
    expect(scene.keys.keySetFor('first')).not.toBeInstanceOf(Promise);
    expect(scene.keys.keySetFor('first')).not.toBeInstanceOf(Promise);
    await settled();
    expect(scene.fetches).toBe(2);
  });

  it('keeps its imported keys if the issuer sends the same set again', async () => {
    await scene.ask('first');
    const before = scene.keys.current();
    scene.pass(570);
    await askAndSettle('first');
    expect(scene.fetches).toBe(2);
    expect(scene.keys.current()).toBe(before);
  });

  it('is requested conditionally, and is fresh again after 304', async () => {
    scene.headers = { etag: '"v1"', 'last-modified': 'Tue, 24 Nov 2026 00:00:00 GMT' };
    await scene.ask('first');
    const before = scene.keys.current();
    scene.status = 304;
    scene.pass(570);
    await askAndSettle('first');
    expect(scene.conditions).toEqual({
      'if-none-match': '"v1"',
      'if-modified-since': 'Tue, 24 Nov 2026 00:00:00 GMT',
    });
    expect(scene.keys.current()).toBe(before);
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', ageSeconds: 0, failures: 0 });
  });

  it.each([
    ['max-age=120', 114],
    ['public, max-age="120", must-revalidate', 114],
    ['max-age=1', 57],
    ['no-store', 57],
    ['no-cache', 57],
    ['public, no-store', 57],
    ['no-cache, max-age=500', 57],
    ['max-age=999999999', 570],
    ['private', 570],
    ['s-maxage=120', 570],
  ])('with Cache-Control: %s is refreshed after %i seconds', async (cacheControl, seconds) => {
    scene.headers = { 'cache-control': cacheControl };
    await scene.ask('first');
    scene.pass(seconds - 1);
    await scene.ask('first');
    expect(scene.fetches).toBe(1);
    scene.pass(1);
    await askAndSettle('first');
    expect(scene.fetches).toBe(2);
  });

  it('is refreshed after at least 80 % of its lifetime, at random, so that processes do not fetch at the same time', async () => {
    scene.random = 0;
    await scene.ask('first');
    scene.pass(479);
    await askAndSettle('first');
    expect(scene.fetches).toBe(1);
    scene.pass(1);
    await askAndSettle('first');
    expect(scene.fetches).toBe(2);
  });
});

describe('an unknown kid', () => {
  it('that is requested again is searched after 1, 2, 4, … seconds', async () => {
    await scene.ask('first');
    await scene.ask('second');
    expect(scene.fetches).toBe(2);
    for (const [retry, pause] of [1, 2, 4, 8].entries()) {
      scene.pass(pause - 0.1);
      await scene.ask('second');
      expect(scene.fetches).toBe(2 + retry);
      scene.pass(0.1);
      await scene.ask('second');
      expect(scene.fetches).toBe(3 + retry);
    }
  });

  it('of a rotation during a flood of random kids is found after a second, even if it is requested constantly', async () => {
    await scene.ask('first');
    await scene.ask(randomUUID());
    scene.publish(first, second);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      expect(await scene.ask('second')).toBe('unknown');
      scene.pass(0.1);
      for (let index = 0; index < 20; index += 1) await scene.ask(randomUUID());
    }
    expect(await scene.ask('second')).toBe('found');
    expect(scene.fetches).toBe(3);
  });

  it('causes, together with all others, at most six fetches in a cooldown', async () => {
    await scene.ask('first');
    const before = scene.fetches;
    const kids = Array.from({ length: 50 }, (_value, index) => `kid-${String(index)}`);
    await Promise.all(kids.map((kid) => scene.ask(kid)));
    for (let tenth = 0; tenth < 299; tenth += 1) {
      scene.pass(0.1);
      for (const kid of kids) await scene.ask(kid);
    }
    expect(scene.fetches - before).toBe(6);
  });

  it('is searched in up to three answers while they change, within the six fetches of a cooldown', async () => {
    let servers = 0;
    const answer = () => ({ keys: [newKey('p-256', { kid: `server-${String((servers += 1))}` }).jwk] });
    Object.defineProperty(scene, 'body', { get: answer });
    expect(await scene.ask('server-1')).toBe('found');
    expect(await scene.ask('server-3')).toBe('found');
    for (const [pause, fetches] of [
      [1, 3],
      [2, 6],
      [4, 7],
    ] as const) {
      await scene.ask('absent');
      scene.pass(pause);
      expect(scene.fetches).toBe(fetches);
    }
  });

  it('that an outdated server of the issuer has withdrawn is found by its first request a second later', async () => {
    scene.publish(second);
    await scene.ask('second');
    scene.publish(first);
    scene.pass(570);
    await askAndSettle('second');
    // Another kid uses the one fetch of this cooldown.
    await scene.ask(randomUUID());
    scene.publish(second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
  });

  it('is searched again after its pause if a changed set still lacks it', async () => {
    await scene.ask('first');
    await scene.ask('second');
    scene.publish(first, newKey('p-256', { kid: 'third' }));
    scene.pass(1);
    expect(await scene.ask('second')).toBe('unknown');
    scene.publish(first, second);
    scene.pass(2);
    expect(await scene.ask('second')).toBe('found');
  });

  it.each([
    [128, 'found'],
    [129, 'unknown'],
  ])('of %i characters is %s a second later: longer kids are not remembered', async (length, outcome) => {
    const kid = 'k'.repeat(length);
    await scene.ask('first');
    await scene.ask(kid);
    scene.body = { keys: [{ ...second.jwk, kid }] };
    scene.pass(1);
    expect(await scene.ask(kid)).toBe(outcome);
  });

  it('may be searched right after a failed search', async () => {
    await scene.ask('first');
    scene.isDown = true;
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
    scene.isDown = false;
    scene.publish(first, second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
  });

  it('waits for the pause between attempts during an outage (KEYS_UNAVAILABLE)', async () => {
    await scene.ask('first');
    scene.isDown = true;
    await scene.ask('second');
    for (let index = 0; index < 50; index += 1) expect(await scene.ask(randomUUID())).toBe('KEYS_UNAVAILABLE');
    expect(scene.fetches).toBe(2);
  });
});

describe('an unreachable issuer', () => {
  const retryAfter = async (): Promise<number | undefined> => {
    const error: unknown = await Promise.resolve(scene.keys.keySetFor('first')).catch((caught: unknown) => caught);
    expect((error as AuthError).code).toBe('KEYS_UNAVAILABLE');
    return (error as AuthError).retryAfterSeconds;
  };

  it('is requested again after pauses that grow from one second to five, which Retry-After states', async () => {
    scene.isDown = true;
    for (const [attempt, pause] of [1, 2, 4, 5, 5, 5].entries()) {
      expect([await retryAfter(), scene.fetches]).toEqual([pause, attempt + 1]);
      scene.pass(pause - 0.1);
      expect([await retryAfter(), scene.fetches]).toEqual([1, attempt + 1]);
      scene.pass(0.1);
    }
    scene.isDown = false;
    expect(await scene.ask('first')).toBe('found');
  });

  it('that responds after the deadline does not replace a newer set', async () => {
    const { promise, resolve } = deferred();
    scene.gate = promise;
    // This `fetch` ignores its signal.
    const waiting = scene.ask('first');
    await scene.wait(0.05);
    expect(await waiting).toBe('KEYS_UNAVAILABLE');
    scene.gate = undefined;
    scene.publish(second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
    resolve();
    await settled();
    expect(scene.keys.current()?.hasKid('second')).toBe(true);
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', failures: 0 });
  });

  it('has its keys fetched from their last address while its metadata are slow', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(570);
    await askAndSettle('first');
    scene.isDown = false;
    scene.located = 0;
    scene.locating = new Promise(() => undefined);
    scene.publish(first, second);
    scene.pass(1);
    const waiting = scene.ask('second');
    await scene.wait(0.05);
    expect(await waiting).toBe('found');
    expect(scene.located).toBe(1);
  });

  it.each([
    ['17', 17],
    ['3600', 60],
    ['0', 1],
    ['-5', 1],
    ['12x', 1],
    ['1.5', 1],
    ['1234567', 1],
    ['Tue, 24 Nov 2026 23:59:59 GMT', 1],
  ])('that sends Retry-After: %s is requested again after %i seconds', async (value, seconds) => {
    scene.status = 429;
    scene.headers = { 'retry-after': value };
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.status = 200;
    scene.pass(seconds - 0.1);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.pass(0.1);
    expect(await scene.ask('first')).toBe('found');
  });

  it('keeps its Retry-After after a failed warm-up', async () => {
    scene.status = 429;
    scene.headers = { 'retry-after': '17' };
    await scene.keys.warmUp();
    scene.status = 200;
    scene.pass(16.9);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.pass(0.1);
    expect(await scene.ask('first')).toBe('found');
  });

  it('is not requested before notBefore, not even by warmUp', async () => {
    scene.notBefore = scene.now + 1;
    await scene.keys.warmUp();
    expect(scene.fetches).toBe(0);
  });
});

describe('a clock that is set back', () => {
  it('does not block a refresh', async () => {
    await scene.ask('first');
    scene.pass(-3_600);
    await askAndSettle('first');
    expect(scene.fetches).toBe(2);
  });

  it('does not block the search for a new key', async () => {
    await scene.ask('first');
    scene.pass(100);
    await scene.ask(randomUUID());
    scene.pass(-100);
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
  });

  it('does not block another search for a missing kid', async () => {
    await scene.ask('first');
    await scene.ask(randomUUID());
    scene.pass(20);
    await scene.ask('second');
    scene.pass(-10);
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
  });
});

describe('a key store', () => {
  const stored = (seconds: number, ...keys: TestKey[]): StoredKeys => ({
    fetchedAtMs: scene.now - seconds * 1000,
    origin: ORIGIN,
    jwks: { keys: keys.map(({ jwk }) => jwk) },
  });

  it('provides fresh keys without a request to the issuer', async () => {
    scene.stored = stored(100, first);
    scene.gate = new Promise(() => undefined);
    expect(await scene.ask('first')).toBe('found');
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', source: 'store', ageSeconds: 100 });
  });

  it.each<[string, () => unknown]>([
    ['from the future', () => stored(-1, first)],
    ['without a time', () => ({ ...stored(0, first), fetchedAtMs: NaN })],
    ['whose time is text', () => ({ ...stored(0, first), fetchedAtMs: String(scene.now) })],
    ['without a usable key', () => ({ ...stored(0), jwks: { keys: [null, { kty: 'oct', k: 'x' }] } })],
    ['without a key set', () => ({ ...stored(0), jwks: null })],
    ['without a list of keys', () => ({ ...stored(0), jwks: { keys: { 0: first.jwk } } })],
    ['past maxStaleSeconds', () => stored(3_600, first)],
    ['of another origin', () => ({ ...stored(0, first), origin: 'jwks https://old.example.com/jwks' })],
    ['that is text', () => 'keys'],
    ['that is empty text', () => ''],
    ['that is a number', () => 0],
  ])('that returns a value %s counts as empty (KEYS_UNAVAILABLE)', async (_what, value) => {
    scene.stored = value() as StoredKeys;
    scene.isDown = true;
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
  });

  it('that returns null counts as empty, without a warning', async () => {
    scene.stored = null as unknown as StoredKeys;
    expect(await scene.ask('first')).toBe('found');
    expect(scene.problems).toEqual([]);
  });

  it('that fails is reported and rejects no token', async () => {
    scene.storeProblem = new Error('the disk is full');
    expect(await askAndSettle('first')).toBe('found');
    expect(scene.problems).toEqual([
      `The stored keys of ${ISSUER} cannot be used: the disk is full`,
      `The keys of ${ISSUER} cannot be stored: the disk is full`,
    ]);
  });

  it('receives the public keys after each fetch, also if the set has not changed', async () => {
    const leaked = { ...newKey('p-256', { kid: 'leaked' }).jwk, d: 'secret' };
    scene.body = { keys: [first.jwk, leaked] };
    scene.headers = { etag: '"v1"' };
    await askAndSettle('first');
    expect(scene.saved).toEqual([{ fetchedAtMs: scene.now, origin: ORIGIN, jwks: { keys: [first.jwk] } }]);
    scene.status = 304;
    scene.pass(570);
    await askAndSettle('first');
    expect(scene.saved[1]).toEqual({ fetchedAtMs: scene.now, origin: ORIGIN, jwks: { keys: [first.jwk] } });
  });

  it('that is slow receives the newest set last, and not the sets in between', async () => {
    const { promise, resolve } = deferred();
    scene.storing = promise;
    await scene.ask('first');
    for (const key of [second, newKey('p-256', { kid: 'third' })]) {
      scene.publish(key);
      scene.pass(570);
      await askAndSettle('first');
    }
    expect(scene.saved).toHaveLength(1);
    resolve();
    scene.storing = undefined;
    await settled();
    expect(scene.saved.map(({ jwks }) => jwks.keys)).toMatchObject([[{ kid: 'first' }], [{ kid: 'third' }]]);
  });

  it('has precedence over the fallback keys', async () => {
    scene.fallback = new KeySet([second.jwk]);
    scene.stored = stored(2_000, first);
    scene.isDown = true;
    expect(await scene.ask('first')).toBe('found');
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
  });

  it('finishes a save before the keys are closed', async () => {
    const { promise, resolve } = deferred();
    scene.storing = promise;
    await scene.ask('first');
    let isClosed = false;
    const closed = scene.keys.close().then(() => {
      isClosed = true;
    });
    await settled();
    expect(isClosed).toBe(false);
    resolve();
    await closed;
  });
});

describe('the timer of a configured issuer', () => {
  beforeEach(async () => {
    scene.isConfigured = true;
    await scene.ask('first');
  });

  it('fetches the set before a request has to wait for it', async () => {
    scene.publish(second);
    await scene.wait(569);
    expect(scene.fetches).toBe(1);
    await scene.wait(1);
    expect(scene.fetches).toBe(2);
    expect(await scene.ask('first')).toBe('unknown');
  });

  it('continues during an outage, after pauses of up to 30 seconds while there are keys', async () => {
    scene.isDown = true;
    await scene.wait(570);
    for (const [attempt, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      await scene.wait(pause - 0.1);
      expect(scene.fetches).toBe(2 + attempt);
      await scene.wait(0.1);
      expect(scene.fetches).toBe(3 + attempt);
    }
    scene.isDown = false;
    await scene.wait(30);
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', failures: 0, lastErrorCode: undefined });
  });

  it('that fires too early is set again and fetches nothing', async () => {
    scene.pass(-1);
    await scene.wait(570);
    expect(scene.fetches).toBe(1);
    await scene.wait(1);
    expect(scene.fetches).toBe(2);
  });
});

describe('the log', () => {
  it('has one line for a failed fetch, with the reason', async () => {
    scene.isDown = true;
    await Promise.all([scene.ask('first'), scene.ask('first')]);
    expect(scene.problems).toEqual([`Keys of ${ISSUER} cannot be fetched: ${ISSUER}/jwks: fetch failed`]);
  });

  it.each([
    [{}, 'has no list of keys'],
    [{ keys: [] }, 'has no usable key (empty)'],
    [{ keys: [{ ...second.jwk, use: 'enc' }] }, 'has no usable key ("second" is not for signatures (use))'],
  ])('states what is wrong with the key set %j, without the query of its address', async (body, problem) => {
    scene.body = body;
    await scene.ask('first');
    expect(scene.problems).toEqual([`Keys of ${ISSUER} cannot be fetched: ${ISSUER}/jwks: ${problem}`]);
  });

  it('has a line for the first failure, after ten minutes, for another failure, and for the recovery', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(570);
    const askFor = async (seconds: number) => {
      for (let past = 0; past < seconds; past += 30) {
        await askAndSettle('first');
        scene.pass(30);
      }
    };
    await askFor(1_200);
    expect(scene.problems).toHaveLength(2);
    scene.isDown = false;
    scene.status = 500;
    await askFor(60);
    expect(scene.problems).toHaveLength(3);
    scene.status = 200;
    await askFor(30);
    expect(scene.problems.at(-1)).toMatch(/^Keys of \S+ can be fetched again after \d+ failed attempts$/);
  });

  it('has another line when the keys expire during an outage', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(3_599);
    await askAndSettle('first');
    expect(scene.problems).toHaveLength(1);
    scene.pass(1);
    await scene.ask('first');
    expect(scene.problems).toHaveLength(2);
  });

  it('names unusable keys once for each set', async () => {
    scene.body = { keys: [first.jwk, { ...second.jwk, use: 'enc' }] };
    for (let turn = 0; turn < 3; turn += 1) {
      await askAndSettle('first');
      scene.pass(570);
    }
    expect(scene.problems).toEqual([`Keys of ${ISSUER} cannot all be used: "second" is not for signatures (use)`]);
  });
});
