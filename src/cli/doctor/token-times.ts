import { LEAST_MILLISECONDS } from '../../token/hints.js';
import { type CheckName, type CheckRow, problem } from './check-row.js';

/** RFC 7519 §2 (NumericDate): a number of seconds since 1970. What stands there instead, and how it is to be sent. */
export function noTimeRow(check: CheckName, claim: string, value: unknown): CheckRow {
  const expected = 'seconds since 1970';
  if (typeof value === 'number' && Number.isFinite(value) && value >= LEAST_MILLISECONDS) {
    const mend = `Have the issuer send ${claim} in seconds, not in milliseconds, since 1970: in JavaScript Math.floor(Date.now() / 1000).`;
    return problem(check, `${claim} is in milliseconds`, mend, expected);
  }
  if (typeof value === 'string') {
    const mend = `Have the issuer send ${claim} as a number of seconds since 1970, not as a text: without quotation marks.`;
    return problem(check, `${claim} is a text`, mend, expected);
  }
  return problem(check, `${claim} is no time`, `Have the issuer send ${claim} in seconds since 1970.`, expected);
}
