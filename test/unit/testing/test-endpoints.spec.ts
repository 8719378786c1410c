import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestIssuer } from '../../../src/testing.js';

const LONG_MS = 3_600_000;

let issuer: TestIssuer;

/** What of a slow answer is still to come. */
const waiting = () => jest.getTimerCount();

/** Until it is so; the network takes real time. */
async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('it did not come about');
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
  const ask = (signal?: AbortSignal) => fetch(`${issuer.url}/jwks`, { signal });

  beforeEach(async () => {
    issuer = await TestIssuer.listen();
    issuer.slowDown(LONG_MS);
  });

  it('waits no more for a client that went away', async () => {
    const client = new AbortController();
    const answer = ask(client.signal).catch(() => 'gone');
    await until(() => waiting() === 1);
    client.abort();
    expect(await answer).toBe('gone');
    await until(() => waiting() === 0);
  });

  it('leaves nothing behind that would keep the process when it is closed', async () => {
    const answers = [ask(), ask()].map((answer) => answer.catch(() => 'cut'));
    await until(() => waiting() === 2);
    const closed = issuer.close();
    expect(waiting()).toBe(0);
    await closed;
    expect(await Promise.all(answers)).toEqual(['cut', 'cut']);
  });

  it('answers when the time has come that fake timers say', async () => {
    const answer = ask();
    await until(() => waiting() === 1);
    jest.advanceTimersByTime(LONG_MS);
    expect((await answer).status).toBe(200);
  });
});

describe('A slow issuer in memory', () => {
  const ask = (signal?: AbortSignal) => issuer.fetch('https://issuer.test/jwks', { signal });

  beforeEach(async () => {
    issuer = await TestIssuer.create();
    issuer.slowDown(LONG_MS);
  });

  it('answers when the time has come that fake timers say, and not before', async () => {
    let status: number | undefined;
    const answer = ask().then((answered) => (status = answered.status));
    await jest.advanceTimersByTimeAsync(LONG_MS - 1);
    expect(status).toBeUndefined();
    await jest.advanceTimersByTimeAsync(1);
    expect(await answer).toBe(200);
  });

  it('does not begin to wait for whoever has gone before', async () => {
    await expect(ask(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(waiting()).toBe(0);
  });

  it('waits no more when it is closed, and is there for the next test', async () => {
    const answer = ask();
    await issuer.close();
    await expect(answer).rejects.toMatchObject({
      message: 'fetch failed',
      cause: new Error('the test issuer was closed'),
    });
    expect(waiting()).toBe(0);
    issuer.recover();
    expect((await ask()).status).toBe(200);
  });
});
