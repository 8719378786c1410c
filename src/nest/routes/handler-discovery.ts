import { RequestMethod, type Type } from '@nestjs/common';
import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';
import type { Observable } from 'rxjs';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { GRAPHQL_MODULE_OPTIONS, METADATA, metadataOf } from '../nest-internals.js';

export type HandlerFunction = (...parameters: unknown[]) => unknown;

/** A method that can be called from outside, according to Nest's decorators. */
export interface FoundHandler {
  readonly transport: 'http' | 'graphql' | 'ws' | 'rpc';
  /** `GET`, `Query`, `message` and so on. Together with the pattern it is the name of the route. */
  readonly kind: string;
  readonly pattern: string;
  readonly controller: Type;
  readonly method: HandlerFunction;
  /** The kind of microservice, if a message handler is for one kind only. */
  readonly microservice?: unknown;
}

/** The options of `@nestjs/graphql` that are read. */
interface GraphqlOptions {
  readonly fieldResolverEnhancers?: readonly string[];
  readonly context?: unknown;
}

/** Finds every handler of an application in the same way as Nest. Middleware is not included. */
export class HandlerDiscovery {
  private readonly scanner = new MetadataScanner();
  private readonly paths: RoutePathFactory;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.paths = new RoutePathFactory(config);
  }

  all({ http }: { http: boolean }): readonly FoundHandler[] {
    const found: FoundHandler[] = [];
    const hasGraphql = this.graphqlOptions().length > 0;
    for (const module of this.modules.values()) {
      for (const { metatype } of module.controllers.values()) {
        if (!isClass(metatype)) continue;
        if (http) found.push(...this.routesOf(metatype, this.pathOf(module.metatype)));
        found.push(...this.messageHandlersOf(metatype));
      }
      for (const { metatype } of [...module.controllers.values(), ...module.providers.values()]) {
        if (!isClass(metatype)) continue;
        if (hasGraphql) found.push(...this.resolversOf(metatype));
        if (metadataOf('gateway', metatype) === true) found.push(...this.gatewayHandlersOf(metatype));
      }
    }
    return unique(found);
  }

  /** Whether a microservice was connected, or may have been connected. */
  get hasMicroservices(): boolean {
    const { getRpcTargetRegistry } = this.modules as { getRpcTargetRegistry?: () => Observable<unknown> };
    if (getRpcTargetRegistry === undefined) return true;
    let count = 0;
    // The registry replays the existing targets.
    getRpcTargetRegistry
      .call(this.modules)
      .subscribe(() => (count += 1))
      .unsubscribe();
    return count > 0;
  }

  /** The options of each `GraphQLModule`. */
  graphqlOptions(): readonly GraphqlOptions[] {
    return [...this.modules.values()].flatMap((module) => {
      const instance: unknown = module.providers.get(GRAPHQL_MODULE_OPTIONS)?.instance;
      return typeof instance === 'object' && instance !== null ? [instance] : [];
    });
  }

  /** Gateways that extend `base` and are request-scoped. */
  requestScopedGateways(base: { readonly prototype: object }): readonly Type[] {
    return [...this.modules.values()].flatMap((module) =>
      [...module.providers.values()].flatMap((wrapper) => {
        const { metatype } = wrapper;
        const isGateway = isClass(metatype) && metatype.prototype instanceof (base as Type);
        return isGateway && metadataOf('gateway', metatype) === true && !wrapper.isDependencyTreeStatic()
          ? [metatype]
          : [];
      }),
    );
  }

  private routesOf(controller: Type, modulePath: string | undefined): FoundHandler[] {
    const ctrlPath = metadataOf('path', controller) as string | string[] | undefined;
    const versioningOptions = this.config.getVersioning();
    return this.methodsOf(controller).flatMap((method) => {
      const methodPath = metadataOf('path', method) as string | string[] | undefined;
      const number = metadataOf('method', method) as RequestMethod | undefined;
      if (methodPath === undefined || number === undefined) return [];
      const route = {
        ctrlPath,
        modulePath,
        methodPath,
        globalPrefix: this.config.getGlobalPrefix(),
        controllerVersion: (metadataOf('version', controller) ?? versioningOptions?.defaultVersion) as never,
        methodVersion: metadataOf('version', method) as never,
        versioningOptions,
      };
      const kind = RequestMethod[number] as string | undefined;
      return this.paths
        .create(route as never, number)
        .map((pattern) => ({ transport: 'http' as const, kind: kind ?? 'ALL', pattern, controller, method }));
    });
  }

  /** `RouterModule` sets the path for one application. Another application of the process may use another path. */
  private pathOf(module: object): string | undefined {
    const { applicationId } = this.modules;
    return (Reflect.getMetadata(METADATA.modulePath + applicationId, module) ?? metadataOf('modulePath', module)) as
      string | undefined;
  }

  private messageHandlersOf(controller: Type): FoundHandler[] {
    return this.methodsOf(controller).flatMap((method) => {
      const type = metadataOf('patternHandler', method);
      if (type === undefined) return [];
      const patterns: readonly unknown[] = [metadataOf('pattern', method)].flat();
      const microservice = metadataOf('microservice', method);
      // PatternHandler.EVENT
      const kind = type === 2 ? 'event' : 'message';
      return patterns.map((pattern) => ({
        transport: 'rpc' as const,
        kind,
        pattern: patternText(pattern),
        controller,
        method,
        microservice,
      }));
    });
  }

  private gatewayHandlersOf(gateway: Type): FoundHandler[] {
    const { namespace, path } = (metadataOf('gatewayOptions', gateway) ?? {}) as {
      namespace?: unknown;
      path?: unknown;
    };
    const place = [namespace, path].find((name) => typeof name === 'string' || name instanceof RegExp) ?? '/';
    const common = { transport: 'ws' as const, controller: gateway };
    const { handleConnection } = gateway.prototype as { handleConnection?: HandlerFunction };
    const connection = {
      ...common,
      kind: 'connection',
      pattern: String(place),
      method: handleConnection ?? missingHandler,
    };
    const messages = this.methodsOf(gateway)
      .filter((method) => metadataOf('messageMapping', method) === true)
      .map((method) => ({
        ...common,
        kind: 'message',
        pattern: patternText(metadataOf('message', method)),
        method,
      }));
    return [connection, ...messages];
  }

  private resolversOf(resolver: Type): FoundHandler[] {
    return this.methodsOf(resolver).flatMap((method) => {
      const own = metadataOf('resolverType', method);
      const isField = metadataOf('resolverProperty', method) === true;
      const isReference = metadataOf('resolverReference', method) !== undefined;
      if (own === undefined && !isField && !isReference) return [];
      const parent = metadataOf('resolverName', resolver) ?? metadataOf('resolverType', resolver);
      const name = (metadataOf('resolverName', method) as string | undefined) ?? method.name;
      // Nest treats a field of `@Resolver('Query')` as a query.
      const type = own ?? metadataOf('resolverType', resolver);
      const isRoot = typeof type === 'string' && ROOT_TYPES.includes(type);
      return {
        transport: 'graphql' as const,
        kind: isRoot ? type : 'field',
        pattern: isRoot ? name : `${typeof parent === 'string' ? parent : resolver.name}.${name}`,
        controller: resolver,
        method,
      };
    });
  }

  private methodsOf(type: Type): HandlerFunction[] {
    const prototype = type.prototype as Record<string, HandlerFunction>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => prototype[name] ?? []);
  }
}

const ROOT_TYPES: readonly string[] = ['Query', 'Mutation', 'Subscription'];

/** Replaces the `handleConnection` of a gateway that has none. */
export function missingHandler(): void {
  // Never called.
}

function isClass(metatype: unknown): metatype is Type {
  return typeof metatype === 'function' && metatype.prototype !== undefined;
}

function patternText(pattern: unknown): string {
  if (typeof pattern === 'string') return pattern;
  try {
    // It returns undefined for undefined and for functions.
    const json: unknown = JSON.stringify(pattern);
    return typeof json === 'string' ? json : String(pattern);
  } catch {
    return String(pattern);
  }
}

/** Removes duplicates: several modules may list the same provider. */
function unique(handlers: readonly FoundHandler[]): readonly FoundHandler[] {
  const seen = new Map<string, FoundHandler[]>();
  return handlers.filter((handler) => {
    const name = `${handler.transport} ${handler.kind} ${handler.pattern}`;
    const same = seen.get(name) ?? [];
    if (same.some(({ controller, method }) => controller === handler.controller && method === handler.method))
      return false;
    seen.set(name, [...same, handler]);
    return true;
  });
}
