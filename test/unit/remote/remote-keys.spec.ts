import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { AuthError } from '../../../src/model/errors.js';
import { IssuerKeys } from '../../../src/remote/issuer-keys.js';
import { KeySet } from '../../../src/keys/key-set.js';
import type { StoredKeys } from '../../../src/keys/key-store.js';
import { newKey, type TestKey } from '../../support/local-issuer.js';

const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
const ORIGIN = 'jwks https://issuer.example.com/jwks';
const POLICY = {
  refreshSeconds: 600,
  maxStaleSeconds: 3_600,
  unknownKidCooldownSeconds: 30,
  timeoutMs: 50,
  maxBytes: 65_536,
};

/** An issuer that is not there: a function in place of the network, and a clock that a test moves. */
class Scene {
  now = 1_000_000;
  body: unknown = { keys: [first.jwk] };
  isDown = false;
  status = 200;
  headers: Record<string, string> = {};
  conditions: Record<string, string> = {};
  random = 1;
  movedTo = 'https://issuer.example.com/jwks';
  located = 0;
  /** While set, the metadata take as long as it. */
  locating: Promise<string> | undefined;
  readonly asked: string[] = [];
  readonly problems: string[] = [];
  /** While set, answers wait for it. */
  gate: Promise<void> | undefined;

  stored: StoredKeys | undefined;
  storeProblem: Error | undefined;
  /** While set, saving takes as long as it. */
  storing: Promise<void> | undefined;
  readonly saved: StoredKeys[] = [];
  fallback: KeySet | undefined;
  maxStaleSeconds = POLICY.maxStaleSeconds;
  isPolling = false;
  notBefore: number | undefined;
  private readonly planned = new Set<{ run: () => void; delayMs: number }>();
  private made: IssuerKeys | undefined;

  /** Made when it is asked for first: by then a test has set the scene. */
  get keys(): IssuerKeys {
    this.made ??= this.make();
    return this.made;
  }

  private readonly make = () =>
    new IssuerKeys({
      ...POLICY,
      fallback: this.fallback,
      maxStaleSeconds: this.maxStaleSeconds,
      isConfigured: true,
      origin: ORIGIN,
      maxUnknownKids: 500,
      notBefore: this.notBefore,
      issuer: 'https://issuer.example.com',
      clock: () => this.now,
      // The latest refresh and the longest pause there are: at 570 of 600 seconds, and 1, 2, 4, … seconds.
      random: () => this.random,
      store: {
        load: () => this.answerOfStore(this.stored),
        save: (_issuer, keys) => {
          this.saved.push(keys);
          return this.storing ?? this.answerOfStore(undefined);
        },
      },
      schedule: this.isPolling ? this.schedule : undefined,
      locate: () => {
        this.located += 1;
        return this.locating ?? this.movedTo;
      },
      onProblem: (problem) => this.problems.push(problem),
      fetch: async (address, init) => {
        this.asked.push(address as string);
        const { accept: _accept, ...conditions } = init?.headers as Record<string, string>;
        this.conditions = conditions;
        const { isDown, body, status, headers } = this;
        await this.gate;
        if (isDown) throw new TypeError('fetch failed');
        return status === 304 ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
      },
    });

  private answerOfStore<T>(value: T): Promise<T> {
    return this.storeProblem === undefined ? Promise.resolve(value) : Promise.reject(this.storeProblem);
  }

  private readonly schedule = (run: () => void, delayMs: number) => {
    const timer = { run, delayMs };
    this.planned.add(timer);
    return () => {
      this.planned.delete(timer);
    };
  };

  /** The delays of the timers that are set, in milliseconds. */
  get timers(): number[] {
    return [...this.planned].map(({ delayMs }) => delayMs);
  }

  ring(): void {
    for (const timer of [...this.planned]) {
      this.planned.delete(timer);
      timer.run();
    }
  }

  get fetches(): number {
    return this.asked.length;
  }

  publish(...keys: TestKey[]): void {
    this.body = { keys: keys.map(({ jwk }) => jwk) };
  }

  pass(seconds: number): void {
    this.now += seconds * 1000;
  }

  /** `found`, `unknown`, or the code of the refusal. */
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

beforeEach(() => {
  scene = new Scene();
});

/** Lets a refresh that nobody waits for come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1)
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
}

describe('a remote key set', () => {
  it('is fetched whole, once, when the first tokens come at once', async () => {
    scene.publish(first, second);
    const answers = await Promise.all(['first', 'second', 'first', undefined].map((kid) => scene.ask(kid)));
    expect(answers).toEqual(['found', 'found', 'found', 'found']);
    expect([scene.fetches, scene.located]).toEqual([1, 1]);
  });

  it('answers without waiting once it is there', async () => {
    await scene.ask('first');
    expect(scene.keys.keySetFor('first')).not.toBeInstanceOf(Promise);
  });

  it('is fetched again beside the requests that it serves, once it is old', async () => {
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

  it('loses a withdrawn key with the next fetch', async () => {
    scene.publish(first, second);
    await scene.ask('second');
    scene.publish(first);
    scene.pass(600);
    expect(await scene.ask('second')).toBe('found');
    await settled();
    scene.pass(30);
    expect(await scene.ask('second')).toBe('unknown');
  });

  it('keeps its keys when the same set comes again: nothing is imported twice', async () => {
    await scene.ask('first');
    const before = scene.keys.keySetFor('first');
    scene.pass(570);
    await scene.ask('first');
    await settled();
    expect(scene.fetches).toBe(2);
    expect(scene.keys.keySetFor('first')).toBe(before);
  });

  it('is asked for conditionally, and stays in service, fresh again, when it still holds (304)', async () => {
    scene.headers = { etag: '"v1"', 'last-modified': 'Tue, 24 Nov 2026 00:00:00 GMT' };
    await scene.ask('first');
    const before = scene.keys.keySetFor('first');
    scene.status = 304;
    scene.pass(570);
    await scene.ask('first');
    await settled();
    expect(scene.conditions).toEqual({
      'if-none-match': '"v1"',
      'if-modified-since': 'Tue, 24 Nov 2026 00:00:00 GMT',
    });
    expect(scene.keys.keySetFor('first')).toBe(before);
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
  ])('is fresh as long as the issuer says, within bounds: %s', async (cacheControl, seconds) => {
    scene.headers = { 'cache-control': cacheControl };
    await scene.ask('first');
    scene.pass(seconds - 1);
    await scene.ask('first');
    expect(scene.fetches).toBe(1);
    scene.pass(1);
    await scene.ask('first');
    await settled();
    expect(scene.fetches).toBe(2);
  });

  it('is asked for between 80 and 95 % of that time, so that a fleet does not ask at once', async () => {
    scene.random = 0;
    await scene.ask('first');
    scene.pass(479);
    await scene.ask('first');
    expect(scene.fetches).toBe(1);
    scene.pass(1);
    await scene.ask('first');
    await settled();
    expect(scene.fetches).toBe(2);
  });

  it('is asked for again when the clock was set back', async () => {
    await scene.ask('first');
    scene.pass(-3_600);
    await scene.ask('first');
    await settled();
    expect(scene.fetches).toBe(2);
  });

  it('is not trusted unseen after a long time without requests', async () => {
    await scene.ask('first');
    scene.publish(second);
    scene.pass(1_200);
    expect(await scene.ask('first')).toBe('unknown');
  });
});

describe('an unknown kid', () => {
  it('is looked for at once, so that a rotation is served within one fetch', async () => {
    await scene.ask('first');
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
    expect(scene.fetches).toBe(2);
  });

  it('causes one fetch in a cool-down, however many there are', async () => {
    await scene.ask('first');
    const flood = async () => {
      for (let index = 0; index < 200; index += 1) expect(await scene.ask(randomUUID())).toBe('unknown');
    };
    await flood();
    expect(scene.fetches).toBe(2);
    scene.pass(29);
    await flood();
    expect(scene.fetches).toBe(2);
    scene.pass(1);
    await flood();
    expect(scene.fetches).toBe(3);
  });

  it('that comes back is looked for again after 1, 2, 4, … seconds, five times in a cool-down', async () => {
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

  it('that a rotation brings in the middle of a flood is found when it comes back a second later', async () => {
    await scene.ask('first');
    await scene.ask(randomUUID());
    scene.publish(first, second);
    // The one fetch of the cool-down is spent, by a stranger.
    expect(await scene.ask('second')).toBe('unknown');
    for (let tenth = 0; tenth < 10; tenth += 1) {
      scene.pass(0.1);
      for (let index = 0; index < 20; index += 1) await scene.ask(randomUUID());
    }
    expect(await scene.ask('second')).toBe('found');
    expect(scene.fetches).toBe(3);
  });

  it('that comes all the time is looked for none the less', async () => {
    await scene.ask('first');
    await scene.ask(randomUUID());
    scene.publish(first, second);
    for (let tenth = 0; tenth < 10; tenth += 1) {
      expect(await scene.ask('second')).toBe('unknown');
      scene.pass(0.1);
    }
    expect(await scene.ask('second')).toBe('found');
  });

  it('that comes back cannot, together with others, cause more than six fetches in a cool-down', async () => {
    await scene.ask('first');
    const before = scene.fetches;
    const kids = Array.from({ length: 50 }, (_value, index) => `kid-${String(index)}`);
    // All of them are looked for by one fetch; then each comes back, again and again.
    await Promise.all(kids.map((kid) => scene.ask(kid)));
    for (let tenth = 0; tenth < 299; tenth += 1) {
      scene.pass(0.1);
      for (const kid of kids) await scene.ask(kid);
    }
    expect(scene.fetches - before).toBe(6);
  });

  it('is found although the issuer serves the old set and the new one in turn', async () => {
    await scene.ask('first');
    const [old, rotated] = [{ keys: [first.jwk] }, { keys: [second.jwk] }];
    const answers: string[] = [];
    for (let second = 0; second < 30; second += 1) {
      // Each worker of the issuer has a set of its own: every other answer is the old one.
      scene.body = scene.fetches % 2 === 1 ? old : rotated;
      answers.push(await scene.ask('second'));
      scene.pass(1);
    }
    expect(answers.slice(0, 3)).toEqual(['unknown', 'found', 'found']);
    expect(answers.filter((answer) => answer === 'found').length).toBeGreaterThan(25);
    expect(scene.fetches).toBeLessThanOrEqual(7);
  });

  it('that a stale worker of the issuer has withdrawn is found by its first request a second later', async () => {
    scene.publish(second);
    await scene.ask('second');
    scene.publish(first);
    scene.pass(570);
    await scene.ask('second');
    await settled();
    // Another kid spends the one fetch of this cool-down.
    await scene.ask(randomUUID());
    scene.publish(second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
  });

  it('is searched again after its pause when a changed set still lacks it', async () => {
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
  ])('of %i characters is %s a second later: longer ones are not remembered', async (length, outcome) => {
    const kid = 'k'.repeat(length);
    await scene.ask('first');
    await scene.ask(kid);
    scene.body = { keys: [{ ...second.jwk, kid }] };
    scene.pass(1);
    expect(await scene.ask(kid)).toBe(outcome);
  });

  it('finds keys that have moved when it is missed for the second time', async () => {
    await scene.ask('first');
    scene.movedTo = 'https://issuer.example.com/new-jwks';
    expect(await scene.ask('second')).toBe('unknown');
    expect(scene.located).toBe(1);
    scene.pass(1);
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
    expect([scene.located, scene.asked.at(-1)]).toEqual([2, 'https://issuer.example.com/new-jwks']);
  });

  it('may ask at once after a search that failed, since that has found nothing out', async () => {
    await scene.ask('first');
    scene.isDown = true;
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
    scene.isDown = false;
    scene.publish(first, second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
  });

  it('waits for the pause between attempts, as everybody does in an outage', async () => {
    await scene.ask('first');
    scene.isDown = true;
    await scene.ask('second');
    for (let index = 0; index < 50; index += 1) expect(await scene.ask(randomUUID())).toBe('KEYS_UNAVAILABLE');
    expect(scene.fetches).toBe(2);
  });

  it('never delays a known one', async () => {
    await scene.ask('first');
    let open: () => void = () => undefined;
    scene.gate = new Promise((resolve) => {
      open = resolve;
    });
    const waiting = scene.ask('random');
    expect(scene.keys.keySetFor('first')).not.toBeInstanceOf(Promise);
    open();
    expect(await waiting).toBe('unknown');
  });

  it('waits for a fetch that is under way', async () => {
    await scene.ask('first');
    let open: () => void = () => undefined;
    scene.gate = new Promise((resolve) => {
      open = resolve;
    });
    scene.publish(first, second);
    const answers = Promise.all([scene.ask('random'), scene.ask('second'), scene.ask('second')]);
    open();
    expect(await answers).toEqual(['unknown', 'found', 'found']);
    expect(scene.fetches).toBe(2);
  });

  it('is not called unknown while the issuer cannot be asked (KEYS_UNAVAILABLE)', async () => {
    await scene.ask('first');
    scene.isDown = true;
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
    expect(scene.fetches).toBe(2);
    expect(await scene.ask('first')).toBe('found');
  });
});

describe('an issuer that cannot be reached', () => {
  const retryAfter = async (): Promise<number | undefined> => {
    const error: unknown = await Promise.resolve(scene.keys.keySetFor('first')).catch((caught: unknown) => caught);
    expect((error as AuthError).code).toBe('KEYS_UNAVAILABLE');
    return (error as AuthError).retryAfterSeconds;
  };

  it('is asked again after a pause that grows from one second to five, and says when', async () => {
    scene.isDown = true;
    for (const [attempt, pause] of [1, 2, 4, 5, 5, 5].entries()) {
      expect([await retryAfter(), scene.fetches]).toEqual([pause, attempt + 1]);
      // Nobody gets through to the issuer before the pause is over.
      scene.pass(pause - 0.1);
      expect([await retryAfter(), scene.fetches]).toEqual([1, attempt + 1]);
      scene.pass(0.1);
    }
    scene.isDown = false;
    expect(await scene.ask('first')).toBe('found');
  });

  it('leaves the last set in service for maxStaleSeconds, and then answers KEYS_UNAVAILABLE', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(600);
    expect(await scene.ask('first')).toBe('found');
    await settled();
    scene.pass(2_999);
    expect(await scene.ask('first')).toBe('found');
    await settled();
    scene.pass(1);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.isDown = false;
    scene.pass(30);
    expect(await scene.ask('first')).toBe('found');
  });

  it('leaves the last set in service only while it is fresh with maxStaleSeconds 0', async () => {
    scene.maxStaleSeconds = 0;
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(599);
    expect(await scene.ask('first')).toBe('found');
    await settled();
    scene.pass(1);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
  });

  it('that answers after the deadline is not heard any more: its old set replaces nothing', async () => {
    let open: () => void = () => undefined;
    scene.gate = new Promise((resolve) => {
      open = resolve;
    });
    // A `fetch` that does not look at its signal, and answers when it likes.
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.gate = undefined;
    scene.publish(second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
    open();
    await settled();
    expect(scene.keys.keySetFor('second')).not.toBeInstanceOf(Promise);
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', failures: 0 });
  });

  it('is found again at a new address', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(600);
    await scene.ask('first');
    await settled();
    scene.isDown = false;
    scene.pass(1);
    await scene.ask('first');
    await settled();
    expect(scene.located).toBe(2);
  });

  it('is reported once a failed fetch, with the reason', async () => {
    scene.isDown = true;
    await Promise.all([scene.ask('first'), scene.ask('first')]);
    expect(scene.problems).toEqual([
      'Keys of https://issuer.example.com cannot be fetched: https://issuer.example.com/jwks: fetch failed',
    ]);
  });
});

describe('a set that is no good', () => {
  const unusable: [string, unknown][] = [
    ['that is empty', { keys: [] }],
    ['without keys', {}],
    ['that is null', null],
    ['that is a list', [first.jwk]],
    ['whose keys are no list', { keys: { 0: first.jwk } }],
    ['whose keys are text', { keys: 'none' }],
    ['that is an error with status 200', { error: 'server_error' }],
    ['with keys for encryption only', { keys: [{ ...first.jwk, use: 'enc' }] }],
    ['with symmetric keys only', { keys: [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }] }],
    ['with null only', { keys: [null] }],
  ];

  it.each(unusable)('%s, replaces nothing', async (_what, body) => {
    await scene.ask('first');
    const before: KeySet | Promise<KeySet> = scene.keys.keySetFor('first');
    scene.body = body;
    scene.pass(600);
    await scene.ask('first');
    await settled();
    expect(scene.fetches).toBe(2);
    expect(scene.keys.keySetFor('first')).toBe(before);
    expect(scene.problems).toHaveLength(1);
  });

  it.each(unusable)('%s, is as good as none at the start (KEYS_UNAVAILABLE)', async (_what, body) => {
    scene.body = body;
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
  });

  it('in part, serves with the rest of it', async () => {
    scene.body = { keys: [null, 7, 'x', [], { kty: 'EC' }, { kty: 'RSA', n: 1 }, first.jwk, {}] };
    expect(await scene.ask('first')).toBe('found');
  });
});

describe('keys that are there before the issuer was asked', () => {
  const stored = (seconds: number, ...keys: TestKey[]): StoredKeys => ({
    fetchedAtMs: scene.now - seconds * 1000,
    origin: ORIGIN,
    jwks: { keys: keys.map(({ jwk }) => jwk) },
  });

  it('are loaded from the store and serve at once while they are fresh', async () => {
    scene.stored = stored(100, first);
    // The issuer does not answer, and nobody waits for it.
    scene.gate = new Promise(() => undefined);
    expect(await scene.ask('first')).toBe('found');
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', source: 'store', ageSeconds: 100 });
  });

  it('serve in an outage until maxStaleSeconds after they were fetched, whichever process did that', async () => {
    scene.stored = stored(3_590, first);
    scene.isDown = true;
    expect(await scene.ask('first')).toBe('found');
    expect(scene.keys.health()).toMatchObject({ state: 'stale', source: 'store', lastErrorCode: 'NETWORK' });
    scene.pass(10);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
  });

  it('are not trusted unseen when they are old: the issuer is asked first', async () => {
    scene.stored = stored(1_200, first);
    scene.publish(second);
    expect(await scene.ask('first')).toBe('unknown');
    expect(scene.keys.health()).toMatchObject({ source: 'issuer' });
  });

  it.each([
    ['of another time', () => stored(-1, first)],
    ['without a time', () => ({ ...stored(0, first), fetchedAtMs: NaN })],
    ['whose time is text', () => ({ ...stored(0, first), fetchedAtMs: String(scene.now) }) as unknown as StoredKeys],
    ['without a usable key', () => ({ ...stored(0), jwks: { keys: [null, { kty: 'oct', k: 'x' }] } })],
    ['that are no key set', () => ({ ...stored(0), jwks: null }) as unknown as StoredKeys],
    ['past maxStaleSeconds', () => stored(3_600, first)],
    ['that came another way', () => ({ ...stored(0, first), origin: 'jwks https://old.example.com/jwks' })],
    ['that are text', () => 'keys' as unknown as StoredKeys],
    ['that are no value', () => '' as unknown as StoredKeys],
    ['that are null', () => null as unknown as StoredKeys],
    ['that are false', () => 0 as unknown as StoredKeys],
  ])('do not serve %s', async (_what, given) => {
    scene.stored = given();
    scene.isDown = true;
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
  });

  it('that cannot be loaded are reported, and are as good as none', async () => {
    scene.storeProblem = new Error('the disk is gone');
    expect(await scene.ask('first')).toBe('found');
    await settled();
    expect(scene.problems).toEqual([
      'The stored keys of https://issuer.example.com cannot be used: the disk is gone',
      'The keys of https://issuer.example.com cannot be stored: the disk is gone',
    ]);
  });

  it('are saved after each fetch, also when the set still holds, and without private members', async () => {
    const leaked = { ...newKey('p-256', { kid: 'leaked' }).jwk, d: 'secret' };
    scene.body = { keys: [first.jwk, leaked] };
    scene.headers = { etag: '"v1"' };
    await scene.ask('first');
    await settled();
    expect(scene.saved).toEqual([{ fetchedAtMs: scene.now, origin: ORIGIN, jwks: { keys: [first.jwk] } }]);
    scene.status = 304;
    scene.pass(570);
    await scene.ask('first');
    await settled();
    expect(scene.saved[1]).toEqual({ fetchedAtMs: scene.now, origin: ORIGIN, jwks: { keys: [first.jwk] } });
  });

  it('are the pinned ones when there is nothing better, and never again once the issuer has answered', async () => {
    scene.fallback = new KeySet([second.jwk]);
    scene.isDown = true;
    expect(await scene.ask('second')).toBe('found');
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    expect(scene.keys.health()).toEqual({
      issuer: 'https://issuer.example.com',
      isConfigured: true,
      state: 'stale',
      source: 'fallback',
      ageSeconds: undefined,
      failures: 1,
      lastErrorCode: 'NETWORK',
    });
    scene.isDown = false;
    scene.pass(1);
    await scene.ask('second');
    await settled();
    expect(await scene.ask('second')).toBe('unknown');
    scene.isDown = true;
    scene.pass(3_600);
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
  });

  it('are stored ones rather than pinned ones', async () => {
    scene.fallback = new KeySet([second.jwk]);
    scene.stored = stored(2_000, first);
    scene.isDown = true;
    expect(await scene.ask('first')).toBe('found');
    expect(await scene.ask('second')).toBe('KEYS_UNAVAILABLE');
  });
});

describe('between requests', () => {
  it('nothing is planned before the first fetch', () => {
    scene.isPolling = true;
    scene.keys.health();
    expect(scene.timers).toEqual([]);
  });

  it('the set is fetched in time, so that no request waits for it', async () => {
    scene.isPolling = true;
    await scene.ask('first');
    expect(scene.timers).toEqual([570_000]);
    scene.publish(second);
    scene.pass(570);
    scene.ring();
    await settled();
    expect(scene.fetches).toBe(2);
    expect(await scene.ask('first')).toBe('unknown');
  });

  it('attempts go on in an outage, after pauses of up to half a minute while keys serve', async () => {
    scene.isPolling = true;
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(570);
    scene.ring();
    await settled();
    for (const pause of [1, 2, 4, 8, 16, 30, 30]) {
      expect(scene.timers).toEqual([pause * 1_000]);
      scene.pass(pause);
      scene.ring();
      await settled();
    }
    scene.isDown = false;
    scene.pass(30);
    scene.ring();
    await settled();
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', failures: 0, lastErrorCode: undefined });
  });

  it('a timer that rings too early is set again, and asks nobody', async () => {
    scene.isPolling = true;
    await scene.ask('first');
    scene.pass(100);
    scene.ring();
    await settled();
    expect([scene.fetches, scene.timers]).toEqual([1, [470_000]]);
  });

  it('nothing is left when it is closed, and nobody is asked any more', async () => {
    scene.isPolling = true;
    await scene.ask('first');
    await scene.keys.close();
    expect(scene.timers).toEqual([]);
    scene.pass(600);
    expect(await scene.ask('first')).toBe('found');
    await settled();
    expect(scene.timers).toEqual([]);
    expect(scene.problems).toEqual([]);
  });
});

describe('a store', () => {
  it('that returns null, as many do for what they do not have, has nothing', async () => {
    scene.stored = null as unknown as StoredKeys;
    expect(await scene.ask('first')).toBe('found');
    expect(scene.problems).toEqual([]);
  });

  it('that is slow gets the newest set last, whatever was fetched meanwhile', async () => {
    let stored: () => void = () => undefined;
    scene.storing = new Promise((resolve) => {
      stored = resolve;
    });
    await scene.ask('first');
    for (const key of [second, first]) {
      scene.publish(key);
      scene.pass(570);
      await scene.ask('first');
      await settled();
    }
    expect(scene.saved).toHaveLength(1);
    stored();
    scene.storing = undefined;
    await settled();
    // The one between is not worth the time.
    expect(scene.saved.map(({ jwks }) => jwks.keys)).toEqual([[first.jwk], [first.jwk]]);
  });
});

describe('the log', () => {
  it('says once that the issuer fails, again when it does otherwise, now and then that it goes on, and when it is back', async () => {
    scene.isPolling = true;
    await scene.ask('first');
    scene.isDown = true;
    const ringFor = async (seconds: number) => {
      for (let past = 0; past < seconds; past += 30) {
        scene.pass(30);
        scene.ring();
        await settled();
      }
    };
    scene.pass(570);
    await ringFor(1_200);
    // At the beginning, and ten minutes later.
    expect(scene.problems).toHaveLength(2);
    scene.isDown = false;
    scene.status = 500;
    await ringFor(60);
    expect(scene.problems).toHaveLength(3);
    scene.status = 200;
    await ringFor(30);
    expect(scene.problems.at(-1)).toMatch(
      /^Keys of https:\/\/issuer\.example\.com can be fetched again, after \d+ failed/,
    );
  });

  it('reports an outage again when the keys run out', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(3_599);
    await scene.ask('first');
    await settled();
    expect(scene.problems).toHaveLength(1);
    scene.pass(1);
    await scene.ask('first');
    expect(scene.problems).toHaveLength(2);
  });

  it('says once of a set that some of its keys are of no use', async () => {
    scene.body = { keys: [first.jwk, { ...second.jwk, use: 'enc' }] };
    for (let turn = 0; turn < 3; turn += 1) {
      await scene.ask('first');
      await settled();
      scene.pass(570);
    }
    expect(scene.problems).toEqual([
      'Keys of https://issuer.example.com are in part of no use: "second" is not for signatures (use)',
    ]);
  });
});

describe('a clock that is set back', () => {
  it('does not block the search for a new key', async () => {
    await scene.ask('first');
    scene.pass(100);
    await scene.ask(randomUUID());
    scene.pass(-100);
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
  });

  it('does not block the retry of a missed kid', async () => {
    await scene.ask('first');
    await scene.ask(randomUUID());
    scene.pass(20);
    await scene.ask('second');
    scene.pass(-10);
    scene.publish(first, second);
    expect(await scene.ask('second')).toBe('found');
  });
});

describe('metadata that are slow', () => {
  it('leave time for the keys, where those were', async () => {
    await scene.ask('first');
    scene.isDown = true;
    scene.pass(570);
    await scene.ask('first');
    await settled();
    scene.isDown = false;
    scene.located = 0;
    scene.locating = new Promise(() => undefined);
    scene.publish(first, second);
    scene.pass(1);
    expect(await scene.ask('second')).toBe('found');
    expect(scene.located).toBe(1);
  });
});

describe('closing', () => {
  it('waits for a set that is being stored', async () => {
    let stored: () => void = () => undefined;
    scene.storing = new Promise((resolve) => {
      stored = resolve;
    });
    await scene.ask('first');
    let isClosed = false;
    const closed = scene.keys.close().then(() => {
      isClosed = true;
    });
    await settled();
    expect(isClosed).toBe(false);
    stored();
    await closed;
  });

  it('asks nobody after it, not even with a fetch that does not look at its signal', async () => {
    await scene.keys.close();
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    expect(scene.fetches).toBe(0);
  });
});

describe('warmUp', () => {
  it('fetches the keys before anybody asks', async () => {
    await scene.keys.warmUp();
    expect(scene.fetches).toBe(1);
    expect(scene.keys.keySetFor('first')).not.toBeInstanceOf(Promise);
  });

  it('that fails leaves the first request free to ask at once', async () => {
    scene.isDown = true;
    await scene.keys.warmUp();
    expect(scene.keys.health()).toMatchObject({ state: 'unavailable', failures: 1, lastErrorCode: 'NETWORK' });
    scene.isDown = false;
    expect(await scene.ask('first')).toBe('found');
  });

  it('that fails does not shorten the Retry-After of the issuer', async () => {
    scene.status = 429;
    scene.headers = { 'retry-after': '17' };
    await scene.keys.warmUp();
    scene.status = 200;
    scene.pass(16.9);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.pass(0.1);
    expect(await scene.ask('first')).toBe('found');
  });

  it('fetches nothing before notBefore', async () => {
    scene.notBefore = scene.now + 1;
    await scene.keys.warmUp();
    expect(scene.fetches).toBe(0);
  });

  it('takes stored keys when the issuer cannot be reached', async () => {
    scene.stored = { fetchedAtMs: scene.now, origin: ORIGIN, jwks: { keys: [first.jwk] } };
    scene.isDown = true;
    await scene.keys.warmUp();
    expect(scene.keys.health()).toMatchObject({ state: 'fresh', source: 'store', failures: 1 });
  });
});

describe('an issuer that asks to wait', () => {
  it.each([
    ['17', 17],
    ['3600', 60],
    ['0', 1],
    ['-5', 1],
    ['12x', 1],
    ['1.5', 1],
    ['1234567', 1],
    ['Tue, 24 Nov 2026 23:59:59 GMT', 1],
  ])('is given that time, a minute at most: Retry-After %s', async (value, seconds) => {
    scene.status = 429;
    scene.headers = { 'retry-after': value };
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.status = 200;
    scene.pass(seconds - 0.1);
    expect(await scene.ask('first')).toBe('KEYS_UNAVAILABLE');
    scene.pass(0.1);
    expect(await scene.ask('first')).toBe('found');
  });
});
