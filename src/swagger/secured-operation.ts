import type { Operation, Reference, SecurityRequirement } from './openapi.js';
import type { OperationAccess } from './operation-access.js';

export interface SecuredBy {
  /** The name of the scheme. */
  readonly scheme: string;
  readonly carriesScopes: boolean;
  readonly references: Readonly<Record<401 | 403 | 503, Reference>>;
}

/** @param access not that of an unguarded one. */
export function securedOperation(operation: Operation, access: OperationAccess, by: SecuredBy): Operation {
  if (access.access === 'open') return { ...operation, security: [] };
  const description = describe(operation.description, access, by);
  return {
    ...operation,
    ...(description !== undefined && { description }),
    security: securityOf(access, by),
    responses: {
      401: by.references[401],
      ...(access.mayBeForbidden && { 403: by.references[403] }),
      503: by.references[503],
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
  { access, requires, requiresScopes }: OperationAccess,
  { carriesScopes }: SecuredBy,
): string | undefined {
  const all = carriesScopes ? requires : [...requiresScopes, ...requires];
  if (all.length === 0) return description;
  const head = access === 'optional' ? 'A token, if one is sent, needs' : 'Requires';
  const text = `${head}:\n\n${all.map((one) => `- ${one}`).join('\n')}`;
  if (description === undefined || description === '') return text;
  return description.endsWith(text) ? description : `${description}\n\n${text}`;
}
