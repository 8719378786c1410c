// Sends requests and formats the results.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CAP_MS } from './app.mjs';

const JUNK_PER_SECOND = 200;
/** Maximum time to retry with a valid token. */
export const PATIENCE_MS = 65_000;

/** Starts requests at a fixed rate, without waiting for earlier ones. Resolves to all answers. */
export async function pace(perSecond, ms, act, isOver = () => false) {
  const start = performance.now();
  const answers = [];
  for (let index = 0; index < (perSecond * ms) / 1000 && !isOver(); index += 1) {
    await sleep(start + (index * 1000) / perSecond - performance.now());
    answers.push(act());
  }
  return Promise.all(answers);
}

export async function flood(app, issuer, ms) {
  const agent = new Agent({ keepAlive: true });
  await pace(JUNK_PER_SECOND, ms, () => app.ask(issuer.junk(), agent));
  agent.destroy();
}

export async function junk(app, issuer, count) {
  for (let index = 0; index < count; index += 1) await app.ask(issuer.junk());
}

/** Checks the precondition of a scenario: the application accepts a valid token. */
export async function expectGood(app, token) {
  const status = await app.statusFor(token);
  if (status !== 200)
    throw new Error(`The application answered a valid token with ${status} before the scenario started`);
}

export async function timeUntilAccepted(app, token) {
  const start = performance.now();
  while (performance.now() - start < PATIENCE_MS) {
    if ((await app.statusFor(token)) === 200) return inSeconds(performance.now() - start);
    await sleep(1_000);
  }
  return `> ${PATIENCE_MS / 1000} s`;
}

export function refused(answers) {
  const statuses = new Set(answers.map(({ status }) => status).filter((status) => status !== 200));
  const count = answers.filter(({ status }) => status !== 200).length;
  return count === 0 ? '0' : `${count} of ${answers.length} (${[...statuses].join(', ')})`;
}

export function withRetryAfter({ status, retryAfter }) {
  return retryAfter === undefined ? String(status) : `${status}, Retry-After`;
}

export function statusAndTime({ status, ms }) {
  return status === 'hangs' ? `> ${CAP_MS / 1000} s` : `${status}, ${inSeconds(ms)}`;
}

/**
 * Computes the median and the 99th percentile of each second, and returns the median of these values, so that a short
 * disturbance of the machine does not affect the result.
 */
export function latency(answers, perSecond) {
  const seconds = Array.from({ length: Math.ceil(answers.length / perSecond) }, (_none, index) =>
    answers.slice(index * perSecond, (index + 1) * perSecond).map(({ ms }) => ms),
  );
  const middle = (share) =>
    quantile(
      seconds.map((times) => quantile(times, share)),
      0.5,
    ).toFixed(1);
  return `${middle(0.5)} / ${middle(0.99)}`;
}

function quantile(values, share) {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];
}

function inSeconds(ms) {
  return ms < 1_000 ? '< 1 s' : `${(ms / 1000).toFixed(1)} s`;
}
