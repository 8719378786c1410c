// The scenarios. A scenario has one table row per observation; `run` returns the cells of these rows for one contender.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEYS } from './issuer.mjs';
import {
  expectGood,
  flood,
  junk,
  latency,
  pace,
  PATIENCE_MS,
  refused,
  statusAndTime,
  timeUntilAccepted,
  withRetryAfter,
} from './traffic.mjs';

const isQuick = process.argv.includes('--quick');
/** Short lifetimes, because the defaults are minutes. */
const LIFE_MS = 2_000;
const PAST_LIFE_MS = 2_500;
const STALE_MS = 4_000;
const FLOOD_MS = isQuick ? 1_000 : 5_000;
const GOOD_PER_SECOND = 100;
/** The cell of a contender without this option. */
const NONE = '–';
const [KEY, OTHER, NEW] = KEYS;

/**
 * All scenarios in the order of the table. `alone` scenarios measure latency and run with one contender at a time. `short`
 * scenarios run one after the other with all contenders in parallel. `long` scenarios mostly wait, up to a minute, and run
 * all in parallel; --quick skips them.
 */
export const SCENARIOS = [
  {
    phase: 'short',
    rows: ['6 junk tokens, then a known key', '6 junk tokens, then a new key'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer);
      await expectGood(app, issuer.token(KEY));
      await junk(app, issuer, 6);
      const cells = [await app.statusFor(issuer.token(KEY))];
      issuer.keys = [KEY, NEW];
      return [...cells, await app.statusFor(issuer.token(NEW))].map(String);
    },
  },
  {
    phase: 'short',
    rows: ['6 junk tokens after the start, then a valid one'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer);
      await junk(app, issuer, 6);
      return [String(await app.statusFor(issuer.token(KEY)))];
    },
  },
  {
    phase: 'alone',
    rows: [
      'Flood: requests to the issuer',
      'Flood: rejected',
      'Flood: p50 / p99 (ms) before',
      'Flood: p50 / p99 (ms) during',
    ],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      issuer.delayMs = 50;
      const app = await stage.app(issuer);
      const good = issuer.token(KEY);
      const agent = new Agent({ keepAlive: true });
      const ask = () => app.ask(good, agent);
      // Warms up the code for valid and for rejected tokens.
      await pace(GOOD_PER_SECOND, 1_000, ask);
      await pace(GOOD_PER_SECOND, 1_000, () => app.ask(issuer.forged(KEY), agent));
      const before = await pace(GOOD_PER_SECOND, FLOOD_MS, ask);
      issuer.calls = 0;
      const [during] = await Promise.all([pace(GOOD_PER_SECOND, FLOOD_MS, ask), flood(app, issuer, FLOOD_MS)]);
      agent.destroy();
      return [
        String(issuer.calls),
        refused(during),
        latency(before, GOOD_PER_SECOND),
        latency(during, GOOD_PER_SECOND),
      ];
    },
  },
  {
    phase: 'short',
    rows: ['Flood while the cache expires: rejected'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS });
      await expectGood(app, issuer.token(KEY));
      const good = issuer.token(KEY);
      const ms = Math.max(FLOOD_MS, PAST_LIFE_MS + 1_000);
      const [answers] = await Promise.all([pace(20, ms, () => app.ask(good)), flood(app, issuer, ms)]);
      return [refused(answers)];
    },
  },
  {
    phase: 'short',
    rows: ['Flood while the issuer fails: requests to it', 'Flood while the issuer fails: rejected'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer, { cooldownMs: 1_000 });
      await expectGood(app, issuer.token(KEY));
      await sleep(1_200);
      const good = issuer.token(KEY);
      issuer.mood = 'error';
      issuer.calls = 0;
      const [answers] = await Promise.all([pace(20, FLOOD_MS, () => app.ask(good)), flood(app, issuer, FLOOD_MS)]);
      return [String(issuer.calls), refused(answers)];
    },
  },
  {
    phase: 'long',
    rows: ['Rotation 1 s after a fetch: accepted after'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer);
      await expectGood(app, issuer.token(KEY));
      await sleep(1_000);
      issuer.keys = [NEW];
      return [await timeUntilAccepted(app, issuer.token(NEW))];
    },
  },
  {
    phase: 'long',
    rows: ['Rotation during a flood: accepted after'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer);
      await expectGood(app, issuer.token(KEY));
      let isOver = false;
      const flooding = pace(
        50,
        PATIENCE_MS + 1_000,
        () => app.ask(issuer.junk()),
        () => isOver,
      );
      await sleep(1_000);
      issuer.keys = [NEW];
      const cell = await timeUntilAccepted(app, issuer.token(NEW));
      isOver = true;
      await flooding;
      return [cell];
    },
  },
  {
    phase: 'short',
    rows: ['8 keys, 3 tokens each: rejected'],
    async run(stage) {
      const issuer = await stage.issuer(...KEYS);
      const app = await stage.app(issuer);
      const answers = [];
      for (const key of [...KEYS, ...KEYS, ...KEYS]) answers.push(await app.ask(issuer.token(key)));
      return [refused(answers)];
    },
  },
  {
    phase: 'short',
    rows: ['Withdrawn key, newer set fetched'],
    async run(stage) {
      const issuer = await stage.issuer(KEY, OTHER);
      const app = await stage.app(issuer, { cooldownMs: 1_000 });
      await expectGood(app, issuer.token(KEY));
      issuer.keys = [OTHER, NEW];
      await sleep(1_200);
      await expectGood(app, issuer.token(NEW));
      return [String(await app.statusFor(issuer.token(KEY)))];
    },
  },
  {
    phase: 'short',
    rows: ['Withdrawn key, cache expired'],
    async run(stage) {
      const issuer = await stage.issuer(KEY, OTHER);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS });
      await expectGood(app, issuer.token(KEY));
      issuer.keys = [OTHER];
      await sleep(PAST_LIFE_MS);
      return [String(await app.statusFor(issuer.token(KEY)))];
    },
  },
  {
    phase: 'short',
    rows: ['Withdrawn key, then an outage, stale keys allowed'],
    async run(stage) {
      const staleMs = stage.contender.canOutlast ? 60_000 : undefined;
      const issuer = await stage.issuer(KEY, OTHER);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS, staleMs });
      await expectGood(app, issuer.token(KEY));
      issuer.keys = [OTHER];
      await sleep(PAST_LIFE_MS);
      await app.statusFor(issuer.token(KEY));
      await issuer.stop();
      await sleep(PAST_LIFE_MS);
      return [String(await app.statusFor(issuer.token(KEY)))];
    },
  },
  {
    phase: 'short',
    rows: ['Outage, cache valid', 'Outage, cache expired'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS });
      await expectGood(app, issuer.token(KEY));
      await issuer.stop();
      const cells = [await app.statusFor(issuer.token(KEY))];
      await sleep(PAST_LIFE_MS);
      return [...cells, await app.statusFor(issuer.token(KEY))].map(String);
    },
  },
  {
    phase: 'long',
    rows: ['Issuer hangs, cache expired'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS });
      await expectGood(app, issuer.token(KEY));
      issuer.mood = 'hang';
      await sleep(PAST_LIFE_MS);
      return [statusAndTime(await app.ask(issuer.token(KEY)))];
    },
  },
  {
    phase: 'short',
    rows: ['Outage, cache expired, stale keys allowed', 'Outage, stale keys expired'],
    async run(stage) {
      if (!stage.contender.canOutlast) return [NONE, NONE];
      const issuer = await stage.issuer(KEY);
      const app = await stage.app(issuer, { lifeMs: LIFE_MS, staleMs: STALE_MS });
      await expectGood(app, issuer.token(KEY));
      await issuer.stop();
      await sleep(PAST_LIFE_MS);
      const cells = [await app.statusFor(issuer.token(KEY))];
      await sleep(STALE_MS - PAST_LIFE_MS + 500);
      return [...cells.map(String), withRetryAfter(await app.ask(issuer.token(KEY)))];
    },
  },
  {
    phase: 'short',
    rows: ['Outage at start', 'Outage at start, stored keys'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      const keyStore = stage.contender.hasKeyStore ? await stage.folder() : undefined;
      if (keyStore !== undefined) {
        const earlier = await stage.app(issuer, { keyStore });
        await expectGood(earlier, issuer.token(KEY));
        await sleep(200);
        await earlier.stop();
      }
      await issuer.stop();
      const cold = withRetryAfter(await (await stage.app(issuer)).ask(issuer.token(KEY)));
      if (keyStore === undefined) return [cold, NONE];
      return [cold, String(await (await stage.app(issuer, { keyStore })).statusFor(issuer.token(KEY)))];
    },
  },
  {
    phase: 'long',
    rows: ['20 s outage at start: accepted after'],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      await issuer.stop();
      const app = await stage.app(issuer);
      await pace(2, 20_000, () => app.ask(issuer.token(KEY)));
      await issuer.start();
      return [await timeUntilAccepted(app, issuer.token(KEY))];
    },
  },
  ...[
    ['hang', 'Cold cache, no response'],
    ['drip', 'Cold cache, 1 byte/s'],
    ['cut', 'Cold cache, response cut off'],
  ].map(([mood, row]) => ({
    phase: 'long',
    rows: [row],
    async run(stage) {
      const issuer = await stage.issuer(KEY);
      issuer.mood = mood;
      const app = await stage.app(issuer);
      return [statusAndTime(await app.ask(issuer.token(KEY)))];
    },
  })),
];
