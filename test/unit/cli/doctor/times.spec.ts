import { expect, it } from '@jest/globals';
import { timeAndDistance } from '../../../../src/cli/doctor/times.js';

it.each([
  [-1, '1 second ago'],
  [-119, '119 seconds ago'],
  [-120, '2 minutes ago'],
  [7_200, 'in 2 hours'],
  [-259_200, '3 days ago'],
  [0, '0 seconds ago'],
])('a time %i seconds from now is told as %s', (seconds, words) => {
  expect(timeAndDistance(1_000_000 + seconds, 1_000_000)).toMatch(new RegExp(`^${words} \\(1970-01-`));
});
