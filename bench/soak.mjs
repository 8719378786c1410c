// A guarded application on the worst days of its issuers: every fault, a rotation every few seconds and a flood of random
// key ids, while good and bad tokens come all the time. Usage: npm run soak [-- --seconds 20]
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { GuardedApp } from './soak/guarded-app.mjs';
import { Issuer } from './soak/issuer.mjs';
import { POLICY } from './soak/policy.mjs';
import { report } from './soak/report.mjs';
import { AUDIENCE } from './soak/tokens.mjs';
import { createProps, Traffic } from './soak/traffic.mjs';
import { within } from './within.mjs';
import { FAULTS } from './soak/faults.mjs';

const DEFAULT_SECONDS = 120;
/** With random kids; a quarter as many come with kids that come back. */
const FLOOD_TOKENS = 20_000 * 1.25;
/** Each begins with other faults, so that a short soak meets them all, too. */
const ISSUERS = 3;
const TICK_MS = 20;
/** Shares of the time. */
const WARM_UP = 0.1;
const CALM = 0.35;
const FLOOD = 0.3;
/** How much longer than planned a flood may take, on a machine that has other things to do. */
const FLOOD_PATIENCE = 2;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: String(DEFAULT_SECONDS) } } });
const seconds = Number(values.seconds);
if (!(seconds >= 10 && seconds <= 3_600)) {
  console.error('--seconds must be a number from 10 to 3600');
  process.exit(2);
}

const scale = Math.min(1, seconds / DEFAULT_SECONDS);
const props = await createProps();
const issuers = Array.from({ length: ISSUERS }, (_, index) => {
  const firstFault = Math.floor((index * FAULTS.length) / ISSUERS);
  // In turn: short ones and long ones.
  const outageMs = [0, 2_000, 6_000].map((length) => length * scale);
  const calmMs = [1_500, 1_500, 8_000].map((length) => length * scale);
  return new Issuer({ firstFault, outageMs, calmMs, props });
});
const app = new GuardedApp((health) => {
  for (const { issuer, ...keys } of health) issuers.find(({ name }) => name === issuer).hear(keys);
});
let ticker;
let floodWorker;

async function cleanUp() {
  clearInterval(ticker);
  app.kill();
  await floodWorker?.terminate();
  await Promise.allSettled(issuers.map((issuer) => issuer.stop()));
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void cleanUp().finally(() => process.exit(130));
  });
}

async function flood(url) {
  const count = Math.round(FLOOD_TOKENS * scale);
  const planned = FLOOD * seconds;
  const maxSeconds = FLOOD_PATIENCE * planned;
  const workerData = { url, issuers: issuers.map(({ name }) => name), count, perSecond: count / planned, maxSeconds };
  floodWorker = new Worker(new URL('./soak/flood.mjs', import.meta.url), { workerData });
  const [result] = await within((maxSeconds + 15) * 1000, once(floodWorker, 'message'), 'the flood does not end');
  return { ...result, count };
}

async function soak() {
  await Promise.all(issuers.map((issuer) => issuer.start()));
  const startedAt = performance.now();
  await app.start({
    warmUp: 'required',
    issuers: issuers.map(({ name }) => ({
      issuer: name,
      audience: AUDIENCE,
      keys: { from: 'discovery', ...POLICY },
    })),
  });
  ticker = setInterval(() => {
    for (const issuer of issuers) issuer.tick(Date.now());
  }, TICK_MS);

  const traffic = new Traffic(app.url, issuers);
  const marks = [];
  const phase = async (name, run) => {
    traffic.phase = name;
    const result = await run();
    const mark = await app.measure();
    marks.push({ phase: name, ...mark });
    return result;
  };
  traffic.start();
  await phase('warm-up', () => sleep(WARM_UP * seconds * 1000));
  for (const issuer of issuers) issuer.mayFail = true;
  await phase('calm', () => sleep(CALM * seconds * 1000));
  const flooded = await phase('flood', () => flood(app.url));
  await phase('calm', async () => {
    await sleep((1 - WARM_UP - CALM - FLOOD) * seconds * 1000);
    await traffic.stop();
  });
  for (const issuer of issuers) issuer.recover();
  const endedByItself = await app.stop();
  const ranSeconds = (performance.now() - startedAt) / 1000;
  return { seconds, ranSeconds, issuers, traffic, flood: flooded, marks, endedByItself };
}

console.log(
  `Soak of ${seconds} s: ${ISSUERS} issuers, ${Object.entries(POLICY)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}\n`,
);
let broken;
let notes = [];
try {
  const result = await soak();
  broken = report(result);
  notes = result.traffic.notes;
} catch (error) {
  broken = [`the soak came to no end: ${error.stack}`];
} finally {
  await cleanUp();
}
console.log(broken.length === 0 ? '\nok' : `\nBroken:\n${[...broken, ...notes].map((line) => `- ${line}`).join('\n')}`);
process.exitCode = broken.length === 0 ? 0 : 1;
