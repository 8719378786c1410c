import { ERRORS, type AuthErrorCode } from '../errors.js';
import { isJsonObject } from '../json-object.js';
import type { Components, Reference, Response, Schema } from './openapi.js';

export interface RefusalResponses {
  readonly components: Pick<Components, 'schemas' | 'responses'>;
  readonly references: Readonly<Record<401 | 403 | 503, Reference>>;
}

/** The responses of a refusal, as components; under another name where the document has something else of that name. */
export function refusalResponses({ schemas = {}, responses = {} }: Components): RefusalResponses {
  const schema = freeName('AuthRefusal', schemas, REFUSAL);
  const made = { 401: unauthorized(schema), 403: forbidden(schema), 503: unavailable(schema) };
  const names = {
    401: freeName('AuthUnauthorized', responses, made[401]),
    403: freeName('AuthForbidden', responses, made[403]),
    503: freeName('AuthUnavailable', responses, made[503]),
  };
  return {
    components: {
      schemas: { [schema]: REFUSAL },
      responses: { [names[401]]: made[401], [names[403]]: made[403], [names[503]]: made[503] },
    },
    references: { 401: toResponse(names[401]), 403: toResponse(names[403]), 503: toResponse(names[503]) },
  };
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
  },
};

const unauthorized = (schema: string): Response => ({
  description: 'No access token, or one that is not accepted',
  headers: { 'WWW-Authenticate': CHALLENGE },
  content: bodyOf(schema, 'Unauthorized', ['TOKEN_MISSING', 'TOKEN_EXPIRED', 'AUDIENCE_MISMATCH', 'SIGNATURE_INVALID']),
});

const forbidden = (schema: string): Response => ({
  description: 'The access token is good, but does not grant this',
  headers: { 'WWW-Authenticate': CHALLENGE },
  content: bodyOf(schema, 'Forbidden', [
    'SCOPE_INSUFFICIENT',
    'ROLE_INSUFFICIENT',
    'PERMISSION_INSUFFICIENT',
    'POLICY_DENIED',
  ]),
});

const unavailable = (schema: string): Response => ({
  description: 'The access token cannot be checked at the moment; it may be good',
  headers: {
    'Retry-After': { description: 'Seconds to wait before another try', schema: { type: 'integer' }, example: 5 },
  },
  content: bodyOf(schema, 'Service Unavailable', ['KEYS_UNAVAILABLE']),
});

const CHALLENGE = {
  description: 'What is missing (RFC 6750 §3)',
  schema: { type: 'string' },
  example: 'Bearer error="invalid_token", error_description="The access token expired"',
};

function bodyOf(schema: string, error: string, codes: readonly AuthErrorCode[]): NonNullable<Response['content']> {
  const examples = codes.map((code) => {
    const { status, description } = ERRORS[code];
    return [code, { value: { statusCode: status, message: description, error, code } }] as const;
  });
  return {
    'application/json': {
      schema: { $ref: `#/components/schemas/${schema}` },
      examples: Object.fromEntries(examples),
    },
  };
}

function freeName(name: string, taken: Readonly<Record<string, unknown>>, own: unknown): string {
  for (let candidate = name, count = 2; ; candidate = `${name}${String(count)}`, count += 1) {
    if (!Object.hasOwn(taken, candidate) || isSame(taken[candidate], own)) return candidate;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return isJsonObject(one) && JSON.stringify(one) === JSON.stringify(other);
}

function toResponse(name: string): Reference {
  return { $ref: `#/components/responses/${name}` };
}
