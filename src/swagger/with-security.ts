import type { INestApplicationContext } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { LegacyRouteConverter } from '@nestjs/core/router/legacy-route-converter.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ConfigurationError } from '../model/errors.js';
import { isJsonObject } from '../model/unknown-value.js';
import { RESOLVED_OPTIONS } from '../nest/auth-options.js';
import { type Route, RouteReporter } from '../nest/routes/route-reporter.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { operationAccess } from './operation-access.js';
import { refusalResponses } from './refusal-responses.js';
import { type SecurityOptions, securityScheme, withScopes } from './security-scheme.js';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['get']>;

/**
 * Returns the document with the requirements of the decorators: a security scheme, `security` with scopes for each operation,
 * and the responses 401, 403 and 503.
 *
 * - `@Public()` becomes `security: []`, `@OptionalAuth()` adds the alternative `{}`. Every other operation requires a token,
 *   including one that no handler of this application serves. With `guard: 'manual'`, an operation without an `AuthGuard` keeps its
 *   `security`.
 * - `@RequireAnyScope` becomes alternatives, each with the scopes that are always required. If an operation would have more than
 *   8 alternatives, its description lists the requirement instead.
 * - The description also lists what OpenAPI cannot express: roles, permissions, `acr`, authorization details and policies.
 *   Requirements with `reportOnly` are omitted.
 * - Operations are found by path and verb. Where the version (in a header) or the host selects one of several handlers, the
 *   operation has the alternatives of all, and its description lists them.
 *
 * `security` of the document and its operations is replaced, including what `@ApiBearerAuth()` adds. Existing responses stay. Not
 * described: refusals with 400 (two tokens in one request), guards of the application, webhooks, and tokens outside the
 * `Authorization` header (`tokenFrom`; name a `scheme` of the document for them).
 *
 * Call it after `setGlobalPrefix()` and `enableVersioning()`, before or after the application is initialized.
 *
 * @param document the result of `SwaggerModule.createDocument(app, …)`; it is not changed.
 * @param options the security scheme. The default fits the issuers, see {@link SecurityOptions}.
 * @throws ConfigurationError if options are invalid, decorators contradict each other, or the application has no `AuthModule`.
 */
export function withSecurity(
  document: OpenAPIObject,
  app: INestApplicationContext,
  options: SecurityOptions = {},
): OpenAPIObject {
  const settings = settingsOf(app);
  const { name, scheme, carriesScopes } = securityScheme(options, document, settings);
  const routes = documentedRoutes(app, document);
  const components = {
    ...document.components,
    schemas: { ...document.components?.schemas },
    responses: { ...document.components?.responses },
  };
  const responsesTo = refusalResponses(components, settings.realm);
  const scopes = new Set<string>();

  // An operation that relies on the present `security` of the document states it, because the document gets another one.
  const keep = (operation: Operation) => ({ ...operation, security: operation.security ?? document.security ?? [] });
  const secure = (operation: Operation, path: string, verb: string): Operation => {
    const serves = ({ handler, paths }: DocumentedRoute) =>
      paths.includes(path) && ['ALL', verb.toUpperCase()].includes(handler.kind.toUpperCase());
    const required = operationAccess(routes.filter(serves), carriesScopes);
    if (required.access === 'unguarded') return keep(operation);
    if (required.access === 'open') return { ...operation, security: [] };
    for (const scope of required.scopes) scopes.add(scope);
    const alternatives = required.alternatives.map((names) => ({ [name]: [...names] }));
    return {
      ...operation,
      ...withDescription(operation, required.description),
      security: required.access === 'optional' ? [{}, ...alternatives] : alternatives,
      responses: { ...responsesTo(required.refusals), ...operation.responses },
    };
  };

  return {
    ...document,
    paths: mapOperations(document.paths, secure),
    ...(document.webhooks !== undefined && { webhooks: mapOperations(document.webhooks, keep) }),
    // Applies to operations that are added to the document later.
    security: [{ [name]: [] }],
    components: {
      ...components,
      securitySchemes: { ...components.securitySchemes, [name]: withScopes(scheme, [...scopes].sort()) },
    },
  };
}

function settingsOf(app: INestApplicationContext): ResolvedOptions {
  try {
    return app.get(RESOLVED_OPTIONS, { strict: false });
  } catch {
    const problem = { path: 'app', message: 'has no AuthModule. Import AuthModule.forRoot(…)' };
    throw new ConfigurationError([problem], 'The document cannot be secured');
  }
}

function withDescription(
  { description = '' }: Operation,
  added: string | undefined,
): { readonly description?: string } {
  // A second call finds the text in place.
  if (added === undefined || description.endsWith(added)) return {};
  return { description: description === '' ? added : `${description}\n\n${added}` };
}

function mapOperations(paths: Paths, map: (operation: Operation, path: string, verb: string) => Operation): Paths {
  const mapItem = (item: object, path: string) =>
    Object.entries(item).map(([verb, value]: [string, unknown]) => [
      verb,
      isOperation(verb, value) ? map(value, path, verb) : value,
    ]);
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, Object.fromEntries(mapItem(item, path))]),
  );
}

/** OpenAPI 3.2 §4.9: every other member of a path item is a string or a list. */
function isOperation(key: string, value: unknown): value is Operation {
  return key !== 'additionalOperations' && !key.startsWith('x-') && isJsonObject(value);
}

interface DocumentedRoute extends Route {
  /** The path as the document writes it, or both paths if the document may omit the global prefix. */
  readonly paths: readonly string[];
}

function documentedRoutes(app: INestApplicationContext, document: OpenAPIObject): readonly DocumentedRoute[] {
  const globalPrefix = app.get(ApplicationConfig, { strict: false }).getGlobalPrefix();
  const prefix = globalPrefix === '' ? '' : toOpenApiPath(`/${globalPrefix.replace(/^\/+|\/+$/g, '')}`);
  // A document without the prefix (`ignoreGlobalPrefix`, `servers`) has it in none of its paths.
  const omitsPrefix = prefix !== '' && !Object.keys(document.paths).some((path) => `${path}/`.startsWith(`${prefix}/`));
  const routes = app.get(RouteReporter, { strict: false }).routesOf(app);
  return routes
    .filter(({ handler }) => handler.transport === 'http')
    .map((route) => {
      const path = toOpenApiPath(route.handler.pattern);
      const isBelow = `${path}/`.startsWith(`${prefix}/`);
      return { ...route, paths: omitsPrefix && isBelow ? [path, path.slice(prefix.length) || '/'] : [path] };
    });
}

// A quoted or plain name after `:` or `*`; an escaped character; the braces of an optional part.
const PART = /[:*](?:"((?:\\.|[^"\\])+)"|([\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*))|\\(.)|[{}]/gu;

/** Writes the path of a route as `@nestjs/swagger` does: `/files/{name}` for `/files/:name` and for `/files{/*name}`. */
function toOpenApiPath(pattern: string): string {
  const current = LegacyRouteConverter.tryConvert(pattern, { logs: false })
    .replace(/::|\[:\]/g, '\\:')
    // Regular expressions of Fastify, `:version(^v[0-9]+)`.
    .replace(/\(\^[^)]+\)/g, '');
  return current.replace(PART, (_match, quoted?: string, plain?: string, escaped?: string) => {
    const name = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    return name === undefined ? (escaped ?? '') : `{${name}}`;
  });
}
