import { type AuthError, type AuthErrorDetail, ERRORS } from '../model/errors.js';

/**
 * Returns the values of `WWW-Authenticate` for a refusal (RFC 6750 §3). The challenge is bare if no token was sent. A 503 has
 * none, because the fault is not the caller's.
 */
export function challengesFor(error: AuthError, realm: string | undefined): readonly string[] {
  // An error of another installed version of this package may have a code that is unknown here.
  const rows: Partial<Record<string, { status: number; error?: string; description: string }>> = ERRORS;
  const row = rows[error.code] ?? { status: error.status, description: error.message };
  if (row.status === 503) return [];
  const parameters: string[] = [];
  if (realm !== undefined) parameters.push(`realm="${realm}"`);
  if (row.error !== undefined) {
    parameters.push(`error="${row.error}"`, `error_description="${row.description}"`);
  }
  const { scope } = error.detail;
  // RFC 6750 §3: the required scope. Only characters that RFC 6749 §3.3 allows in a scope may be in the header.
  if (row.error === 'insufficient_scope' && typeof scope === 'string' && SCOPE.test(scope)) {
    parameters.push(`scope="${scope}"`);
  }
  if (row.error === 'insufficient_user_authentication') parameters.push(...stepUp(error.detail));
  return [parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`];
}

/** RFC 9470 §3: the authentication that is required. */
function stepUp({ acrValues, maxAgeSeconds }: AuthErrorDetail): string[] {
  const parameters: string[] = [];
  if (typeof acrValues === 'string' && SCOPE.test(acrValues)) parameters.push(`acr_values="${acrValues}"`);
  if (typeof maxAgeSeconds === 'number' && maxAgeSeconds >= 0 && maxAgeSeconds < Infinity)
    parameters.push(`max_age="${String(Math.floor(maxAgeSeconds))}"`);
  return parameters;
}

// RFC 6749 §3.3. Also used for `acr` values, which are URIs or names (RFC 6711 §3.1).
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
