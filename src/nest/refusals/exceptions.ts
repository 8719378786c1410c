import {
  BadRequestException,
  ForbiddenException,
  type HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { AUTH_ERROR, type AuthError } from '../../model/errors.js';
import { hintIn, keepHint } from './refusal-hints.js';

const EXCEPTIONS = {
  400: [BadRequestException, 'Bad Request'],
  401: [UnauthorizedException, 'Unauthorized'],
  403: [ForbiddenException, 'Forbidden'],
  503: [ServiceUnavailableException, 'Service Unavailable'],
} as const satisfies Record<AuthError['status'], readonly [new (...args: never[]) => HttpException, string]>;

/**
 * The exception that Nest's filters know, with the body that Nest's own have and `code` beside it. It keeps the
 * `AuthError`'s `code` and `detail`, and `instanceof AuthError` holds for it.
 */
export function toHttpException(error: AuthError): HttpException {
  return exceptionWith(error, { statusCode: error.status, ...bodyOf(error) });
}

/**
 * The same for GraphQL, where `extensions` is what the client is told. Its body does not say the status: then Nest's Apollo
 * driver, which knows HTTP exceptions by that, leaves our code as it is. An HTTP exception all the same, since Nest writes any
 * other error into the log, with its stack.
 */
export function toGraphqlException(error: AuthError, extensions: object): HttpException {
  return Object.assign(exceptionWith(error, bodyOf(error)), { extensions });
}

function bodyOf(refusal: AuthError) {
  const { status, message, code } = refusal;
  const hint = hintIn(refusal);
  return { message, error: EXCEPTIONS[status][1], code, ...(hint !== undefined && { hint }) };
}

function exceptionWith(error: AuthError, body: object): HttpException {
  const [Exception] = EXCEPTIONS[error.status];
  const { code, detail, retryAfterSeconds } = error;
  return Object.assign(new Exception(body, { cause: error }), { code, detail, retryAfterSeconds, [AUTH_ERROR]: true });
}

/** Makes an exception of a socket or a microservice count as the `AuthError` that it stands for. */
export function asAuthError<Exception extends Error>(exception: Exception, error: AuthError): Exception {
  const { code, status, detail, retryAfterSeconds } = error;
  const facts = { code, status, detail, retryAfterSeconds, cause: error, [AUTH_ERROR]: true as const };
  return keepHint(Object.assign(exception, facts) as unknown as AuthError & Exception, hintIn(error));
}

/** Whether it is what Nest's filters of sockets and microservices know already, and no plain `AuthError`. */
export function isTransportException(error: object): boolean {
  return 'getError' in error;
}
