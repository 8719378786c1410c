import { describe, expect, it, jest } from '@jest/globals';
import { isPromise, recovering, whenKnown } from '../../../src/model/maybe-promise.js';

/** A promise that is not an instance of the global `Promise`, as if zone.js had replaced it. */
const foreign = (settle: () => unknown) =>
  ({
    then: (...handlers: []) =>
      Promise.resolve()
        .then(settle)
        .then(...handlers),
  }) as never;

describe('A result that may be a promise', () => {
  it('is awaited also if it is a promise of another library', async () => {
    expect([isPromise(foreign(() => 1)), isPromise(1), isPromise(null), isPromise({ then: 1 })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(
      await whenKnown(
        foreign(() => 1),
        (value: number) => value + 1,
      ),
    ).toBe(2);
  });

  it.each([foreign, async (settle: () => unknown) => Promise.resolve().then(settle)])(
    'recovers if it is rejected: %p',
    async (promiseOf) => {
      const fail = () => {
        throw new Error('rejected');
      };
      const recover = jest.fn(() => 'recovered');
      expect(await recovering(() => promiseOf(fail) as Promise<string>, recover)).toBe('recovered');
      expect(recover.mock.calls).toEqual([[new Error('rejected')]]);
    },
  );
});
