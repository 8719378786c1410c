import { afterEach, beforeEach, jest } from '@jest/globals';

/**
 * For the tests of the file or the `describe` that it is called in: `Date.now` and what `setTimeout` has set stand still
 * until `pass` moves them on. So a token may have time enough to be used, and nobody waits for its expiry.
 */
export function holdTime(): void {
  beforeEach(() => {
    jest.useFakeTimers({
      // What sockets and servers need to get anywhere.
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
