import { AuthError } from '../../model/errors.js';
import { numericDate } from '../claims.js';
import { timeHint } from '../hints.js';
import type { Check } from './check.js';

const CLAIMS = ['nbf', 'iat'];

/** RFC 7519 §4.1.5, §4.1.6: a token that is issued in the future comes from a clock that cannot be trusted. */
export const notBeforeCheck = {
  name: 'not-before',
  when: 'after-signature',
  run({ claims, nowSeconds }, { clockToleranceSeconds }) {
    for (const claim of CLAIMS) {
      const time = numericDate(claims, claim);
      if (time !== undefined && !(time <= nowSeconds + clockToleranceSeconds))
        throw new AuthError('TOKEN_NOT_YET_VALID', { claim });
    }
  },
  explain({ claims, nowSeconds }, { clockToleranceSeconds }) {
    const isTimely = (time: unknown) => typeof time === 'number' && time <= nowSeconds + clockToleranceSeconds;
    const failing = CLAIMS.find((claim) => claims[claim] !== undefined && !isTimely(claims[claim]));
    return {
      got: failing && { [failing]: claims[failing] },
      expected: `not later than ${String(Math.floor(nowSeconds))} + ${String(clockToleranceSeconds)} s (clockToleranceSeconds)`,
      hint: failing && timeHint(failing, claims[failing], nowSeconds),
    };
  },
} as const satisfies Check;
