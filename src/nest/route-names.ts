import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { type FoundHandler, Handlers } from './handlers.js';

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
  private found: ByClassAndName | undefined;

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

  private handlersOf(controller: unknown, { name }: { readonly name: string }): readonly FoundHandler[] {
    // Not earlier than the first call: a prefix and versions are set after the modules were made.
    this.found ??= byClassAndName(new Handlers(this.modules, this.config).all({ http: true }));
    return this.found.get(controller)?.get(name) ?? [];
  }
}

/** Not by the function: what measures an application (OpenTelemetry, Sentry, Datadog) puts others of that name in their place. */
function byClassAndName(handlers: readonly FoundHandler[]): ByClassAndName {
  const found: ByClassAndName = new Map();
  for (const handler of handlers) {
    const { controller, method } = handler;
    const ofClass = found.get(controller) ?? new Map<string, FoundHandler[]>();
    found.set(controller, ofClass.set(method.name, [...(ofClass.get(method.name) ?? []), handler]));
  }
  return found;
}

type ByClassAndName = Map<unknown, Map<string, FoundHandler[]>>;

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
