import { afterEach, beforeEach, jest } from '@jest/globals';

/**
 * Stops `Date.now` and `setTimeout` in the tests of the file or `describe` that calls it; `pass` moves them. A token then
 * cannot expire before it is used, and no test waits for its expiry.
 */
export function holdTime(): void {
  beforeEach(() => {
    jest.useFakeTimers({
      // Sockets and servers need these.
      doNotFake: [
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'clearImmediate',
        'setInterval',
        'clearInterval',
      ],
    });
  });

  afterEach(() => {
    jest.useRealTimers();
  });
}

export async function pass(seconds: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(seconds * 1000);
}
