import { describe, expect, it } from '@jest/globals';
import { noTimeRow } from '../../../../src/cli/doctor/token-times.js';

describe('what stands in place of a time', () => {
  it.each([
    [1_800_000_000_000, 'exp is in milliseconds', 'in seconds, not in milliseconds'],
    ['1800000000', 'exp is a text', 'without quotation marks'],
    ['2031-01-01T00:00:00Z', 'exp is a text', 'a number of seconds since 1970'],
    [-1, 'exp is no time', 'in seconds since 1970'],
    [Number.POSITIVE_INFINITY, 'exp is no time', 'in seconds since 1970'],
    [true, 'exp is no time', 'in seconds since 1970'],
  ])('%p: %s', (value, found, mend) => {
    expect(noTimeRow('token.expiry', 'exp', value)).toEqual({
      check: 'token.expiry',
      status: 'problem',
      found,
      expected: 'seconds since 1970',
      mend: expect.stringContaining(mend),
    });
  });
});
