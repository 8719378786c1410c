import type { Operation, SecurityRequirement } from './openapi.js';
import type { OperationAccess } from './operation-access.js';
import type { RefusalResponses } from './refusal-responses.js';

export interface SecuredBy {
  /** The name of the scheme. */
  readonly scheme: string;
  readonly carriesScopes: boolean;
  readonly references: RefusalResponses['references'];
}

/** @param access not that of an unguarded one. */
export function securedOperation(operation: Operation, access: OperationAccess, by: SecuredBy): Operation {
  if (access.access === 'open') return { ...operation, security: [] };
  const description = describe(operation.description, access, by);
  const { references } = by;
  return {
    ...operation,
    ...(description !== undefined && { description }),
    security: securityOf(access, by),
    responses: {
      401: access.stepUp === undefined ? references.unauthorized : references.stepUp,
      ...(access.mayBeForbidden && { 403: references.forbidden }),
      503: references.unavailable,
      // What the application says of them itself is more than we know.
      ...operation.responses,
    },
  };
}

function securityOf({ access, scopes }: OperationAccess, by: SecuredBy): SecurityRequirement[] {
  const requirements = by.carriesScopes ? scopes.map((names) => ({ [by.scheme]: [...names] })) : [{ [by.scheme]: [] }];
  return access === 'optional' ? [{}, ...requirements] : requirements;
}

function describe(
  description: string | undefined,
  access: OperationAccess,
  { carriesScopes }: SecuredBy,
): string | undefined {
  const { head, needs } = inWords(access, carriesScopes);
  if (needs.length === 0) return description;
  const text = `${head}:\n\n${needs.map((one) => `- ${one}`).join('\n')}`;
  if (description === undefined || description === '') return text;
  return description.endsWith(text) ? description : `${description}\n\n${text}`;
}

function inWords(
  { access, requires, requiresScopes, handlers }: OperationAccess,
  carriesScopes: boolean,
): { readonly head: string; readonly needs: readonly string[] } {
  if (handlers.length > 0) return { head: 'What is required depends on the version or the host', needs: handlers };
  return {
    head: access === 'optional' ? 'A token, if one is sent, needs' : 'Requires',
    needs: carriesScopes ? requires : [...requiresScopes, ...requires],
  };
}
