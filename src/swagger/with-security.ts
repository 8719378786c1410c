import type { INestApplicationContext } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ConfigurationError } from '../model/errors.js';
import { isJsonObject } from '../model/json-object.js';
import { AUTH_OPTIONS } from '../nest/auth.module-definition.js';
import { type Door, RouteReporter } from '../nest/routes/route-reporter.js';
import { accessOfAll } from './access-of-all.js';
import { DocumentedHandlers } from './documented-handlers.js';
import type { Operation, PathItem, SecurityRequirement } from './openapi.js';
import { refusalResponses } from './refusal-responses.js';
import { securedOperation, type SecuredBy } from './secured-operation.js';
import type { SecurityOptions } from './security-options.js';
import { carriesScopes, type GivenIssuers, securityScheme, withScopes } from './security-scheme.js';

/**
 * What the decorators of the application say, in its OpenAPI document: a security scheme, for each operation `security` with
 * its scopes, and the refusals 401, 403 and 503. `@Public()` becomes `security: []`, `@OptionalAuth()` has the alternative of
 * none, and everything else asks for a token; what OpenAPI has no word for (roles, permissions, `acr`, policies) stands in the
 * operation's description. What is only reported is left out.
 *
 * Operations are found by path and verb, with the global prefix, versions and `RouterModule`. One that no handler of this
 * application answers is closed. One of several handlers (versions in a header, hosts) that do not ask for the same has the
 * alternatives of all, and in its description what each asks for.
 * Where no `AuthGuard` is asked (`guard: 'manual'`) the operation stays as it was, and is open if it says nothing.
 *
 * `security` of operations and of the document is written anew, whatever `@ApiBearerAuth()` and the like have put there;
 * responses that are there stay. Not described: refusals with 400 (two tokens in one request), what guards of the application
 * ask for, webhooks, and other places of a token than the header (`tokenFrom`): name a `scheme` of the document for them.
 *
 * To be called once the global prefix and versions are set, before or after the application was initialized.
 *
 * @param document of `SwaggerModule.createDocument(app, …)`; it stays as it is.
 * @param options which scheme; by default the one that fits the issuers, see {@link SecurityOptions}.
 * @throws ConfigurationError when the options cannot be used, decorators contradict each other, or the application has no
 * `AuthModule`.
 */
export function withSecurity(
  document: OpenAPIObject,
  app: INestApplicationContext,
  options: SecurityOptions = {},
): OpenAPIObject {
  const doors = doorsOf(app);
  const components = document.components ?? {};
  const given = app.get<GivenIssuers & { realm?: unknown }>(AUTH_OPTIONS, { strict: false });
  const { name, scheme } = securityScheme(options, components.securitySchemes ?? {}, given);

  const globalPrefix = app.get(ApplicationConfig, { strict: false }).getGlobalPrefix();
  const handlers = new DocumentedHandlers(doors, Object.keys(document.paths), globalPrefix);
  const accessAt = (path: string, verb: string) => accessOfAll(handlers.of(path, verb));
  const accesses = Object.entries(document.paths).flatMap(([path, item]) =>
    verbsOf(item).map((verb) => accessAt(path, verb)),
  );
  const refusals = refusalResponses(components, {
    realm: typeof given.realm === 'string' ? given.realm : undefined,
    scopes: accesses.flatMap(({ scopes }) => scopes).find(({ length }) => length > 0) ?? [],
    stepUp: accesses.find(({ stepUp }) => stepUp !== undefined)?.stepUp,
  });
  const by: SecuredBy = {
    scheme: name,
    carriesScopes: carriesScopes(scheme, document.openapi),
    references: refusals.references,
  };
  const inherited = document.security ?? [];
  const paths = mapValues(document.paths, (item, path) =>
    mapOperations(item, (operation, verb) => {
      const access = accessAt(path, verb);
      return access.access === 'unguarded'
        ? withOwnSecurity(operation, inherited)
        : securedOperation(operation, access, by);
    }),
  );
  const scopes = new Set(accesses.flatMap(({ namedScopes }) => namedScopes));

  return {
    ...document,
    paths,
    ...(document.webhooks !== undefined && {
      webhooks: mapValues(document.webhooks, (item) =>
        mapOperations(item, (operation) => withOwnSecurity(operation, inherited)),
      ),
    }),
    // For what is added to the document later.
    security: [{ [name]: [] }],
    components: {
      ...components,
      schemas: { ...components.schemas, ...refusals.components.schemas },
      responses: { ...components.responses, ...refusals.components.responses },
      securitySchemes: { ...components.securitySchemes, [name]: withScopes(scheme, [...scopes].sort()) },
    },
  };
}

function doorsOf(app: INestApplicationContext): readonly Door[] {
  let reporter: RouteReporter;
  try {
    reporter = app.get(RouteReporter, { strict: false });
  } catch (error) {
    throw Object.assign(
      new ConfigurationError(
        [{ path: 'app', message: 'has no AuthModule; import AuthModule.forRoot(…)' }],
        'The document cannot be secured',
      ),
      { cause: error },
    );
  }
  return reporter.doors(app);
}

/** So that it means what it meant, whatever the document says from here on. */
function withOwnSecurity(operation: Operation, inherited: readonly SecurityRequirement[]): Operation {
  return { ...operation, security: operation.security ?? [...inherited] };
}

// What else a path item has (OpenAPI 3.2 §4.9). Anything else is an operation, of whatever verb.
const NO_OPERATIONS = ['$ref', 'summary', 'description', 'servers', 'parameters', 'additionalOperations'];

function isOperation(key: string, value: unknown): boolean {
  return !NO_OPERATIONS.includes(key) && !key.startsWith('x-') && isJsonObject(value);
}

function verbsOf(item: PathItem): readonly string[] {
  return Object.entries(item).flatMap(([key, value]) => (isOperation(key, value) ? [key] : []));
}

function mapOperations(item: PathItem, secure: (operation: Operation, verb: string) => Operation): PathItem {
  return mapValues(item as Record<string, Operation>, (value, key) =>
    isOperation(key, value) ? secure(value, key) : value,
  );
}

function mapValues<Value>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, key: string) => Value,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
