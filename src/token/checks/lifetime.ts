import { AuthError } from '../../model/errors.js';
import { NUMERIC_DATE, optionalClaim, requiredClaim } from '../claims.js';
import { timeHint } from '../hints.js';
import type { Check } from './check.js';

/** RFC 7519 §4.1.4, and required by RFC 9068 §2.2: a token without an expiration would be valid forever. */
export const expirationCheck = {
  name: 'expiration',
  run({ claims, nowSeconds }, { clockToleranceSeconds }) {
    const exp = requiredClaim(claims, 'exp', NUMERIC_DATE);
    // The comparison is negated so that a clock that returns NaN rejects.
    if (!(nowSeconds < exp + clockToleranceSeconds)) throw new AuthError('TOKEN_EXPIRED', { claim: 'exp' });
  },
  explain: ({ claims: { exp }, nowSeconds }, { clockToleranceSeconds }) => ({
    got: exp,
    expected: `later than ${String(Math.floor(nowSeconds))} - ${String(clockToleranceSeconds)} s (clockToleranceSeconds)`,
    hint: timeHint('exp', exp, nowSeconds),
  }),
} as const satisfies Check;

const START_CLAIMS = ['nbf', 'iat'];

/** RFC 7519 §4.1.5, §4.1.6: a token that is issued in the future comes from a clock that cannot be trusted. */
export const notBeforeCheck = {
  name: 'not-before',
  run({ claims, nowSeconds }, { clockToleranceSeconds }) {
    for (const claim of START_CLAIMS) {
      const time = optionalClaim(claims, claim, NUMERIC_DATE);
      if (time !== undefined && !(time <= nowSeconds + clockToleranceSeconds))
        throw new AuthError('TOKEN_NOT_YET_VALID', { claim });
    }
  },
  explain({ claims, nowSeconds }, { clockToleranceSeconds }) {
    const isTimely = (time: unknown) => typeof time === 'number' && time <= nowSeconds + clockToleranceSeconds;
    const failing = START_CLAIMS.find((claim) => claims[claim] !== undefined && !isTimely(claims[claim]));
    return {
      got: failing && { [failing]: claims[failing] },
      expected: `not later than ${String(Math.floor(nowSeconds))} + ${String(clockToleranceSeconds)} s (clockToleranceSeconds)`,
      hint: failing && timeHint(failing, claims[failing], nowSeconds),
    };
  },
} as const satisfies Check;

/** Rejects tokens that were issued longer ago than the option `maxTokenAgeSeconds` allows, whatever their `exp`. */
export const tokenAgeCheck = {
  name: 'age',
  run({ claims, nowSeconds }, { maxTokenAgeSeconds, clockToleranceSeconds }) {
    if (maxTokenAgeSeconds === undefined) return;
    const iat = requiredClaim(claims, 'iat', NUMERIC_DATE);
    if (!(nowSeconds - iat <= maxTokenAgeSeconds + clockToleranceSeconds))
      throw new AuthError('TOKEN_TOO_OLD', { claim: 'iat', maxTokenAgeSeconds });
  },
  explain: ({ claims: { iat }, nowSeconds }, { maxTokenAgeSeconds: max }) => ({
    got: typeof iat === 'number' ? `${String(Math.floor(nowSeconds - iat))} seconds` : iat,
    expected: max === undefined ? undefined : `at most ${String(max)} seconds`,
  }),
} as const satisfies Check;
