// Runs a guarded application while its issuers simulate every fault and rotate their keys every few seconds, and a flood of
// tokens has random key ids. Valid and invalid tokens arrive all the time. Usage: npm run soak [-- --seconds 20]
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
/** 20,000 tokens with random kids, and a quarter of that with a fixed set of unknown kids. */
const FLOOD_TOKENS = 20_000 * 1.25;
/** Each issuer starts with a different fault, so that a short soak covers all of them. */
const ISSUERS = 3;
const TICK_MS = 20;
/** Shares of the total duration. */
const WARM_UP = 0.1;
const CALM = 0.35;
const FLOOD = 0.3;
/** Maximum duration of the flood as a multiple of the planned one, for a busy machine. */
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
  // The issuer cycles through short and long outages.
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
  const [result] = await within((maxSeconds + 15) * 1000, once(floodWorker, 'message'), 'the flood timed out');
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
  broken = [`the soak failed: ${error.stack}`];
} finally {
  await cleanUp();
}
console.log(broken.length === 0 ? '\nok' : `\nBroken:\n${[...broken, ...notes].map((line) => `- ${line}`).join('\n')}`);
process.exitCode = broken.length === 0 ? 0 : 1;
