import { AuthError } from '../../model/errors.js';
import { requiredNumericDate } from '../claims.js';
import type { Check } from './check.js';

/** Rejects tokens that were issued longer ago than the option `maxTokenAgeSeconds` allows, whatever their `exp`. */
export const tokenAgeCheck = {
  name: 'age',
  when: 'after-signature',
  run({ claims, nowSeconds }, { maxTokenAgeSeconds, clockToleranceSeconds }) {
    if (maxTokenAgeSeconds === undefined) return;
    const iat = requiredNumericDate(claims, 'iat');
    if (!(nowSeconds - iat <= maxTokenAgeSeconds + clockToleranceSeconds))
      throw new AuthError('TOKEN_TOO_OLD', { claim: 'iat', maxTokenAgeSeconds });
  },
  explain: ({ claims: { iat }, nowSeconds }, { maxTokenAgeSeconds: max }) => ({
    got: typeof iat === 'number' ? `${String(Math.floor(nowSeconds - iat))} seconds` : iat,
    expected: max === undefined ? undefined : `at most ${String(max)} seconds`,
  }),
} as const satisfies Check;
