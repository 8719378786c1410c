import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestIssuer } from '../../../src/testing.js';

const DELAY_MS = 3_600_000;

let issuer: TestIssuer;

/** Waits in real time, because the network does not use fake timers. */
async function untilTimers(count: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (jest.getTimerCount() !== count) {
    if (performance.now() > deadline) throw new Error(`there are ${String(jest.getTimerCount())} timers`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
});

afterEach(async () => {
  jest.useRealTimers();
  await issuer.close();
});

describe('A slow issuer that listens', () => {
  const get = () => fetch(`${issuer.url}/jwks`);

  beforeEach(async () => {
    issuer = await TestIssuer.listen();
    issuer.slowDown(DELAY_MS);
  });

  it('fails its requests and leaves no timer when it is closed', async () => {
    const answers = [get(), get()].map((answer) => answer.catch(() => 'failed'));
    await untilTimers(2);
    const closed = issuer.close();
    expect(jest.getTimerCount()).toBe(0);
    await closed;
    expect(await Promise.all(answers)).toEqual(['failed', 'failed']);
  });
});

describe('A slow issuer in memory', () => {
  const get = (signal?: AbortSignal) => issuer.fetch('https://issuer.test/jwks', { signal });

  beforeEach(async () => {
    issuer = await TestIssuer.create();
    issuer.slowDown(DELAY_MS);
  });

  it('answers after its delay by fake timers, and not before', async () => {
    let status: number | undefined;
    const answer = get().then((answered) => (status = answered.status));
    await jest.advanceTimersByTimeAsync(DELAY_MS - 1);
    expect(status).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(await answer).toBe(200);
  });

  it('rejects a request that is aborted before it starts', async () => {
    await expect(get(AbortSignal.abort(new Error('aborted')))).rejects.toThrow('aborted');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('fails its requests when it is closed, and can still be used', async () => {
    const answer = get();
    await issuer.close();
    await expect(answer).rejects.toMatchObject({
      message: 'fetch failed',
      cause: new Error('the test issuer was closed'),
    });
    issuer.recover();
    expect((await get()).status).toBe(200);
  });
});
