import { describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { withDeadline } from '../../../src/remote/deadline.js';
import { FetchError } from '../../../src/remote/fetch-error.js';

const never = () => new Promise<never>(() => undefined);

describe('withDeadline', () => {
  it('gives what comes in time, and what is thrown in time', async () => {
    await expect(withDeadline(1_000, undefined, () => Promise.resolve(7))).resolves.toBe(7);
    await expect(withDeadline(1_000, undefined, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  });

  it('ends what takes longer, and says so to it', async () => {
    let given: AbortSignal | undefined;
    const running = withDeadline(5, undefined, (signal) => {
      given = signal;
      return never();
    });
    await expect(running).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no answer within 5 ms' });
    expect(given?.aborted).toBe(true);
    expect(given?.reason).toBeInstanceOf(FetchError);
  });

  it('is ended from outside, before it begins too', async () => {
    const closing = new AbortController();
    const running = withDeadline(1_000, closing.signal, never);
    closing.abort();
    await expect(running).rejects.toMatchObject({ code: 'CLOSED' });
    const tooLate = withDeadline(1_000, closing.signal, () => Promise.reject(new Error('was run')));
    await expect(tooLate).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('passes on why it was ended from outside', async () => {
    const outer = withDeadline(5, undefined, (signal) => withDeadline(1_000, signal, never));
    await expect(outer).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no answer within 5 ms' });
  });

  it('leaves no listener behind on what could end it', async () => {
    const closing = new AbortController();
    await withDeadline(1_000, closing.signal, () => Promise.resolve());
    expect(getEventListeners(closing.signal, 'abort')).toEqual([]);
  });
});
