import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { FoundHandler } from './found-handler.js';
import { HandlerDiscovery } from './handler-discovery.js';
import { nameWithoutBound } from './method-metadata.js';

/** The part of a request that states which path of its handler was matched. */
interface RoutedRequest {
  readonly method?: unknown;
  /** Express. */
  readonly route?: { readonly path?: unknown };
  /** Fastify. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** The last argument of a resolver. */
interface FieldInfo {
  readonly fieldName?: unknown;
  readonly parentType?: { readonly name?: unknown };
}

/** The names of routes for events: as in the route report, and never text that a caller sent, which is unbounded. */
@Injectable()
export class RouteNames {
  private handlers: Map<object, FoundHandler[]> | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
  ) {}

  /**
   * Returns `GET /orders/:id`, `Query orders` or `message orders`. If a handler has several routes that cannot be distinguished,
   * all of them: `GET /a | GET /b`. Undefined for a call that no handler of the application serves.
   */
  of(context: ExecutionContext): string | undefined {
    const handlers = this.handlersOf(context.getClass(), context.getHandler());
    const matched = handlers.length > 1 ? matchedBy(handlers, context) : handlers;
    const names = new Set(matched.map(({ kind, pattern }) => `${kind} ${pattern}`));
    return names.size === 0 ? undefined : [...names].join(' | ');
  }

  private handlersOf(controller: object, method: { readonly name: string }): readonly FoundHandler[] {
    // Not before the first call, because the global prefix and versioning are set after the modules are created.
    this.handlers ??= groupByClass(new HandlerDiscovery(this.modules, this.config).all({ http: true }));
    const all = this.handlers.get(controller) ?? [];
    const own = all.filter(({ called }) => called === method);
    return own.length > 0 ? own : all.filter(({ name }) => name === nameWithoutBound(method));
  }
}

function groupByClass(handlers: readonly FoundHandler[]): Map<object, FoundHandler[]> {
  const groups = new Map<object, FoundHandler[]>();
  for (const handler of handlers) groups.set(handler.controller, [...(groups.get(handler.controller) ?? []), handler]);
  return groups;
}

/**
 * Returns the handlers of a class that the call may have, according to its transport and to its path or field. All of the transport, if
 * the call does not state them.
 */
export function matchedBy(handlers: readonly FoundHandler[], context: ExecutionContext): readonly FoundHandler[] {
  const type = context.getType<string>();
  const ofTransport = handlers.filter(({ transport }) => transport === type);
  const matched = ofTransport.filter(matcherOf(type, context));
  return matched.length > 0 ? matched : ofTransport;
}

function matcherOf(type: string, context: ExecutionContext): (handler: FoundHandler) => boolean {
  if (type === 'http') {
    const { method, route, routeOptions } = context.switchToHttp().getRequest<RoutedRequest | undefined>() ?? {};
    const path = route?.path ?? routeOptions?.url;
    const kinds = ['ALL', method === 'HEAD' ? 'GET' : method];
    return ({ kind, pattern }) => pattern === path && kinds.includes(kind);
  }
  if (type !== 'graphql') return () => true;
  const { fieldName, parentType } = context.getArgByIndex<FieldInfo | undefined>(3) ?? {};
  const parent = String(parentType?.name);
  const field = `${parent}.${String(fieldName)}`;
  return ({ kind, pattern }) => (kind === 'field' ? pattern === field : kind === parent && pattern === fieldName);
}
