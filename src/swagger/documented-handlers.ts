import type { INestApplicationContext } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { LegacyRouteConverter } from '@nestjs/core/router/legacy-route-converter.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { PlacedRequirement } from '../access/effective-requirements.js';
import { RouteReporter } from '../nest/routes/route-reporter.js';

/** An HTTP handler that a document may describe. */
export interface DocumentedHandler {
  /** `OrdersController.list`. */
  readonly name: string;
  /** `GET` and so on; `ALL` for every verb. */
  readonly verb: string;
  /** The path, or both paths if the document may omit the global prefix. */
  readonly paths: readonly string[];
  /** `unguarded`: no `AuthGuard` runs. */
  readonly access: 'closed' | 'optional' | 'open' | 'unguarded';
  readonly requirements: readonly PlacedRequirement<never>[];
}

/**
 * Returns the HTTP handlers with their paths as the document writes them.
 *
 * @throws ConfigurationError if decorators contradict each other.
 */
export function documentedHandlers(
  app: INestApplicationContext,
  document: OpenAPIObject,
): readonly DocumentedHandler[] {
  const globalPrefix = app.get(ApplicationConfig, { strict: false }).getGlobalPrefix();
  const prefix = globalPrefix === '' ? '' : toOpenApiPath(`/${globalPrefix.replace(/^\/+|\/+$/g, '')}`);
  // A document without the prefix (`ignoreGlobalPrefix`, `servers`) has it in none of its paths.
  const omitsPrefix = prefix !== '' && !Object.keys(document.paths).some((path) => isBelow(path, prefix));
  const routes = app.get(RouteReporter, { strict: false }).routesOf(app);
  return routes.flatMap(({ handler: { transport, kind, pattern, controller, method }, rules, access }) => {
    if (transport !== 'http') return [];
    const path = toOpenApiPath(pattern);
    return {
      name: `${controller.name}.${method.name}`,
      verb: kind,
      paths: omitsPrefix && isBelow(path, prefix) ? [path, path.slice(prefix.length) || '/'] : [path],
      access: access === 'guarded' || access === 'unknown' ? 'closed' : access,
      requirements: rules.requirements,
    };
  });
}

function isBelow(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
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
