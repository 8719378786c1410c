import { AuthError } from '../../model/errors.js';
import { numericDate } from '../claims.js';
import { notBeforeHint } from '../hints.js';
import type { Check } from './check.js';

/** RFC 7519 §4.1.5, §4.1.6: a token that is issued in the future comes from a clock that cannot be trusted. */
export const notBeforeCheck = {
  name: 'not-before',
  when: 'after-signature',
  run({ claims, nowSeconds }, { clockToleranceSeconds }) {
    for (const claim of ['nbf', 'iat']) {
      const time = numericDate(claims, claim);
      if (time !== undefined && !(time <= nowSeconds + clockToleranceSeconds))
        throw new AuthError('TOKEN_NOT_YET_VALID', { claim });
    }
  },
  explain: ({ claims, nowSeconds }, { clockToleranceSeconds }) => ({
    got: { nbf: claims.nbf, iat: claims.iat },
    expected: `not later than ${String(Math.floor(nowSeconds))}`,
    hint: notBeforeHint(claims, nowSeconds, clockToleranceSeconds),
  }),
} as const satisfies Check;
