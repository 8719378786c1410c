import type { OpenAPIObject } from '@nestjs/swagger';
import { AuthError } from '../model/errors.js';
import { refusalOf, toHttpException } from '../nest/refusals/refusal.js';

type Components = NonNullable<OpenAPIObject['components']>;
type Schemas = NonNullable<Components['schemas']>;
type Responses = NonNullable<Components['responses']>;

const TEXTS = {
  401: {
    description: 'The access token is missing or not accepted',
    header: 'Why the access token is not accepted (RFC 6750 §3, RFC 9470 §3); bare if none was sent',
  },
  403: {
    description: 'The access token is valid, but does not grant access',
    header: 'Why access is denied (RFC 6750 §3)',
  },
  503: {
    description: 'The access token cannot be verified at the moment; it may be valid',
    header: 'Seconds to wait before the next attempt',
  },
} as const;

/** The body of a refusal, as `toHttpException` writes it. */
const REFUSAL: Schemas[string] = {
  type: 'object',
  required: ['statusCode', 'message', 'error', 'code'],
  properties: {
    statusCode: { type: 'integer' },
    message: { type: 'string', description: 'The reason, for people' },
    error: { type: 'string', description: 'The name of the status' },
    // No `enum`: a code of a later version must not break a client that was generated from this document.
    code: { type: 'string', description: 'The reason, for programs; stable' },
    hint: { type: 'string', description: 'How to fix it, for developers; only with explainRefusals' },
  },
};

/**
 * The example of a response is the first refusal by a requirement of the operation. A response without one is a component, which
 * all operations share.
 * @param components receives the schema of the body and the shared responses.
 */
export function refusalResponses(
  components: { readonly schemas: Schemas; readonly responses: Responses },
  realm: string | undefined,
): (refusals: readonly AuthError[]) => Responses {
  const schema = { $ref: `#/components/schemas/${addComponent(components.schemas, 'AuthRefusal', REFUSAL)}` };
  const respond = (status: keyof typeof TEXTS, error: AuthError, codes: readonly string[] = []) => {
    const { description, header } = TEXTS[status];
    const refusal = refusalOf(error, { realm });
    const [name, type, example] =
      status === 503
        ? (['Retry-After', 'integer', error.retryAfterSeconds] as const)
        : (['WWW-Authenticate', 'string', refusal.challenges.join(', ')] as const);
    return {
      description: codes.length > 1 ? `${description} (${codes.join(', ')})` : description,
      headers: { [name]: { description: header, schema: { type }, example } },
      content: { 'application/json': { schema, example: toHttpException(refusal).getResponse() } },
    };
  };
  const share = (name: string, response: Responses[string]) => ({
    $ref: `#/components/responses/${addComponent(components.responses, name, response)}`,
  });
  const unauthorized = share('AuthUnauthorized', respond(401, new AuthError('TOKEN_EXPIRED')));
  const unavailable = share('AuthUnavailable', respond(503, new AuthError('KEYS_UNAVAILABLE')));
  return (refusals) => {
    const stepUp = refusals.find(({ status }) => status === 401);
    const denials = refusals.filter(({ status }) => status === 403);
    const [denial] = denials;
    const codes = [...new Set(denials.map(({ code }) => `\`${code}\``))];
    return {
      401: stepUp === undefined ? unauthorized : respond(401, stepUp),
      ...(denial !== undefined && { 403: respond(403, denial, codes) }),
      503: unavailable,
    };
  };
}

/** Returns the name of the component: with a number if the document uses the name for something else. */
function addComponent<Component>(components: Record<string, Component>, name: string, component: Component): string {
  const isTaken = (candidate: string) =>
    Object.hasOwn(components, candidate) && JSON.stringify(components[candidate]) !== JSON.stringify(component);
  let free = name;
  for (let count = 2; isTaken(free); count += 1) free = `${name}${String(count)}`;
  components[free] = component;
  return free;
}
