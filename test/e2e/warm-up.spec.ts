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
import { fault, FAULTS, FaultyIssuer, KEYS, METADATA } from '../support/faulty-issuer.js';
import { Clock, type GuardedApp, lastingToken, startGuarded } from '../support/guarded-app.js';
import { until } from '../support/until.js';
import { newKey, AUDIENCE } from '../support/local-issuer.js';
import { outcomeOf } from '../support/verifier.js';

const [first, second] = [newKey('p-256', { kid: 'first' }), newKey('p-256', { kid: 'second' })];
const UNAVAILABLE = '503 KEYS_UNAVAILABLE';
/** Longer than any test. */
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

/** Returns the problems of a failed start. A start that succeeds, or fails for another reason, fails the test. */
async function problemsOfStart(starting: Promise<unknown>): Promise<readonly ConfigurationProblem[]> {
  const error: unknown = await starting.then(
    () => new Error('the application has started'),
    (reason: unknown) => reason,
  );
  if (error instanceof ConfigurationError) return error.problems;
  throw error;
}

const issuerOptions = (from: string, keys: IssuerOptions['keys'] = { from: 'discovery' }): IssuerOptions => ({
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

  it('names each issuer whose keys are unavailable, and no other', async () => {
    const [down, other] = await Promise.all([FaultyIssuer.start(), FaultyIssuer.start([second])]);
    down.failEverywhere(fault('answers 500'));
    const pinned = issuerOptions('https://pinned.example.com', {
      from: 'static',
      jwks: { keys: [first.jwk as never] },
    });
    const issuers = [
      issuerOptions(issuer.url),
      issuerOptions(down.url),
      pinned,
      issuerOptions(other.url, { from: 'jwks', uri: down.url }),
    ];
    const problems = await problemsOfStart(startGuarded(issuers, { platform, options }));
    expect(problems).toHaveLength(2);
    expect(problems[0]?.message).toContain(`${down.url} cannot be fetched (STATUS;`);
    expect(problems[1]?.message).toContain(`${other.url} cannot be fetched (STATUS;`);
    await Promise.all([down.stop(), other.stop()]);
  });

  it('fetches the keys before the application starts, so that the first token does not wait', async () => {
    const app = await startGuarded(issuer.url, { platform, options });
    issuer.failEverywhere(fault('never answers'));
    expect(app.health()).toMatchObject([{ state: 'fresh', source: 'issuer' }]);
    expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(1);
  });

  it('fetches the keys of all issuers at the same time', async () => {
    const others = await Promise.all([FaultyIssuer.start([second]), FaultyIssuer.start([second])]);
    for (const other of others) {
      other.handlers.set(KEYS, (_request, response) => {
        // Respond only when both have been requested.
        void until(() => others.every(({ fetches }) => fetches === 1)).then(() => {
          response.writeHead(200).end(JSON.stringify({ keys: other.keys }));
        });
      });
    }
    const app = await startGuarded([issuerOptions(issuer.url), ...others.map(({ url }) => issuerOptions(url))], {
      platform,
      options,
    });
    expect(app.health().map(({ state }) => state)).toEqual(['fresh', 'fresh', 'fresh']);
    await Promise.all(others.map((other) => other.stop()));
  });

  it('starts with the fallback keys while the issuer is down, and uses them until it recovers', async () => {
    issuer.failEverywhere(fault('drops every connection'));
    const fallback = { keys: [first.jwk as never] };
    const app = await startGuarded(issuer.url, { platform, options, keys: { fallback } });
    expect(app.health()).toMatchObject([{ state: 'stale', source: 'fallback', lastErrorCode: 'NETWORK' }]);
    expect(await app.outcome(good)).toBe('200');
    // The first request causes another attempt, and does not wait for it.
    await until(() => app.health()[0]?.failures === 2);
    issuer.recover();
    issuer.publish(second);
    app.clock.pass(60);
    await app.outcome(good);
    await isFresh(app);
    // Published keys replace the fallback keys.
    expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
    expect(await app.outcome(lastingToken(issuer, second))).toBe('200');
  });

  it('starts with static keys, and with a resolver, without a request', async () => {
    const pinned = issuerOptions(issuer.url, { from: 'static', jwks: { keys: [first.jwk as never] } });
    for (const issuers of [[pinned], () => issuerOptions(issuer.url)]) {
      await (await startGuarded(issuers, { platform, options })).close();
    }
    expect(issuer.requests).toEqual([]);
  });
});

describe("warmUp: 'background'", () => {
  const options: Partial<AuthOptions> = { warmUp: 'background' };

  it('fetches the keys before the first token is received', async () => {
    const app = await startGuarded(issuer.url, { options });
    await isFresh(app);
    issuer.failEverywhere(fault('never answers'));
    expect(await app.outcome(good)).toBe('200');
    expect(issuer.fetches).toBe(1);
  });

  it('does not delay the start while the issuer never answers, and ends the request on close', async () => {
    issuer.failEverywhere(fault('never answers'));
    const app = await startGuarded(issuer.url, { options, keys: { timeoutMs: NEVER_MS } });
    await until(() => issuer.openExchanges === 1);
    await app.close();
    await allEnded();
  });

  it('logs that an issuer is down before the first token, which causes another attempt immediately', async () => {
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
    // A save may still be in progress: retry if a file appears in the folder in the meantime.
    await rm(parent, { recursive: true, maxRetries: 20, retryDelay: 50 });
  });

  /** Waits until the keys fetched now are in the folder, and returns the path of the file. */
  async function saved(clock: Clock): Promise<string> {
    for (;;) {
      const [name = ''] = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json'));
      const path = join(folder, name);
      const text = name === '' ? '' : await readFile(path, 'utf8');
      if (text.includes(`"fetchedAtMs":${String(clock.read())}`)) return path;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Runs an application until it has fetched and saved the keys, and returns the path of the file. */
  async function hasRun(clock: Clock): Promise<string> {
    const app = await startGuarded(issuer.url, { clock, options });
    expect(await app.outcome(good)).toBe('200');
    const path = await saved(clock);
    await app.close();
    return path;
  }

  it.each(['required', 'background', 'off'] as const)(
    'lets an application start and verify tokens while the issuer is down, with warmUp %s',
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

  it('does not extend maxStaleSeconds', async () => {
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

  it('is not used after the issuer has responded', async () => {
    const clock = new Clock();
    await hasRun(clock);
    issuer.publish(second);
    clock.pass(600);
    const app = await startGuarded(issuer.url, { clock, options: { ...options, warmUp: 'required' } });
    expect(await app.outcome(good)).toBe('401 KEY_UNKNOWN');
    expect(app.health()).toMatchObject([{ source: 'issuer' }]);
    expect(JSON.parse(await readFile(await saved(clock), 'utf8'))).toMatchObject({ jwks: { keys: [second.jwk] } });
  });

  it('saves only public keys, in files that only their owner can read', async () => {
    issuer.publish(first, { ...second.privateKey.export({ format: 'jwk' }), kid: 'second' });
    const path = await hasRun(new Clock());
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
    expect(((await stat(folder)).mode & 0o777).toString(8)).toBe('700');
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ issuer: issuer.url, jwks: { keys: [first.jwk] } });
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('counts as empty if its file is damaged', async () => {
    const clock = new Clock();
    const path = await hasRun(clock);
    await writeFile(path, '{"issuer":"');
    issuer.failEverywhere(fault('answers 500'));
    const app = await startGuarded(issuer.url, { clock, options });
    expect(await app.outcome(good)).toBe(UNAVAILABLE);
    issuer.recover();
    clock.pass(1);
    expect(await app.outcome(good)).toBe('200');
    expect(await saved(clock)).toBe(path);
  });

  it('rejects no token if its folder cannot be created', async () => {
    await writeFile(folder, 'a file');
    const app = await startGuarded(issuer.url, { options });
    expect(await app.outcome(good)).toBe('200');
  });
});

describe('a store of the application', () => {
  it('that never responds delays a token until the deadline, and then the keys are fetched', async () => {
    const never = () => new Promise<never>(() => undefined);
    const keyStore: KeyStore = { load: never, save: never };
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: 200 }, options: { keyStore } });
    expect(await app.outcome(good)).toBe('200');
  });
});

describe('an application that is closed', () => {
  /** Returns the timers with a matching delay that were set after this call, and whether they are cleared. */
  function watchTimers(isMeant: (delayMs: number) => boolean): () => { hasRef: boolean; isCleared: boolean }[] {
    const [set, clear] = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'clearTimeout')];
    return () =>
      set.mock.calls.flatMap(([, delayMs = 0], call) => {
        if (!isMeant(delayMs)) return [];
        const timer = set.mock.results[call]?.value as NodeJS.Timeout;
        return [{ hasRef: timer.hasRef(), isCleared: clear.mock.calls.some(([cleared]) => cleared === timer) }];
      });
  }

  it('leaves no timer, and its timers do not keep the process alive', async () => {
    // The next refresh, after 80 to 95 % of ten minutes.
    const timers = watchTimers((delayMs) => delayMs >= 480_000 && delayMs <= 570_000);
    const app = await startGuarded(issuer.url, { options: { warmUp: 'required' } });
    expect(timers()).toEqual([{ hasRef: false, isCleared: false }]);
    await app.close();
    expect(timers()).toEqual([{ hasRef: false, isCleared: true }]);
  });

  it('leaves no timer if it could not start', async () => {
    // The next attempt for each issuer, after a second.
    const timers = watchTimers((delayMs) => delayMs === 1_000);
    const issuers = [issuerOptions(issuer.url), issuerOptions(`${issuer.url}/other`)];
    issuer.failEverywhere(fault('answers 500'));
    await problemsOfStart(startGuarded(issuers, { options: { warmUp: 'required' } }));
    expect(timers().map(({ isCleared }) => isCleared)).toEqual([true, true]);
  });

  it.each(Object.entries(FAULTS).filter(([, { isEndless }]) => isEndless === true))(
    'ends the request to an issuer that %s, and rejects the token that waits for it (KEYS_UNAVAILABLE)',
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

  /** Closes the application and returns whether that took less than a second. */
  async function closesAtOnce(app: GuardedApp): Promise<boolean> {
    const from = performance.now();
    await app.close();
    return performance.now() - from < 1_000;
  }

  const ENDLESS = Object.entries(FAULTS).filter(([, { isEndless }]) => isEndless === true);
  const ENDLESS_AT = PLATFORMS.flatMap((platform) =>
    ENDLESS.flatMap(([what, endless]) => [
      { platform, what, endless, part: 'keys', paths: [KEYS] },
      { platform, what, endless, part: 'metadata', paths: METADATA },
    ]),
  );

  it.each(ENDLESS_AT)(
    'answers 503 to a request that waits for the $part of an issuer that $what, on $platform, and ends within a second',
    async ({ platform, endless, paths }) => {
      const app = await startGuarded(issuer.url, { platform, keys: { timeoutMs: NEVER_MS } });
      issuer.fail(endless, ...paths);
      const waiting = app.outcome(good);
      await until(() => issuer.countOf(paths[0]) === 1);
      expect(await closesAtOnce(app)).toBe(true);
      expect(await waiting).toBe(UNAVAILABLE);
      await allEnded();
    },
  );

  it.each(ENDLESS)(
    'ends within a second during a warm-up and a background refresh from an issuer that %s',
    async (_what, endless) => {
      issuer.failEverywhere(endless);
      const options = { warmUp: 'background' } as const;
      const warmingUp = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS }, options });
      await until(() => issuer.openExchanges === 1);
      expect(await closesAtOnce(warmingUp)).toBe(true);
      issuer.recover();
      const refreshing = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS } });
      expect(await refreshing.outcome(good)).toBe('200');
      issuer.failEverywhere(endless);
      refreshing.clock.pass(600);
      expect(await refreshing.outcome(good)).toBe('200');
      await until(() => issuer.openExchanges === 1);
      expect(await closesAtOnce(refreshing)).toBe(true);
      await allEnded();
    },
  );

  it.each(['load', 'save'] as const)('ends within a second while its store never ends to %s', async (method) => {
    let calls = 0;
    const never = () => {
      calls += 1;
      return new Promise<never>(() => undefined);
    };
    const keyStore = { load: () => Promise.resolve(undefined), save: () => Promise.resolve(), [method]: never };
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS }, options: { keyStore } });
    const waiting = app.outcome(good);
    await until(() => calls === 1);
    if (method === 'save') await waiting;
    expect(await closesAtOnce(app)).toBe(true);
    expect(await waiting).toBe(method === 'save' ? '200' : UNAVAILABLE);
  });

  it('ends within a second although its `fetch` ignores the signal', async () => {
    let calls = 0;
    const ignoring = () => {
      calls += 1;
      return new Promise<never>(() => undefined);
    };
    const app = await startGuarded(issuer.url, { keys: { timeoutMs: NEVER_MS }, options: { fetch: ignoring } });
    const waiting = app.outcome(good);
    await until(() => calls === 1);
    expect(await closesAtOnce(app)).toBe(true);
    expect(await waiting).toBe(UNAVAILABLE);
  });

  it('sends no more requests', async () => {
    const app = await startGuarded(issuer.url, { options: { warmUp: 'required' } });
    const verifier = app.get(AccessTokenVerifier);
    await app.close();
    const requests = issuer.requests.length;
    app.clock.pass(600);
    expect(await outcomeOf(verifier.verify(good))).toBe('accepted');
    expect(await outcomeOf(verifier.verify(lastingToken(issuer, second)))).toBe('KEYS_UNAVAILABLE');
    await allEnded();
    expect(issuer.requests).toHaveLength(requests);
  });
});
