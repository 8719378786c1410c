import { escapeLines, escapeUnprintable } from './printable-text.js';

interface ErrorRow {
  readonly status: 400 | 401 | 403 | 503;
  /** The `error` parameter of the challenge (RFC 6750 §3.1, RFC 9470 §3). Without it the challenge is bare. */
  readonly error?: string;
  /** Fixed text for the client. RFC 6750 §3 allows neither `"` nor `\` in it. */
  readonly description: string;
}

const invalidRequest = <Text extends string>(description: Text) =>
  ({ status: 400, error: 'invalid_request', description }) as const;
const invalidToken = <Text extends string>(description: Text) =>
  ({ status: 401, error: 'invalid_token', description }) as const;
const insufficientScope = <Text extends string>(description: Text) =>
  ({ status: 403, error: 'insufficient_scope', description }) as const;

/**
 * All refusals: a stable code, the HTTP status, the `error` of the challenge and the text that the client receives.
 * Descriptions are fixed, so that no part of a token can appear in a response.
 */
export const ERRORS = {
  TOKEN_MISSING: { status: 401, description: 'An access token is required' },
  SCHEME_UNSUPPORTED: { status: 401, description: 'Only the Bearer authentication scheme is accepted' },
  TOKEN_MULTIPLE: invalidRequest('The request must carry exactly one access token'),
  TOKEN_TOO_LARGE: invalidRequest('The access token is too large'),
  MESSAGES_TOO_MANY: invalidRequest('Too many messages wait for the authentication of the socket'),
  MCP_REQUEST_INVALID: invalidRequest('The headers and the body of the MCP request do not match'),
  TOKEN_MALFORMED: invalidToken('The access token is malformed'),
  ALGORITHM_NOT_ALLOWED: invalidToken('The signature algorithm of the access token is not allowed'),
  TYPE_NOT_ALLOWED: invalidToken('The token is not of a type that is accepted as an access token'),
  HEADER_CRITICAL: invalidToken('The access token requires an extension that is not supported'),
  ISSUER_UNTRUSTED: invalidToken('The issuer of the access token is not trusted'),
  KEY_UNKNOWN: invalidToken('The issuer does not publish the key that the access token names'),
  KEY_UNSUITABLE: invalidToken('The key that the access token names must not be used for its algorithm'),
  SIGNATURE_INVALID: invalidToken('The signature of the access token is not valid'),
  TOKEN_EXPIRED: invalidToken('The access token expired'),
  TOKEN_NOT_YET_VALID: invalidToken('The access token is not valid yet'),
  TOKEN_TOO_OLD: invalidToken('The access token was issued too long ago'),
  AUDIENCE_MISMATCH: invalidToken('The access token was issued for another audience'),
  CLAIM_MISSING: invalidToken('A required claim is missing'),
  CLAIM_INVALID: invalidToken('A claim has a value that is not accepted'),
  USER_REFUSED: invalidToken('The application does not accept the user of the access token'),
  BINDING_UNPROVEN: invalidToken('The access token is bound to a key whose possession was not proven'),
  AUTHENTICATION_INSUFFICIENT: {
    status: 401,
    error: 'insufficient_user_authentication',
    description: 'A stronger or more recent authentication is required',
  },
  SCOPE_INSUFFICIENT: insufficientScope('The access token lacks a required scope'),
  ROLE_INSUFFICIENT: insufficientScope('A required role is missing'),
  PERMISSION_INSUFFICIENT: insufficientScope('A required permission is missing'),
  AUTHORIZATION_DETAILS_INSUFFICIENT: insufficientScope('The access token lacks required authorization details'),
  POLICY_DENIED: insufficientScope('Access is denied'),
  ORIGIN_UNTRUSTED: { status: 403, description: 'Requests from another origin are not accepted' },
  KEYS_UNAVAILABLE: { status: 503, description: "The issuer's signing keys are temporarily unavailable" },
} as const satisfies Record<string, ErrorRow>;

/** The stable name of a refusal: `error.code`, and `code` in the body of the response. */
export type AuthErrorCode = keyof typeof ERRORS;

/** Facts for the log (`claim`, `expected`, `kid`, `issuer`, …). Never a token, a key or a secret. */
export type AuthErrorDetail = Readonly<Record<string, unknown>>;

const RETRY_AFTER_SECONDS = 5;
/** A year. Larger numbers can have an exponent as text, which RFC 9110 §10.2.3 does not allow. */
const MAX_RETRY_AFTER_SECONDS = 366 * 86_400;

// In the global symbol registry, so that `instanceof` works between two installed copies of this package.
export const AUTH_ERROR = Symbol.for('nestjs-resource-server.AuthError');

/**
 * A refusal. `AccessTokenVerifier.verify` throws it, and `validate`, `user` and policies may throw it to refuse a call with a
 * code of their choice: `throw new AuthError('POLICY_DENIED')`. Its fields cannot be changed, and facts about a call are
 * never stored on it, so that an application may throw one constant for many calls.
 *
 * `AuthGuard` throws the Nest `HttpException` of the same status (`UnauthorizedException`, …) with the same `code` and
 * `detail`. That exception satisfies `instanceof AuthError` as well, so that both `@Catch(AuthError)` and
 * `@Catch(HttpException)` catch it.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  /** 400, 401 and 403: the caller's fault. 503: a fault of this application or of the issuer; the token may be valid. */
  readonly status: ErrorRow['status'];
  readonly detail: AuthErrorDetail;
  /** Whole seconds after which the caller may try again, at most 31622400, sent as `Retry-After`. Default for a 503: 5. */
  readonly retryAfterSeconds: number | undefined;
  readonly [AUTH_ERROR] = true;

  constructor(
    readonly code: AuthErrorCode,
    detail: AuthErrorDetail = {},
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(ERRORS[code].description, Object.hasOwn(options, 'cause') ? { cause: options.cause } : undefined);
    this.status = ERRORS[code].status;
    this.detail = Object.freeze({ ...detail });
    const given = Object.hasOwn(options, 'retryAfterSeconds') ? options.retryAfterSeconds : undefined;
    // RFC 9110 §10.2.3: whole seconds.
    if (typeof given === 'number' && given >= 0 && given < Infinity)
      this.retryAfterSeconds = Math.min(Math.ceil(given), MAX_RETRY_AFTER_SECONDS);
    else this.retryAfterSeconds = this.status === 503 ? RETRY_AFTER_SECONDS : undefined;
    // Not frozen: loggers mark the errors that they serialize (pino).
    for (const name of ['code', 'status', 'detail', 'retryAfterSeconds'])
      Object.defineProperty(this, name, { writable: false, configurable: false });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== AuthError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && AUTH_ERROR in value;
  }
}

/** One problem of the options: the path of the option (`issuers[1].audience`), what is wrong, and what to write. */
export interface ConfigurationProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Thrown at start with every problem of the options, so that the application does not start. Also thrown when an `issuers`
 * function returns options that cannot be used; the request is then answered with 500.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';

  constructor(
    readonly problems: readonly ConfigurationProblem[],
    summary = 'AuthModule cannot start',
  ) {
    const lines = problems.map(
      ({ path, message }) => `  - ${escapeUnprintable(path || 'options')}: ${escapeLines(message)}`,
    );
    super([`${summary}:`, ...lines].join('\n'));
    // The message contains them; Node would print them a second time for an uncaught error.
    Object.defineProperty(this, 'problems', { enumerable: false });
  }
}
