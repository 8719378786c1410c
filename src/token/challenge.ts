import { type AuthError, type AuthErrorDetail, ERRORS } from '../model/errors.js';
import { MAX_AUTHENTICATION_AGE_SECONDS } from '../model/requirement.js';

/** The parts of a challenge that depend on the route, not on the refusal. */
export interface ChallengeContext {
  readonly realm?: string | undefined;
  /** The address of the metadata of the protected resource (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
  /** The scopes that a client requests together with its first token. Undefined for a route that belongs to no resource. */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * Returns the values of `WWW-Authenticate` for a refusal (RFC 6750 §3). If no token was sent, the challenge has no error. A 503 has
 * none, because the fault is not the caller's.
 */
export function challengesFor(
  { code, status, message, detail }: AuthError,
  { realm, resourceMetadata, scopes = [] }: ChallengeContext,
): readonly string[] {
  // An error of another installed version of this package may have a code that is unknown here.
  const rows: Partial<Record<string, { status: number; error?: string; description: string }>> = ERRORS;
  const row = rows[code] ?? { status, description: message };
  if (row.status === 503) return [];
  // Facts of the refusal only, without what a polluted prototype supplies.
  const facts: AuthErrorDetail = Object.assign(Object.create(null) as AuthErrorDetail, detail);
  const { acrValues, maxAgeSeconds: maxAge } = facts;
  const needed = row.error === 'insufficient_scope' ? facts.scope : row.status === 401 ? scopes.join(' ') : undefined;
  const scope = typeof needed === 'string' ? withoutOfflineAccess(needed.split(' ')).join(' ') : undefined;
  const isStepUp = row.error === 'insufficient_user_authentication';
  const parameters = {
    realm,
    error: row.error,
    error_description: row.error && row.description,
    scope: isScope(scope) ? scope : undefined,
    // RFC 9470 §3: the authentication that is required.
    acr_values: isStepUp && isScope(acrValues) ? acrValues : undefined,
    max_age: isStepUp && isSeconds(maxAge) ? Math.min(Math.floor(maxAge), MAX_AUTHENTICATION_AGE_SECONDS) : undefined,
    resource_metadata: resourceMetadata,
  };
  const sent = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return [`Bearer ${sent.map(([name, value]) => `${name}="${String(value)}"`).join(', ')}`.trimEnd()];
}

/** A refresh token is between the client and the authorization server. An API neither needs nor requests it. */
export function withoutOfflineAccess(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => scope !== 'offline_access');
}

// RFC 6749 §3.3: the characters of a scope. Also used for `acr` values, which are URIs or names (RFC 6711 §3.1).
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

function isScope(value: unknown): boolean {
  return typeof value === 'string' && SCOPE.test(value);
}

function isSeconds(value: unknown): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}
