import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AccessTokenVerifier,
  type AuthOptions,
  ConfigurationError,
  type ConfigurationProblem,
  FileKeyStore,
  type IssuerOptions,
  type KeyStore,
} from '../../src/index.js';
import { PLATFORMS, closeApps } from '../support/app.js';
import { fault, FAULTS, FaultyIssuer, KEYS } from '../support/faulty-issuer.js';
import { AUDIENCE, Clock, type GuardedApp, lastingToken, startGuarded, until } from '../support/guarded-app.js';
import { newKey } from '../support/local-issuer.js';
import { outcomeOf } from '../support/verifier.js';

const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
const UNAVAILABLE = '503 KEYS_UNAVAILABLE';
/** Whoever sits this out fails the test. */
const NEVER_MS = 60_000;
let issuer: FaultyIssuer;
let good: string;

beforeEach(async () => {
  issuer = await FaultyIssuer.start([first]);
  good = lastingToken(issuer, first);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await closeApps();
  await issuer.stop();
});

const allEnded = () => until(() => issuer.openExchanges === 0);
const isFresh = (app: GuardedApp) => until(() => app.health()[0]?.state === 'fresh');

/** What a start complains about. A start that succeeds, or fails otherwise, fails the test. */
async function problemsOfStart(starting: Promise<unknown>): Promise<readonly ConfigurationProblem[]> {
  const error: unknown = await starting.then(
    () => new Error('the application has started'),
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigurationError) return error.problems;
  throw error;
}

const oneOf = (from: string, keys: IssuerOptions['keys'] = { from: 'discovery' }): IssuerOptions => ({
  issuer: from,
  audience: AUDIENCE,
  keys,
});

describe.each(PLATFORMS)("warmUp: 'required' on %s", (platform) => {
  const options: Partial<AuthOptions> = { warmUp: 'required' };

  it.each(Object.entries(FAULTS))('does not let the application start while the issuer %s', async (_what, given) => {
    issuer.fail(given, KEYS);
    const keys = given.isEndless === true ? { timeoutMs: 100 } : {};
    const problems = await problemsOfStart(startGuarded(issuer.url, { platform, keys, options }));
    expect(problems.map(({ path }) => path)).toEqual(['warmUp']);
    expect(problems[0]?.message).toContain(issuer.url);
    expect(problems[0]?.message).toContain(`(${given.code};`);
    await allEnded();
  });

  it('names each issuer whose keys cannot be had, and no other', async () => {
    const [down, other] = await Promise.all([FaultyIssuer.start(), FaultyIssuer.start([second])]);
    down.failEverywhere(fault('answers 500'));
    const pinned = oneOf('https://pinned.example.com', { from: 'static', jwks: { keys: [first.jwk as never] } });
    const issuers = [oneOf(issuer.url), oneOf(down.url), pinned, oneOf(other.url, { from: 'jwks', uri: down.url })];
    const problems = await problemsOfStart(startGuarded(issuers, { platform, options }));
    expect(problems).toHaveLength(2);
    expect(problems[0]?.message).toContain(`${down.url} cannot be fetched (STATUS;`);
    expect(problems[1]?.message).toContain(`${other.url} cannot be fetched (STATUS;`);
    await Promise.all([down.stop(), other.stop()]);
  });

  it('has the keys before the application starts: the first token is not waited with', async () => {
    const app = await startGuarded(issuer.url, { platform, options });
    issuer.failEverywhere(fault('never answers'));
    expect(app.health()).toMatchObject([{ state: 'fresh', source: 'issuer' }]);
    expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(1);
  });

  it('fetches the keys of all issuers at once', async () => {
    const others = await Promise.all([FaultyIssuer.start([second]), FaultyIssuer.start([second])]);
    for (const other of others) {
      other.handlers.set(KEYS, (_request, response) => {
        // Nobody is answered before everybody has asked.
        void until(() => others.every(({ fetches }) => fetches === 1)).then(() => {
          response.writeHead(200).end(JSON.stringify({ keys: other.keys }));
        });
      });
    }
    const app = await startGuarded([oneOf(issuer.url), ...others.map(({ url }) => oneOf(url))], { platform, options });
    expect(app.health().map(({ state }) => state)).toEqual(['fresh', 'fresh', 'fresh']);
    await Promise.all(others.map((other) => other.stop()));
  });

  it('starts with the fallback keys while the issuer is down, and serves with them until it is back', async () => {
    issuer.failEverywhere(fault('drops every connection'));
    const fallback = { keys: [first.jwk as never] };
    const app = await startGuarded(issuer.url, { platform, options, keys: { fallback } });
    expect(app.health()).toMatchObject([{ state: 'stale', source: 'fallback', lastErrorCode: 'NETWORK' }]);
    expect(await app.outcome(good)).toBe('200');
    // The first request asks once more, and does not wait for it.
    await until(() => app.health()[0]?.failures === 2);
    issuer.recover();
    issuer.publish(second);
    app.clock.pass(60);
    await app.outcome(good);
    await isFresh(app);
    // What the issuer has once published counts more.
    expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('starts with static keys and with a resolver, for which there is nothing to fetch', async () => {
    const pinned = oneOf(issuer.url, { from: 'static', jwks: { keys: [first.jwk as never] } });
    for (const issuers of [[pinned], () => oneOf(issuer.url)]) {
      await (await startGuarded(issuers, { platform, options })).close();
    }
    expect(issuer.requests).toEqual([]);
  });
});

describe("warmUp: 'background'", () => {
  const options: Partial<AuthOptions> = { warmUp: 'background' };

  it('has the keys before the first token comes', async () => {
    const app = await startGuarded(issuer.url, { options });
    await isFresh(app);
    issuer.failEverywhere(fault('never answers'));
    expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(1);
  });

  it('delays no start while the issuer never answers, and lets it go on close', async () => {
    issuer.failEverywhere(fault('never answers'));
    const app = await startGuarded(issuer.url, { options, keys: { timeoutMs: NEVER_MS } });
    await until(() => issuer.openExchanges === 1);
    await app.close();
    await allEnded();
  });

  it('says in the log that an issuer is down, before any token comes; the first token asks it again at once', async () => {
    const warnings: string[] = [];
    const warn = (line: string) => warnings.push(line);
    const logger: LoggerService = { log: () => undefined, error: () => undefined, warn };
    issuer.failEverywhere(fault('answers 500'));
    const app = await startGuarded(issuer.url, { options, logger });
    await until(() => app.health()[0]?.failures === 1);
    expect(warnings).toEqual([expect.stringContaining(`Keys of ${issuer.url} cannot be fetched: `)]);
    issuer.recover();
    expect(await app.outcome(good)).toBe('200');
  });
});

describe("warmUp: 'off', the default", () => {
  it('asks nobody before the first token comes', async () => {
    const app = await startGuarded(issuer.url);
    expect(app.health()).toMatchObject([
      {
        issuer: issuer.url,
        state: 'unavailable',
        source: undefined,
        ageSeconds: undefined,
        failures: 0,
        lastErrorCode: undefined,
      },
    ]);
    expect(issuer.requests).toEqual([]);
    expect(await app.outcome(good)).toBe('200');
  });
});

describe('a FileKeyStore', () => {
  let parent: string;
  let folder: string;
  let options: Partial<AuthOptions>;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'key-store-'));
    folder = join(parent, 'keys');
    options = { keyStore: new FileKeyStore(folder) };
  });

  afterEach(async () => {
    await closeApps();
    // What was being saved is still written: a folder in which a file appears meanwhile is tried again.
    await rm(parent, { recursive: true, maxRetries: 20, retryDelay: 50 });
  });

  /** Waits for what was fetched now to be in the folder, and returns where. */
  async function saved(clock: Clock): Promise<string> {
    for (;;) {
      const [name = ''] = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
      const path = join(folder, name);
      const text = name === '' ? '' : await readFile(path, 'utf8');
      if (text.includes(`"fetchedAtMs":${String(clock.read())}`)) return path;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** An application that has fetched, saved and ended. */
  async function hasRun(clock: Clock): Promise<string> {
    const app = await startGuarded(issuer.url, { clock, options });
    expect(await app.outcome(good)).toBe('200');
    const path = await saved(clock);
    await app.close();
    return path;
  }

  it.each(['required', 'background', 'off'] as const)(
    'lets an application that starts while the issuer is down serve, with warmUp %s',
    async (warmUp) => {
      const clock = new Clock();
      await hasRun(clock);
      issuer.failEverywhere(fault('drops every connection'));
      clock.pass(100);
      const app = await startGuarded(issuer.url, { clock, options: { ...options, warmUp } });
      expect(await app.outcome(good)).toBe('200');
      expect(app.health()).toMatchObject([{ state: 'fresh', source: 'store', ageSeconds: 100 }]);
    },
  );

  it('does not prolong the time for which the keys serve', async () => {
    const clock = new Clock();
    await hasRun(clock);
    issuer.failEverywhere(fault('answers 500'));
    clock.pass(3_599);
    const app = await startGuarded(issuer.url, { clock, options: { ...options, warmUp: 'required' } });
    expect(await app.outcome(good)).toBe('200');
    expect(app.health()).toMatchObject([{ state: 'stale', source: 'store', lastErrorCode: 'STATUS' }]);
    clock.pass(1);
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
    await app.close();
    const again = startGuarded(issuer.url, { clock, options: { ...options, warmUp: 'required' } });
    expect(await problemsOfStart(again)).toHaveLength(1);
  });

  it('gives way to the issuer as soon as it answers', async () => {
    const clock = new Clock();
    await hasRun(clock);
    issuer.publish(second);
    clock.pass(600);
    const app = await startGuarded(issuer.url, { clock, options: { ...options, warmUp: 'required' } });
    expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
    expect(app.health()).toMatchObject([{ source: 'issuer' }]);
    expect(JSON.parse(await readFile(await saved(clock), 'utf8'))).toMatchObject({ jwks: { keys: [second.jwk] } });
  });

  it('writes for its owner alone, public keys only, and leaves nothing else behind', async () => {
    issuer.publish(first, { ...second.privateKey.export({ format: 'jwk' }), kid: 'second' });
    const path = await hasRun(new Clock());
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe('700');
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ issuer: issuer.url, jwks: { keys: [first.jwk] } });
    expect(await readdir(folder)).toHaveLength(1);
  });

  it.each([
    ['is damaged', '{"issuer":"'],
    ['belongs to another issuer', JSON.stringify({ issuer: 'x', fetchedAtMs: 1, jwks: { keys: [first.jwk] } })],
  ])('whose file %s is as good as empty', async (_what, text) => {
    const clock = new Clock();
    const path = await hasRun(clock);
    await writeFile(path, text);
    issuer.failEverywhere(fault('answers 500'));
    const app = await startGuarded(issuer.url, { clock, options });
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
    issuer.recover();
    clock.pass(1);
    expect(await app.outcome(good)).toBe('200');
    expect(await saved(clock)).toBe(path);
  });

  it('whose folder cannot be made refuses no token', async () => {
    await writeFile(folder, 'a file');
    const app = await startGuarded(issuer.url, { options });
    expect(await app.outcome(good)).toBe('200');
  });
});

describe('a store of the application', () => {
  it('that never answers is waited for until the deadline, and the issuer serves', async () => {
    const never = () => new Promise<never>(() => undefined);
    const keyStore: KeyStore = { load: never, save: never };
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: 200 }, options: { keyStore } });
    expect(await app.outcome(good)).toBe('200');
  });
});

describe('an application that is closed', () => {
  /** The timers that are set from now on with such a delay, and whether they were cleared since. */
  function watchTimers(isMeant: (delayMs: number) => boolean): () => { hasRef: boolean; isCleared: boolean }[] {
    const [set, clear] = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'clearTimeout')];
    return () =>
      set.mock.calls.flatMap(([, delayMs = 0], call) => {
        if (!isMeant(delayMs)) return [];
        const timer = set.mock.results[call]?.value as NodeJS.Timeout;
        return [{ hasRef: timer.hasRef(), isCleared: clear.mock.calls.some(([cleared]) => cleared === timer) }];
      });
  }

  it('leaves no timer behind, and while it runs its timers keep no process alive', async () => {
    // The next refresh: 80 to 95 % of ten minutes from now.
    const timers = watchTimers((delayMs) => delayMs >= 480_000 && delayMs <= 570_000);
    const app = await startGuarded(issuer.url, { options: { warmUp: 'required' } });
    expect(timers()).toEqual([{ hasRef: false, isCleared: false }]);
    await app.close();
    expect(timers()).toEqual([{ hasRef: false, isCleared: true }]);
  });

  it('leaves no timer behind when it could not even start', async () => {
    // The next attempt: a second from now, for each of both.
    const timers = watchTimers((delayMs) => delayMs === 1_000);
    const issuers = [oneOf(issuer.url), oneOf(`${issuer.url}/other`)];
    issuer.failEverywhere(fault('answers 500'));
    await problemsOfStart(startGuarded(issuers, { options: { warmUp: 'required' } }));
    expect(timers().map(({ isCleared }) => isCleared)).toEqual([true, true]);
  });

  it.each(Object.entries(FAULTS).filter(([, { isEndless }]) => isEndless === true))(
    'breaks off the fetch of an issuer that %s, and answers who still waits for it',
    async (_what, endless) => {
      const app = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS } });
      issuer.fail(endless, KEYS);
      const waiting = outcomeOf(app.get(AccessTokenVerifier).verify(good));
      await until(() => issuer.fetches === 1);
      await app.close();
      expect(await waiting).toBe('KEYS_UNAVAILABLE');
      await allEnded();
    },
  );

  it('asks nobody any more', async () => {
    const app = await startGuarded(issuer.url, { options: { warmUp: 'required' } });
    const verifier = app.get(AccessTokenVerifier);
    await app.close();
    const asked = issuer.requests.length;
    app.clock.pass(600);
    expect(await outcomeOf(verifier.verify(good))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(lastingToken(issuer, second)))).toBe('KEYS_UNAVAILABLE');
    await allEnded();
    expect(issuer.requests).toHaveLength(asked);
  });
});
