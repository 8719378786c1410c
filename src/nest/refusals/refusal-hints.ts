import type { VerifiedAccessToken } from '../../model/access-token.js';
import type { AuthError, AuthErrorCode } from '../../model/errors.js';
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
  const got = token && AUTHORITIES[error.code]?.(token);
  return withValues(hintFor(error), error.detail.expected ?? stepUpOf(error), 'The token has', got);
}

/** Reads the values of the token that are compared with the requirement. */
const AUTHORITIES: Partial<Record<AuthErrorCode, (token: VerifiedAccessToken) => unknown>> = {
  SCOPE_INSUFFICIENT: ({ scopes }) => scopes,
  ROLE_INSUFFICIENT: ({ roles }) => roles,
  PERMISSION_INSUFFICIENT: ({ permissions }) => permissions,
  AUTHENTICATION_INSUFFICIENT: ({ claims: { acr, auth_time } }) => ({ acr, auth_time }),
};

function stepUpOf({ code, detail: { acrValues, maxAgeSeconds } }: AuthError): unknown {
  return code === 'AUTHENTICATION_INSUFFICIENT' ? { acr: acrValues, maxAgeSeconds } : undefined;
}

const MAX_LENGTH = 256;

function withValues(hint: string, expected: unknown, label: string, got: unknown): string {
  const parts = [
    ...(expected === undefined ? [] : [`Expected: ${factsText(expected, MAX_LENGTH)}.`]),
    ...(got === undefined ? [] : [`${label}: ${factsText(got, MAX_LENGTH)}.`]),
  ];
  return [hint, ...parts].join(' ');
}
