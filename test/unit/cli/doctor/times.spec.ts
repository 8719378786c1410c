import { expect, it } from '@jest/globals';
import { timeAndDistance } from '../../../../src/cli/doctor/times.js';

it.each([
  [-1, '1 s ago'],
  [-119, '119 s ago'],
  [-120, '2 min ago'],
  [7_200, 'in 2 h'],
  [-259_200, '3 days ago'],
  [0, '0 s ago'],
])('a time %i s from now is told as %s', (seconds, words) => {
  expect(timeAndDistance(1_000_000 + seconds, 1_000_000)).toMatch(new RegExp(`^${words} \\(1970-01-`));
});
