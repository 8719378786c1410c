import { AuthError, type AuthErrorCode, type AuthErrorDetail, ERRORS } from '../model/errors.js';
import { isJsonObject } from '../model/json-object.js';
import { challengesFor } from '../token/challenge.js';
import type { Components, Reference, Response, Schema } from './openapi.js';

export interface RefusalResponses {
  readonly components: Pick<Components, 'schemas' | 'responses'>;
  readonly references: Readonly<Record<keyof typeof RESPONSES, Reference>>;
}

/** What the application has, for the examples. */
export interface RefusalExamples {
  readonly realm: string | undefined;
  /** Scopes that an operation requires. */
  readonly scopes: readonly string[];
  /** The authentication that an operation requires; undefined when none does. */
  readonly stepUp: AuthErrorDetail | undefined;
}

/** The responses of a refusal, as components; under another name where the document has something else of that name. */
export function refusalResponses(
  { schemas = {}, responses = {} }: Components,
  examples: RefusalExamples,
): RefusalResponses {
  const schema = freeName('AuthRefusal', schemas, REFUSAL);
  const made: Record<string, Response> = {};
  const referenceTo = (kind: keyof typeof RESPONSES): Reference => {
    const response = responseOf(RESPONSES[kind], schema, examples);
    const name = freeName(RESPONSES[kind].name, responses, response);
    if (kind !== 'stepUp' || examples.stepUp !== undefined) made[name] = response;
    return { $ref: `#/components/responses/${name}` };
  };
  const references = {
    unauthorized: referenceTo('unauthorized'),
    stepUp: referenceTo('stepUp'),
    forbidden: referenceTo('forbidden'),
    unavailable: referenceTo('unavailable'),
  };
  return { components: { schemas: { [schema]: REFUSAL }, responses: made }, references };
}

/** What the guard's exceptions answer (src/nest/exceptions.ts). */
const REFUSAL: Schema = {
  type: 'object',
  required: ['statusCode', 'message', 'error', 'code'],
  properties: {
    statusCode: { type: 'integer' },
    message: { type: 'string', description: 'Why, for people' },
    error: { type: 'string', description: 'The name of the status' },
    // No `enum`: a code that comes with a later version must not break a client that was made from this document.
    code: { type: 'string', description: 'Why, for programs; it stays the same' },
    hint: { type: 'string', description: 'How to mend it, for developers; only where refusals are explained' },
  },
};

interface Row {
  readonly name: string;
  readonly error: string;
  readonly description: string;
  /** Of the challenge; without one it is `Retry-After` that is sent. */
  readonly challenge?: string;
  readonly codes: readonly AuthErrorCode[];
}

const REFUSED_TOKENS = ['TOKEN_MISSING', 'TOKEN_EXPIRED', 'AUDIENCE_MISMATCH', 'SIGNATURE_INVALID'] as const;

const RESPONSES = {
  unauthorized: {
    name: 'AuthUnauthorized',
    error: 'Unauthorized',
    description: 'No access token, or one that is not accepted',
    challenge: 'Why the token is not accepted (RFC 6750 §3); bare when none was sent',
    codes: REFUSED_TOKENS,
  },
  stepUp: {
    name: 'AuthStepUp',
    error: 'Unauthorized',
    description: 'No access token, or one that is not accepted, or another authentication is required',
    challenge:
      'Why the token is not accepted (RFC 6750 §3); bare when none was sent. `acr_values` and `max_age` say which authentication is required (RFC 9470 §3)',
    codes: ['AUTHENTICATION_INSUFFICIENT', ...REFUSED_TOKENS],
  },
  forbidden: {
    name: 'AuthForbidden',
    error: 'Forbidden',
    description: 'The access token is good, but does not grant this',
    challenge: 'That something is missing (RFC 6750 §3); where it is a scope, `scope` has all that are required',
    codes: [
      'SCOPE_INSUFFICIENT',
      'ROLE_INSUFFICIENT',
      'PERMISSION_INSUFFICIENT',
      'AUTHORIZATION_DETAILS_INSUFFICIENT',
      'POLICY_DENIED',
    ],
  },
  unavailable: {
    name: 'AuthUnavailable',
    error: 'Service Unavailable',
    description: 'The access token cannot be checked at the moment; it may be good',
    codes: ['KEYS_UNAVAILABLE'],
  },
} as const satisfies Record<string, Row>;

function responseOf({ description, challenge, error, codes }: Row, schema: string, given: RefusalExamples): Response {
  const refusals = codes.map((code) => new AuthError(code, detailOf(code, given)));
  const bodies = refusals.map(({ code }) => {
    const { status, description: message } = ERRORS[code];
    return [code, { value: { statusCode: status, message, error, code } }] as const;
  });
  const challenges = refusals.map(
    (refusal) => [refusal.code, { value: challengesFor(refusal, given.realm).join(', ') }] as const,
  );
  return {
    description,
    headers:
      challenge === undefined
        ? { 'Retry-After': RETRY_AFTER }
        : {
            'WWW-Authenticate': {
              description: challenge,
              schema: { type: 'string' },
              examples: Object.fromEntries(challenges),
            },
          },
    content: {
      'application/json': {
        schema: { $ref: `#/components/schemas/${schema}` },
        examples: Object.fromEntries(bodies),
      },
    },
  };
}

const RETRY_AFTER = {
  description: 'Seconds to wait before another try',
  schema: { type: 'integer' },
  example: new AuthError('KEYS_UNAVAILABLE').retryAfterSeconds,
} as const;

function detailOf(code: AuthErrorCode, { scopes, stepUp }: RefusalExamples): AuthErrorDetail {
  if (code === 'SCOPE_INSUFFICIENT') return { scope: scopes.join(' ') };
  return code === 'AUTHENTICATION_INSUFFICIENT' ? { ...stepUp } : {};
}

function freeName(name: string, taken: Readonly<Record<string, unknown>>, own: unknown): string {
  for (let candidate = name, count = 2; ; candidate = `${name}${String(count)}`, count += 1) {
    if (!Object.hasOwn(taken, candidate) || isSame(taken[candidate], own)) return candidate;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return isJsonObject(one) && JSON.stringify(one) === JSON.stringify(other);
}
