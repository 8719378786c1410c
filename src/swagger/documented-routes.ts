import type { INestApplicationContext } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { LegacyRouteConverter } from '@nestjs/core/router/legacy-route-converter.js';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Route, RouteReporter } from '../nest/routes/route-reporter.js';

export interface DocumentedRoute extends Route {
  /** The path as the document writes it, or both paths if the document may omit the global prefix. */
  readonly paths: readonly string[];
}

export function documentedRoutes(app: INestApplicationContext, document: OpenAPIObject): readonly DocumentedRoute[] {
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
