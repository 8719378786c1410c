import type { VerifiedAccessToken } from '../../model/access-token.js';
import { AuthError, type AuthErrorCode } from '../../model/errors.js';
import type { Explanation } from '../../token/explain.js';
import { hintFor } from '../../token/hints.js';

// A hint of somebody else's is none that callers may see.
const hinted = new WeakSet<object>();

/** The same refusal, with how to mend it. Another error: that one may be thrown for other calls, too. */
export function withHint(error: AuthError, hint: string): AuthError {
  const { code, detail, retryAfterSeconds } = error;
  return keepHint(new AuthError(code, detail, { cause: error, retryAfterSeconds }), hint);
}

/** Of an error made here (`explainRefusals`); undefined for any other. */
export function hintIn(error: AuthError): string | undefined {
  return hinted.has(error) ? error.hint : undefined;
}

/** For what stands for such an error on its transport. */
export function keepHint<Refusal extends AuthError>(error: Refusal, hint: string | undefined): Refusal {
  if (hint === undefined) return error;
  hinted.add(error);
  error.hint = hint;
  return error;
}

/**
 * What a developer is told of a refusal (`explainRefusals`), with what the options or the route expect and what was sent.
 * @param token the verified one, where it was not refused for itself.
 */
export function hintOf(
  error: AuthError,
  explained: readonly Explanation[],
  token: VerifiedAccessToken | undefined,
): string {
  const row = explained.find(({ passed, code }) => passed === false && code === error.code);
  if (row !== undefined) {
    const found = row.check === 'signature' ? 'Got the key id' : 'Got';
    return withValues(row.hint ?? hintFor(error), row.expected, row.got, found);
  }
  const got = token && GRANTED[error.code]?.(token);
  return withValues(hintFor(error), error.detail.expected ?? stepUpOf(error), got, 'The token has');
}

/** What of a token is too little. */
const GRANTED: Partial<Record<AuthErrorCode, (token: VerifiedAccessToken) => unknown>> = {
  SCOPE_INSUFFICIENT: ({ scopes }) => scopes,
  ROLE_INSUFFICIENT: ({ roles }) => roles,
  PERMISSION_INSUFFICIENT: ({ permissions }) => permissions,
  AUTHENTICATION_INSUFFICIENT: ({ claims: { acr, auth_time } }) => ({ acr, auth_time }),
};

function stepUpOf({ code, detail: { acrValues, maxAgeSeconds } }: AuthError): unknown {
  return code === 'AUTHENTICATION_INSUFFICIENT' ? { acr: acrValues, maxAgeSeconds } : undefined;
}

function withValues(hint: string, expected: unknown, got: unknown, found: string): string {
  const parts = [
    ...(expected === undefined ? [] : [`Expected: ${textOf(expected)}.`]),
    ...(got === undefined ? [] : [`${found}: ${textOf(got)}.`]),
  ];
  return [hint, ...parts].join(' ');
}

const MAX_LENGTH = 256;

function textOf(value: unknown): string {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) return typeof value;
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  } catch {
    // The application's own detail, which has a circle in it, say. That must not decide what is answered.
    return typeof value;
  }
}
