import { describe, expect, it } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { FetchError, withDeadline } from '../../../src/remote/http-exchange.js';

const never = () => new Promise<never>(() => undefined);
const CLOSED = new FetchError('CLOSED', 'closing');

describe('withDeadline', () => {
  it('returns a result and throws an error that are in time', async () => {
    await expect(withDeadline(1_000, undefined, () => Promise.resolve(7))).resolves.toBe(7);
    await expect(withDeadline(1_000, undefined, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  });

  it('ends and aborts an operation that takes longer (TIMEOUT)', async () => {
    let inner: AbortSignal | undefined;
    const running = withDeadline(5, undefined, (signal) => {
      inner = signal;
      return never();
    });
    await expect(running).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no answer within 5 ms' });
    expect(inner?.reason).toBeInstanceOf(FetchError);
  });

  it('ends with TIMEOUT although the operation rejects with an error of its own when it is aborted', async () => {
    const running = withDeadline(5, undefined, async (signal) => {
      await new Promise((settle) => {
        signal.addEventListener('abort', settle);
      });
      throw new Error('This operation was aborted');
    });
    await expect(running).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('ends with the reason of the outer signal, also if that is aborted before the start', async () => {
    const closing = new AbortController();
    const running = withDeadline(1_000, closing.signal, (signal) => withDeadline(1_000, signal, never));
    closing.abort(CLOSED);
    await expect(running).rejects.toBe(CLOSED);
    const late = withDeadline(1_000, closing.signal, () => Promise.reject(new Error('was run')));
    await expect(late).rejects.toBe(CLOSED);
  });

  it('leaves no listener on the outer signal', async () => {
    const closing = new AbortController();
    await withDeadline(1_000, closing.signal, () => Promise.resolve());
    expect(getEventListeners(closing.signal, 'abort')).toEqual([]);
  });
});
