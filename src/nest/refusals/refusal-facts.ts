import type { AuthError } from '../../model/errors.js';
import { hintIn } from './refusal-hints.js';

/** What a client that gets no HTTP response is told: the same as in the body of one. */
export interface RefusalFacts {
  readonly statusCode: number;
  readonly message: string;
  readonly code: string;
  /** What `WWW-Authenticate` would say. */
  readonly challenge?: string;
  /** What `Retry-After` would say. */
  readonly retryAfterSeconds?: number;
  /** Where `explainRefusals` is on. */
  readonly hint?: string;
}

export function refusalFacts(refusal: AuthError, challenge?: string): RefusalFacts {
  const { status, message, code, retryAfterSeconds } = refusal;
  const hint = hintIn(refusal);
  return {
    statusCode: status,
    message,
    code,
    ...(challenge !== undefined && { challenge }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(hint !== undefined && { hint }),
  };
}
