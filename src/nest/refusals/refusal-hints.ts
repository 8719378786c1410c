import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { AuthError } from '../../model/errors.js';
import { AUTHORITIES } from '../../model/requirement.js';
import type { Explanation } from '../../token/explain.js';
import { hintFor } from '../../token/hints.js';
import { factsText } from './refusal.js';

/**
 * Returns the hint of a refusal (`explainRefusals`), with what the options or the route expect and what was sent.
 * @param rows of the presented token.
 * @param token the verified token, if it was not itself rejected.
 */
export function explainRefusal(
  error: AuthError,
  rows: readonly Explanation[],
  token: VerifiedAccessToken | undefined,
): string {
  const row = rows.find(({ passed, code }) => passed === false && code === error.code);
  if (row !== undefined) {
    const label = row.check === 'signature' ? 'Got the key id' : 'Got';
    return withValues(row.hint ?? hintFor(error), row.expected, label, row.got);
  }
  const has = 'The token has';
  if (error.code === 'AUTHENTICATION_INSUFFICIENT') {
    const { acrValues: acr, maxAgeSeconds } = error.detail;
    const got = token && { acr: token.claims.acr, auth_time: token.claims.auth_time };
    return withValues(hintFor(error), { acr, maxAgeSeconds }, has, got);
  }
  const authority = Object.values(AUTHORITIES).find(({ code }) => code === error.code);
  return withValues(hintFor(error), error.detail.expected, has, authority && token?.[authority.granted]);
}

const MAX_LENGTH = 256;

function withValues(hint: string, expected: unknown, label: string, got: unknown): string {
  const part = (name: string, value: unknown) =>
    value === undefined ? '' : ` ${name}: ${factsText(value, MAX_LENGTH)}.`;
  return `${hint}${part('Expected', expected)}${part(label, got)}`;
}
