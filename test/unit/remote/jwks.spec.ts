import { beforeEach, describe, expect, it } from '@jest/globals';
import { AuthError } from '../../../src/errors.js';
import { RemoteKeys } from '../../../src/remote/jwks.js';
import type { KeySet } from '../../../src/keys/key-set.js';
import { newKey, type TestKey } from '../../support/local-issuer.js';

const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
const POLICY = { refreshSeconds: 600, staleSeconds: 3_600, cooldownSeconds: 30, timeoutMs: 1_000 };

/** An issuer that is not there: a function in place of the network, and a clock that a test moves. */
class Scene {
  now = 1_000_000;
  body: unknown = { keys: [first.jwk] };
  isDown = false;
  fetches = 0;
  located = 0;
  readonly problems: string[] = [];
  /** While set, answers wait for it. */
  gate: Promise<void> | undefined;

  readonly keys = new RemoteKeys({
    ...POLICY,
    issuer: 'https://issuer.example.com',
    clock: () => this.now,
    locate: () => {
      this.located += 1;
      return 'https://issuer.example.com/jwks';
    },
    onProblem: (problem) => this.problems.push(problem),
    fetch: async () => {
      this.fetches += 1;
      const { isDown, body } = this;
      await this.gate;
      if (isDown) throw new TypeError('fetch failed');
      return Response.json(body);
    },
  });

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
    scene.pass(599);
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
      for (let index = 0; index < 200; index += 1) expect(await scene.ask(`random-${String(index)}`)).toBe('unknown');
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

  it('is asked again after a pause that grows from one second to half a minute, and says when', async () => {
    scene.isDown = true;
    for (const [attempt, pause] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      expect([await retryAfter(), scene.fetches]).toEqual([pause, attempt + 1]);
      // Nobody gets through to the issuer before the pause is over.
      scene.pass(pause - 0.1);
      expect([await retryAfter(), scene.fetches]).toEqual([1, attempt + 1]);
      scene.pass(0.1);
    }
    scene.isDown = false;
    expect(await scene.ask('first')).toBe('found');
  });

  it('leaves the last set in service for staleSeconds, and then answers KEYS_UNAVAILABLE', async () => {
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
