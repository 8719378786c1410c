import {
  BadRequestException,
  ForbiddenException,
  type HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { AUTH_ERROR, type AuthError } from '../errors.js';

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
  const [Exception, name] = EXCEPTIONS[error.status];
  const body = { statusCode: error.status, message: error.message, error: name, code: error.code };
  const { code, detail, retryAfterSeconds } = error;
  return Object.assign(new Exception(body, { cause: error }), { code, detail, retryAfterSeconds, [AUTH_ERROR]: true });
}

/** Whether it is what Nest's filters of sockets and microservices know already, and no plain `AuthError`. */
export function isTransportException(error: object): boolean {
  return 'getError' in error;
}
