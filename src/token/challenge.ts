import { type AuthError, type AuthErrorDetail, ERRORS } from '../model/errors.js';

/**
 * The `WWW-Authenticate` header of a refusal (RFC 6750 §3): bare when no token was sent, since then the caller may
 * just not have known; none when the fault is ours.
 *
 * @param realm printable ASCII without `"` and `\`, as the options were checked for.
 */
export function challengeFor(error: AuthError, realm: string | undefined): string | undefined {
  // An error of another copy of this package may have a code that this one does not know yet.
  const rows: Partial<Record<string, { status: number; error?: string; description: string }>> = ERRORS;
  const row = rows[error.code] ?? { status: error.status, description: error.message };
  if (row.status === 503) return undefined;
  const parameters: string[] = [];
  if (realm !== undefined) parameters.push(`realm="${realm}"`);
  if (row.error !== undefined) {
    parameters.push(`error="${row.error}"`, `error_description="${row.description}"`);
  }
  const { scope } = error.detail;
  // RFC 6750 §3: the scope that is needed. Only characters that RFC 6749 §3.3 allows in a scope may go into a header.
  if (row.error === 'insufficient_scope' && typeof scope === 'string' && SCOPE.test(scope)) {
    parameters.push(`scope="${scope}"`);
  }
  if (row.error === 'insufficient_user_authentication') parameters.push(...stepUp(error.detail));
  return parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`;
}

/** RFC 9470 §3: which authentication would do. */
function stepUp({ acrValues, maxAgeSeconds }: AuthErrorDetail): string[] {
  const parameters: string[] = [];
  if (typeof acrValues === 'string' && SCOPE.test(acrValues)) parameters.push(`acr_values="${acrValues}"`);
  if (typeof maxAgeSeconds === 'number' && maxAgeSeconds >= 0 && maxAgeSeconds < Infinity)
    parameters.push(`max_age="${String(Math.floor(maxAgeSeconds))}"`);
  return parameters;
}

// What RFC 6749 §3.3 allows in a scope; also fit for `acr` values, which are addresses or names (RFC 6711 §3.1).
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
