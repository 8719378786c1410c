import { AuthError } from '../../model/errors.js';
import { DEFAULT_TOKEN_TYPES, normalizeTokenType } from '../../options/resolve-issuer.js';
import type { Check } from './check.js';

/** RFC 8725 §3.11, RFC 9068 §4: a token that was issued for another purpose is not an access token. */
export const tokenTypeCheck = {
  name: 'type',
  when: 'before-keys',
  reportOnly: 'tokenTypes',
  run({ header: { typ } }, { tokenTypes }) {
    if (!isOneOf(tokenTypes, typ))
      throw new AuthError('TYPE_NOT_ALLOWED', { member: 'typ', expected: [...tokenTypes] });
  },
  runReported({ header: { typ } }, { tokenTypes }) {
    if (isOneOf(DEFAULT_TOKEN_TYPES, typ) || isOneOf(tokenTypes, typ)) return;
    throw new AuthError('TYPE_NOT_ALLOWED', { member: 'typ', expected: [...DEFAULT_TOKEN_TYPES, ...tokenTypes] });
  },
  explain: ({ header }, { tokenTypes }) => ({ got: header.typ, expected: [...tokenTypes] }),
} as const satisfies Check;

function isOneOf(types: ReadonlySet<string | undefined>, typ: unknown): boolean {
  if (types.has(typ as string | undefined)) return true;
  return typeof typ === 'string' && types.has(normalizeTokenType(typ));
}
