import type { OpenAPIObject } from '@nestjs/swagger';

type Json = Record<string, unknown>;

type Verb = 'get' | 'post' | 'put';

export function operation(document: OpenAPIObject, path: string, verb: Verb = 'get') {
  const found = document.paths[path]?.[verb];
  if (found === undefined) throw new Error(`No ${verb} ${path} among ${Object.keys(document.paths).join(', ')}`);
  return found;
}

/** `login(a b) | guest`; `open` for an empty list. */
export function security(document: OpenAPIObject, path: string, verb: Verb = 'get'): string {
  const requirements = operation(document, path, verb).security;
  if (requirements === undefined) return 'missing';
  if (requirements.length === 0) return 'open';
  return requirements
    .map((requirement) => {
      const [entry] = Object.entries(requirement);
      return entry === undefined ? 'guest' : `${entry[0]}(${entry[1].join(' ')})`;
    })
    .join(' | ');
}

export const statuses = (document: OpenAPIObject, path: string, verb: Verb = 'get') =>
  Object.keys(operation(document, path, verb).responses).filter((status) => Number(status) >= 400);

interface DocumentedResponse {
  readonly description: string;
  readonly headers: Record<string, { example?: unknown }>;
  readonly content: Record<string, { schema: unknown; example: unknown }>;
}

/** The response, or the component that it refers to. */
export function response(document: OpenAPIObject, path: string, status: number): DocumentedResponse {
  const documented = operation(document, path).responses[String(status)];
  const name = documented !== undefined && '$ref' in documented ? documented.$ref.split('/').at(-1) : undefined;
  return (name === undefined ? documented : document.components?.responses?.[name]) as unknown as DocumentedResponse;
}

export function declaredScopes(document: OpenAPIObject): readonly string[] {
  const { flows } = document.components?.securitySchemes?.login as {
    flows: { authorizationCode: { scopes: object } };
  };
  return Object.keys(flows.authorizationCode.scopes);
}

/** Returns what tools reject in an OpenAPI 3 document: references, responses, and names of schemes and scopes. */
export function problemsOf(document: OpenAPIObject): readonly string[] {
  const root = JSON.parse(JSON.stringify(document)) as Json;
  const problems: string[] = [];
  walk(root, '#', (value, at) => {
    if (typeof value.$ref === 'string' && resolve(root, value.$ref) === undefined)
      problems.push(`${at}: ${value.$ref} has no target`);
  });
  if (!/^3\.[0-2]\.\d$/.test(document.openapi)) problems.push('openapi: no version');
  const schemes = (document.components?.securitySchemes ?? {}) as unknown as Record<string, Json>;
  for (const [name, scheme] of Object.entries(schemes)) problems.push(...problemsOfScheme(name, scheme));
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Json>).map(([verb, operation]) => ({ path, verb, operation })),
  );
  for (const { path, verb, operation } of operations) {
    const at = `${verb} ${path}`;
    const responses = operation.responses as Record<string, Json>;
    if (Object.keys(responses).length === 0) problems.push(`${at}: no responses`);
    for (const [status, response] of Object.entries(responses)) {
      const { description } = (typeof response.$ref === 'string' ? resolve(root, response.$ref) : response) as Json;
      if (typeof description !== 'string') problems.push(`${at}: response ${status} has no description`);
    }
    for (const requirement of (operation.security ?? []) as Record<string, string[]>[])
      for (const [name, scopes] of Object.entries(requirement)) {
        const scheme = schemes[name];
        if (scheme === undefined) problems.push(`${at}: no scheme ${name}`);
        else problems.push(...scopes.flatMap((scope) => problemOfScope(scope, scheme, document.openapi) ?? []));
      }
  }
  return problems;
}

function problemsOfScheme(name: string, scheme: Json): readonly string[] {
  const required = { http: 'scheme', oauth2: 'flows', openIdConnect: 'openIdConnectUrl', apiKey: 'in' }[
    String(scheme.type)
  ];
  if (required === undefined) return [`${name}: no type`];
  return scheme[required] === undefined ? [`${name}: no ${required}`] : [];
}

function problemOfScope(scope: string, scheme: Json, openapi: string): string | undefined {
  if (scheme.type === 'openIdConnect') return undefined;
  if (scheme.type !== 'oauth2')
    return openapi.startsWith('3.0') ? `${scope} is listed for a scheme without scopes` : undefined;
  const flows = Object.values(scheme.flows as Record<string, { scopes: object }>);
  return flows.every(({ scopes }) => scope in scopes) ? undefined : `${scope} is not declared`;
}

function resolve(root: Json, reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (value, name) => (value as Json | undefined)?.[name.replaceAll('~1', '/').replaceAll('~0', '~')],
      root,
    );
}

function walk(value: unknown, at: string, visit: (value: Json, at: string) => void): void {
  if (typeof value !== 'object' || value === null) return;
  visit(value as Json, at);
  for (const [name, member] of Object.entries(value)) walk(member, `${at}/${name}`, visit);
}
