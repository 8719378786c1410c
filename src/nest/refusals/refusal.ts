import {
  BadRequestException,
  ForbiddenException,
  HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { AUTH_ERROR, AuthError } from '../../model/errors.js';
import { printable, shortened } from '../../model/printable-text.js';
import { type ChallengeContext, challengesFor } from '../../token/challenge.js';

/** The end of a call that the guard does not admit. */
export interface Refusal<Thrown = unknown> {
  /** An `AuthError`, or an error of the application's own code. */
  readonly error: Thrown;
  /** The values of `WWW-Authenticate`. */
  readonly challenges: readonly string[];
  /** How to fix the cause, if `explainRefusals` is on. */
  readonly hint?: string;
}

export type AuthRefusal = Refusal<AuthError>;

export function isAuthRefusal(refusal: Refusal): refusal is AuthRefusal {
  return refusal.error instanceof AuthError;
}

/** Adds the challenges to an error. A 401 of the application has one as well (RFC 9110 §15.5.2). */
export function refusalOf<Thrown>(error: Thrown, context: ChallengeContext, hint?: string): Refusal<Thrown> {
  if (error instanceof AuthError) return { error, challenges: challengesFor(error, context), hint };
  const isUnauthorized = error instanceof HttpException && error.getStatus() === 401;
  return { error, challenges: isUnauthorized ? challengesFor(new AuthError('TOKEN_MISSING'), context) : [] };
}

/** The facts of a refusal for clients that get no HTTP response: what would be in its body and in its headers. */
export function refusalFacts({ error, challenges, hint }: AuthRefusal) {
  const { status, message, code, retryAfterSeconds } = error;
  return {
    statusCode: status,
    message,
    code,
    ...(challenges.length > 0 && { challenge: challenges.join(', ') }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(hint !== undefined && { hint }),
  };
}

/** The facts for clients of sockets and microservices. Nest's own exceptions have the same `status`. */
export function messageFacts(refusal: AuthRefusal) {
  return { status: 'error', ...refusalFacts(refusal) };
}

const EXCEPTIONS = {
  400: [BadRequestException, 'Bad Request'],
  401: [UnauthorizedException, 'Unauthorized'],
  403: [ForbiddenException, 'Forbidden'],
  503: [ServiceUnavailableException, 'Service Unavailable'],
} as const satisfies Record<AuthError['status'], readonly [new (...args: never[]) => HttpException, string]>;

/** Creates the Nest exception of a refusal, with the usual body and `code` in it. */
export function toHttpException(refusal: AuthRefusal): HttpException {
  return exceptionOf(refusal, { statusCode: refusal.error.status });
}

/**
 * Creates the exception of a refusal for GraphQL, where the client receives `extensions`. The body has no status, because
 * Nest's Apollo driver replaces the code of exceptions that have one. It is an HTTP exception, because Nest logs any
 * other error with its stack.
 */
export function toGraphqlException(refusal: AuthRefusal): HttpException {
  const { message: _inTheException, ...extensions } = refusalFacts(refusal);
  return Object.assign(exceptionOf(refusal, {}), { extensions });
}

function exceptionOf({ error, hint }: AuthRefusal, status: { readonly statusCode?: number }): HttpException {
  const [Exception, name] = EXCEPTIONS[error.status];
  const { message, code } = error;
  return asAuthError(
    new Exception({ ...status, message, error: name, code, ...(hint !== undefined && { hint }) }),
    error,
  );
}

/** Makes a new exception satisfy `instanceof AuthError`, with the facts of the error. */
export function asAuthError<Exception extends Error>(exception: Exception, error: AuthError): Exception {
  const { code, status, detail, retryAfterSeconds } = error;
  return Object.assign(exception, { code, status, detail, retryAfterSeconds, cause: error, [AUTH_ERROR]: true });
}

/** Returns whether an error is already in the form of a socket or a microservice, so that it must not be converted again. */
export function isTransportException(error: object): error is { getError(): { readonly hint?: string } } {
  return 'getError' in error;
}

// Enough for the name of an issuer or a key, and less than a token.
const MAX_STRING_LENGTH = 128;
// A key set can have hundreds of keys, each with a reason.
const MAX_LENGTH = 1_024;

/**
 * Formats facts as JSON on one line, for the log and for hints. Strings are shortened and escaped, because `kid` and `issuer` come
 * from a token that is not verified.
 *
 * @param maxLength of the whole text.
 */
export function factsText(facts: unknown, maxLength = MAX_LENGTH): string {
  try {
    const text = JSON.stringify(facts, (_name, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' ? shortened(value, MAX_STRING_LENGTH) : value;
    }) as string | undefined;
    return text === undefined ? typeof facts : printable(text, maxLength);
  } catch {
    // The application's own detail may be circular. That must not change the response.
    return '(not serializable)';
  }
}
