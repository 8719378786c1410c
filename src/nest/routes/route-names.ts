import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { type FoundHandler, HandlerDiscovery } from './handler-discovery.js';

/** What of a request says which of its handler's paths was asked for. */
interface RoutedRequest {
  /** Express. */
  readonly route?: { readonly path?: unknown };
  /** Fastify. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** What the route report calls a handler: never what a caller wrote, of which there may be any number. */
@Injectable()
export class RouteNames {
  private found: Map<object, FoundHandler[]> | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
  ) {}

  /**
   * `GET /orders/:id`, `Query orders`, `message orders`; where a handler has several that cannot be told apart, all of them
   * (`GET /a | GET /b`). Undefined for what is no handler of the application.
   */
  of(context: ExecutionContext): string | undefined {
    const own = this.handlersOf(context.getClass(), context.getHandler());
    const names = new Set((own.length > 1 ? asked(own, context) : own).map(nameOf));
    return names.size === 0 ? undefined : [...names].join(' | ');
  }

  private handlersOf(controller: object, method: { readonly name: string }): readonly FoundHandler[] {
    // Not earlier than the first call: a prefix and versions are set after the modules were made.
    this.found ??= byClass(new HandlerDiscovery(this.modules, this.config).all({ http: true }));
    const all = this.found.get(controller) ?? [];
    const own = all.filter((handler) => handler.method === method);
    // What measures an application (OpenTelemetry, Sentry, Datadog) puts another function of that name in its place.
    return own.length > 0 ? own : all.filter((handler) => handler.method.name === method.name);
  }
}

function byClass(handlers: readonly FoundHandler[]): Map<object, FoundHandler[]> {
  const found = new Map<object, FoundHandler[]>();
  for (const handler of handlers) found.set(handler.controller, [...(found.get(handler.controller) ?? []), handler]);
  return found;
}

/** Those of several paths that the router took, if it says so. */
function asked(handlers: readonly FoundHandler[], context: ExecutionContext): readonly FoundHandler[] {
  if (context.getType() !== 'http') return handlers;
  const { route, routeOptions } = context.switchToHttp().getRequest<RoutedRequest>();
  const path = route?.path ?? routeOptions?.url;
  const taken = handlers.filter(({ pattern }) => pattern === path);
  return taken.length > 0 ? taken : handlers;
}

function nameOf({ kind, pattern }: FoundHandler): string {
  return `${kind} ${pattern}`;
}
