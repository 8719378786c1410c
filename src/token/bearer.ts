import { AuthError } from '../model/errors.js';

/** The longest compact token that is processed, in characters. Node's limit for all headers is 16 KiB by default. */
export const MAX_TOKEN_LENGTH = 32_768;

export const SEVERAL_WORDS = 'a space or a comma in the token';

const SCHEME_LENGTH = 'Bearer'.length;

/**
 * Returns the token of the `Authorization` header (RFC 6750 §2.1). One pass without regular expressions, because this code
 * processes input of unauthenticated callers: the pattern of passport-jwt takes quadratic time.
 * @throws AuthError TOKEN_MISSING, SCHEME_UNSUPPORTED, TOKEN_MULTIPLE, TOKEN_TOO_LARGE, TOKEN_MALFORMED
 */
export function bearerToken(values: readonly string[]): string {
  if (values.length > 1) throw new AuthError('TOKEN_MULTIPLE', { headers: values.length });
  const value = values[0];
  if (value === undefined || value === '') throw new AuthError('TOKEN_MISSING');
  // RFC 9110 §11.1: the scheme is compared without case.
  const isBearer =
    value.slice(0, SCHEME_LENGTH).toLowerCase() === 'bearer' &&
    (value.length === SCHEME_LENGTH || value[SCHEME_LENGTH] === ' ');
  if (!isBearer) throw new AuthError('SCHEME_UNSUPPORTED');
  const token = value.slice(SCHEME_LENGTH).trim();
  if (token === '') throw new AuthError('TOKEN_MALFORMED', { reason: 'empty' });
  if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
  if (token.includes(' ') || token.includes(','))
    throw new AuthError('TOKEN_MULTIPLE', { headers: 1, reason: SEVERAL_WORDS });
  return token;
}
