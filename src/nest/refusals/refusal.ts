import { HttpException } from '@nestjs/common';
import { AuthError } from '../../model/errors.js';
import { challengesFor } from '../../token/challenge.js';

/** The end of a call that the guard does not admit. */
export interface Refusal {
  /** An `AuthError`, or an error of the application's own code. */
  readonly error: unknown;
  /** The values of `WWW-Authenticate`. */
  readonly challenges: readonly string[];
  /** How to fix the cause, if `explainRefusals` is on. */
  readonly hint?: string;
}

/** A refusal whose error is an `AuthError`. */
export interface AuthRefusal extends Refusal {
  readonly error: AuthError;
}

export function isAuthRefusal(refusal: Refusal): refusal is AuthRefusal {
  return refusal.error instanceof AuthError;
}

/** Adds the challenges to an error. A 401 of the application has one as well (RFC 9110 §15.5.2). */
export function refusalOf(error: AuthError, realm: string | undefined, hint?: string): AuthRefusal;
export function refusalOf(error: unknown, realm: string | undefined, hint?: string): Refusal;
export function refusalOf(error: unknown, realm: string | undefined, hint?: string): Refusal {
  if (error instanceof AuthError) return { error, challenges: challengesFor(error, realm), hint };
  const isUnauthorized = error instanceof HttpException && error.getStatus() === 401;
  return { error, challenges: isUnauthorized ? challengesFor(new AuthError('TOKEN_MISSING'), realm) : [] };
}

/** The error object for clients that get no HTTP response. It has the same facts as the body of a response. */
export interface RefusalFacts {
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  /** The value of `WWW-Authenticate` in an HTTP response. */
  readonly challenge?: string;
  /** The value of `Retry-After` in an HTTP response. */
  readonly retryAfterSeconds?: number;
  /** Present if `explainRefusals` is on. */
  readonly hint?: string;
}

export function refusalFacts({ error, challenges, hint }: AuthRefusal): RefusalFacts {
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

// Enough for the name of an issuer or a key, and less than a token.
const MAX_STRING_LENGTH = 128;

/**
 * Formats facts as JSON on one line, for the log and for hints. Strings are shortened and line breaks are escaped, because `kid` and
 * `issuer` come from a token that is not verified.
 *
 * @param maxLength of the whole text.
 */
export function factsText(facts: unknown, maxLength = Infinity): string {
  try {
    const text = JSON.stringify(facts, (_name, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' ? shortened(value, MAX_STRING_LENGTH) : value;
    }) as string | undefined;
    return text === undefined ? typeof facts : shortened(text, maxLength);
  } catch {
    // The application's own detail may be circular. That must not change the response.
    return '(not serializable)';
  }
}

function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
