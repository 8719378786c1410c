import {
  BadRequestException,
  ForbiddenException,
  type HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { AUTH_ERROR, type AuthError } from '../../model/errors.js';
import type { AuthRefusal } from './refusal.js';

const EXCEPTIONS = {
  400: [BadRequestException, 'Bad Request'],
  401: [UnauthorizedException, 'Unauthorized'],
  403: [ForbiddenException, 'Forbidden'],
  503: [ServiceUnavailableException, 'Service Unavailable'],
} as const satisfies Record<AuthError['status'], readonly [new (...args: never[]) => HttpException, string]>;

/**
 * Creates the Nest exception of a refusal, with the usual body and `code` in it. It has the `code` and `detail` of the
 * `AuthError` and satisfies `instanceof AuthError`.
 */
export function toHttpException(refusal: AuthRefusal): HttpException {
  return exceptionWith(refusal.error, { statusCode: refusal.error.status, ...bodyOf(refusal) });
}

/**
 * Creates the exception of a refusal for GraphQL, where the client receives `extensions`. The body has no status, because
 * Nest's Apollo driver replaces the code of exceptions that have one. It is an HTTP exception, because Nest logs any
 * other error with its stack.
 */
export function toGraphqlException(refusal: AuthRefusal, extensions: object): HttpException {
  return Object.assign(exceptionWith(refusal.error, bodyOf(refusal)), { extensions });
}

function bodyOf({ error: { status, message, code }, hint }: AuthRefusal) {
  return { message, error: EXCEPTIONS[status][1], code, ...(hint !== undefined && { hint }) };
}

function exceptionWith(error: AuthError, body: object): HttpException {
  const [Exception] = EXCEPTIONS[error.status];
  const { code, detail, retryAfterSeconds } = error;
  return Object.assign(new Exception(body, { cause: error }), { code, detail, retryAfterSeconds, [AUTH_ERROR]: true });
}

/** Makes a new exception of a socket or a microservice satisfy `instanceof AuthError`, with the facts of the error. */
export function asAuthError<Exception extends Error>(exception: Exception, error: AuthError): Exception {
  const { code, status, detail, retryAfterSeconds } = error;
  return Object.assign(exception, { code, status, detail, retryAfterSeconds, cause: error, [AUTH_ERROR]: true });
}

/** Returns whether an error is already in the form of a socket or a microservice, so that it must not be converted again. */
export function isTransportException(error: object): boolean {
  return 'getError' in error;
}
