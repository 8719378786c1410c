import type { AuthError } from '../../model/errors.js';
import { type CheckRow, problem } from './check-row.js';

/** What stands there in place of a signed token. */
export function formRow(token: string, refusal: AuthError | undefined): CheckRow {
  const parts = token.split('.').length;
  const expected = 'three parts with dots between (a JWT)';
  if (refusal?.code === 'TOKEN_TOO_LARGE') {
    return problem(
      'token.form',
      `${String(token.length)} characters`,
      'Have the issuer put less into it (groups, say, by reference): proxies refuse headers of that size, too.',
      `at most ${String(refusal.detail.limit)}`,
    );
  }
  if (/^[[{]/.test(token)) {
    return problem('token.form', 'JSON, not a token', 'Send the value of access_token only.', expected);
  }
  if (parts === 5) {
    return problem(
      'token.form',
      'an encrypted token (five parts, JWE)',
      'Switch off the encryption of access tokens for this API: what is sent over TLS needs none.',
      expected,
    );
  }
  if (parts !== 3) {
    const mend =
      'Ask for a token for your API: most issuers send opaque tokens unless the request names one (audience=… at Auth0, resource=… by RFC 8707, scope=api://…/.default at Entra ID); an opaque token cannot be verified with keys, only by introspection.';
    return problem(
      'token.form',
      `an opaque token (${String(parts)} ${parts === 1 ? 'part' : 'parts'})`,
      mend,
      expected,
    );
  }
  const { reason = 'cannot be read' } = (refusal?.detail ?? {}) as { reason?: string };
  return problem(
    'token.form',
    reason,
    'It was cut off, wrapped or encoded on the way (quotation marks, line breaks, URL encoding): pass it on as it came.',
    expected,
  );
}
