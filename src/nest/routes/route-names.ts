import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { type FoundHandler, HandlerDiscovery } from './handler-discovery.js';
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

/** Returns the routes that the call may have, according to its path or to the field of GraphQL. All, if it does not state them. */
export function matchedBy(handlers: readonly FoundHandler[], context: ExecutionContext): readonly FoundHandler[] {
  const [first] = handlers;
  const named = (...names: unknown[]) => handlers.filter(({ pattern }) => names.includes(pattern));
  let matched: readonly FoundHandler[] = [];
  let kind: unknown;
  // The payload of a message could contain such members.
  if (first?.transport === 'http') {
    const { method, route, routeOptions } = context.switchToHttp().getRequest<RoutedRequest | undefined>() ?? {};
    kind = method === 'HEAD' ? 'GET' : method;
    matched = named(route?.path ?? routeOptions?.url);
  } else if (first?.transport === 'graphql') {
    const { fieldName, parentType } = context.getArgByIndex<FieldInfo | undefined>(3) ?? {};
    kind = parentType?.name;
    matched = named(fieldName, `${String(kind)}.${String(fieldName)}`);
  }
  const exact = matched.filter((handler) => handler.kind === kind);
  return [exact, matched, handlers].find(({ length }) => length > 0) ?? [];
}
