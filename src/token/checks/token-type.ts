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
  explain({ header: { typ } }, { tokenTypes }) {
    const kind = typeof typ === 'string' ? OTHER_KINDS.get(normalizeTokenType(typ)) : undefined;
    const hint = kind && `It is ${kind}, not an access token. Send the \`access_token\` of the token response.`;
    return { got: typ, expected: [...tokenTypes], hint };
  },
} as const satisfies Check;

/** Tokens that are not access tokens, by their `typ`. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['dpop+jwt', 'a DPoP proof'],
  ['logout+jwt', 'a logout token'],
  ['refresh+jwt', 'a refresh token'],
  ['secevent+jwt', 'a security event token'],
]);

function isOneOf(types: ReadonlySet<string | undefined>, typ: unknown): boolean {
  if (types.has(typ as string | undefined)) return true;
  return typeof typ === 'string' && types.has(normalizeTokenType(typ));
}
