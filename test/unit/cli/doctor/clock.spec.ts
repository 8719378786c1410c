import { describe, expect, it } from '@jest/globals';
import { checkClock } from '../../../../src/cli/doctor/clock.js';
import { probe } from '../../../../src/cli/doctor/probe.js';

const NOW = 1_800_000_000_000;

async function clockOf(headers: Record<string, string>, tookMs = 0) {
  let now = NOW;
  const { clock } = await probe('https://issuer.example.com/jwks', {
    fetch: () => {
      now += tookMs;
      return Promise.resolve(Response.json({}, { headers }));
    },
    clock: () => now,
    timeoutMs: 1_000,
    maxBytes: 1_000,
  });
  return clock;
}

const at = (seconds: number) => ({ date: new Date(NOW + seconds * 1_000).toUTCString() });

describe('the clock of an issuer', () => {
  it.each([
    [0, 5, 'ok'],
    [-5, 5, 'ok'],
    [7, 5, 'problem'],
    [-8, 5, 'problem'],
    [20, 60, 'warning'],
    [-20, 60, 'warning'],
    [70, 60, 'problem'],
  ])('that is %i s ahead, with a tolerance of %i: %s', async (seconds, tolerance, status) => {
    expect(checkClock(await clockOf(at(seconds)), tolerance).status).toBe(status);
  });

  it('is not blamed for the time that its answer took', async () => {
    expect(checkClock(await clockOf(at(0), 12_000), 5).status).toBe('ok');
  });

  it('is not blamed for the age of an answer out of a cache (RFC 9111 §5.1)', async () => {
    expect(checkClock(await clockOf({ ...at(-600), age: '600' }), 5).status).toBe('ok');
  });

  it('is not known where no answer has a date', async () => {
    expect(checkClock(await clockOf({}), 5).status).toBe('skipped');
    expect(checkClock(await clockOf({ date: 'today' }), 5).status).toBe('skipped');
  });
});
