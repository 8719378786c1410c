import { AuthError } from '../../model/errors.js';
import { requiredNumericDate } from '../claims.js';
import { timeHint } from '../hints.js';
import type { Check } from './check.js';

/** RFC 7519 §4.1.4, and required by RFC 9068 §2.2: a token without an expiration would be valid forever. */
export const expirationCheck = {
  name: 'expiration',
  when: 'before-keys',
  run({ claims, nowSeconds }, { clockToleranceSeconds }) {
    const exp = requiredNumericDate(claims, 'exp');
    // The comparison is negated so that a clock that returns NaN rejects.
    if (!(nowSeconds < exp + clockToleranceSeconds)) throw new AuthError('TOKEN_EXPIRED', { claim: 'exp' });
  },
  explain: ({ claims: { exp }, nowSeconds }, { clockToleranceSeconds }) => ({
    got: exp,
    expected: `later than ${String(Math.floor(nowSeconds))} - ${String(clockToleranceSeconds)} s (clockToleranceSeconds)`,
    hint: timeHint('exp', exp, nowSeconds),
  }),
} as const satisfies Check;
