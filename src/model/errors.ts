interface ErrorRow {
  readonly status: 400 | 401 | 403 | 503;
  /** The `error` of the challenge (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3); without one the challenge is bare. */
  readonly error?: string;
  /** Fixed text for the client: RFC 6750 §3 allows no `"` and no `\` in it. */
  readonly description: string;
}

/**
 * Every refusal there is: a stable code, the HTTP status, the challenge's `error` and the text that the client
 * sees. Descriptions are fixed, so no part of a token can ever stand in a response.
 */
export const ERRORS = {
  TOKEN_MISSING: { status: 401, description: 'An access token is required' },
  SCHEME_UNSUPPORTED: { status: 401, description: 'Only the Bearer authentication scheme is accepted' },
  TOKEN_MULTIPLE: {
    status: 400,
    error: 'invalid_request',
    description: 'The request must carry exactly one access token',
  },
  TOKEN_TOO_LARGE: { status: 400, error: 'invalid_request', description: 'The access token is too large' },
  TOKEN_MALFORMED: { status: 401, error: 'invalid_token', description: 'The access token is malformed' },
  ALGORITHM_NOT_ALLOWED: {
    status: 401,
    error: 'invalid_token',
    description: 'The signature algorithm of the access token is not allowed',
  },
  TYPE_NOT_ALLOWED: {
    status: 401,
    error: 'invalid_token',
    description: 'The token is not of a type that is accepted as an access token',
  },
  HEADER_CRITICAL: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token demands an extension that is not understood',
  },
  ISSUER_UNTRUSTED: {
    status: 401,
    error: 'invalid_token',
    description: 'The issuer of the access token is not trusted',
  },
  KEY_UNKNOWN: {
    status: 401,
    error: 'invalid_token',
    description: 'The issuer does not publish the key that the access token names',
  },
  KEY_UNSUITABLE: {
    status: 401,
    error: 'invalid_token',
    description: 'The key that the access token names must not be used for its algorithm',
  },
  SIGNATURE_INVALID: {
    status: 401,
    error: 'invalid_token',
    description: 'The signature of the access token is not valid',
  },
  TOKEN_EXPIRED: { status: 401, error: 'invalid_token', description: 'The access token expired' },
  TOKEN_NOT_YET_VALID: { status: 401, error: 'invalid_token', description: 'The access token is not valid yet' },
  TOKEN_TOO_OLD: { status: 401, error: 'invalid_token', description: 'The access token was issued too long ago' },
  AUDIENCE_MISMATCH: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token was issued for another audience',
  },
  CLAIM_MISSING: { status: 401, error: 'invalid_token', description: 'A required claim is missing' },
  CLAIM_INVALID: { status: 401, error: 'invalid_token', description: 'A claim has a value that is not accepted' },
  USER_REFUSED: {
    status: 401,
    error: 'invalid_token',
    description: 'The application does not accept the user of the access token',
  },
  BINDING_UNPROVEN: {
    status: 401,
    error: 'invalid_token',
    description: 'The access token is bound to a key whose possession was not proven',
  },
  PROOF_INVALID: { status: 401, error: 'invalid_dpop_proof', description: 'The DPoP proof is not valid' },
  PROOF_REPLAYED: { status: 401, error: 'invalid_dpop_proof', description: 'The DPoP proof was used before' },
  NONCE_REQUIRED: { status: 401, error: 'use_dpop_nonce', description: 'The DPoP proof must carry the nonce' },
  TOKEN_REVOKED: { status: 401, error: 'invalid_token', description: 'The access token was revoked' },
  TOKEN_INACTIVE: { status: 401, error: 'invalid_token', description: 'The access token is not active' },
  AUTHENTICATION_INSUFFICIENT: {
    status: 401,
    error: 'insufficient_user_authentication',
    description: 'A stronger or more recent authentication is required',
  },
  SCOPE_INSUFFICIENT: {
    status: 403,
    error: 'insufficient_scope',
    description: 'The access token lacks a required scope',
  },
  ROLE_INSUFFICIENT: { status: 403, error: 'insufficient_scope', description: 'A required role is missing' },
  PERMISSION_INSUFFICIENT: {
    status: 403,
    error: 'insufficient_scope',
    description: 'A required permission is missing',
  },
  AUTHORIZATION_DETAILS_INSUFFICIENT: {
    status: 403,
    error: 'insufficient_scope',
    description: 'The access token lacks required authorization details',
  },
  POLICY_DENIED: { status: 403, error: 'insufficient_scope', description: 'Access is denied' },
  ORIGIN_UNTRUSTED: { status: 403, description: 'Requests from another origin are not accepted' },
  KEYS_UNAVAILABLE: { status: 503, description: 'The keys of the issuer cannot be had at the moment' },
  INTROSPECTION_UNAVAILABLE: { status: 503, description: 'The access token cannot be introspected at the moment' },
  STORE_UNAVAILABLE: { status: 503, description: 'A store that the check needs cannot be reached at the moment' },
} as const satisfies Record<string, ErrorRow>;

/** The stable name of a refusal: `error.code`, and `code` in the response's body. */
export type AuthErrorCode = keyof typeof ERRORS;

/** Facts for the log (`claim`, `expected`, `kid`, `issuer`, …). Never a token, a key or a secret. */
export type AuthErrorDetail = Readonly<Record<string, unknown>>;

const RETRY_AFTER_SECONDS = 5;

// Registered, so that the errors of two installed copies of this package know each other.
export const AUTH_ERROR = Symbol.for('nestjs-resource-server.AuthError');

/**
 * A refusal. Thrown by {@link AccessTokenVerifier.verify}; `validate` and `user` throw it to refuse on their own
 * account: `throw new AuthError('POLICY_DENIED')`.
 *
 * What `AuthGuard` throws into Nest is the `HttpException` of the same status (`UnauthorizedException` and so on)
 * with the same `code` and `detail`. It counts as an `AuthError` for `instanceof`, so both `@Catch(AuthError)` and
 * `@Catch(HttpException)` see it.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  /** 400 or 401 or 403: the caller's fault. 503: ours or the issuer's, the token may be good. */
  readonly status: ErrorRow['status'];
  /** Seconds after which a caller may try again; sent as `Retry-After`. With a 503 five, when nothing else was given. */
  readonly retryAfterSeconds: number | undefined;
  readonly [AUTH_ERROR] = true;
  /** The issuer of the token, once it is known to be a trusted one. */
  issuer?: string;
  /**
   * For developers: how to mend it, where `explainRefusals` is on. It stands in the answer; of what an exception filter is given, on
   * its `cause`. One of your own is told nobody.
   */
  hint?: string;

  constructor(
    readonly code: AuthErrorCode,
    readonly detail: AuthErrorDetail = {},
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(ERRORS[code].description, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = ERRORS[code].status;
    const given = options.retryAfterSeconds;
    // RFC 9110 §10.2.3: whole seconds.
    if (given !== undefined && given >= 0 && given < Infinity) this.retryAfterSeconds = Math.ceil(given);
    else this.retryAfterSeconds = this.status === 503 ? RETRY_AFTER_SECONDS : undefined;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== AuthError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && AUTH_ERROR in value;
  }
}

/** One thing that is wrong with the options: where (`issuers[1].audience`), and what to write instead. */
export interface ConfigurationProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Thrown at start, with every problem of the options at once: the application does not start. Also thrown when an
 * `issuers` function returns options that cannot be used; that request is answered with 500.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(
    readonly problems: readonly ConfigurationProblem[],
    summary = 'AuthModule cannot start',
  ) {
    super(`${summary}:\n${problems.map(({ path, message }) => `  - ${path || 'options'}: ${message}`).join('\n')}`);
    // They stand in the message: Node would print them twice where nobody catches it.
    Object.defineProperty(this, 'problems', { enumerable: false });
  }
}
