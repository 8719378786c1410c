import { RequestMethod, type Type } from '@nestjs/common';
import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { METADATA, metadataOf } from '../nest-internals.js';
import {
  classesOf,
  type Endpoint,
  type FoundHandler,
  type HandlerFunction,
  type Wrapper,
  wrappersOf,
} from './found-handler.js';
import { fieldsOf, graphqlOptions, resolverClassOf } from './graphql-handlers.js';

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
    const hasGraphql = graphqlOptions(this.modules).length > 0;
    for (const { controllers, providers, metatype } of this.modules.values()) {
      const modulePath = this.pathOf(metatype);
      for (const wrapper of controllers.values()) {
        const [controller] = classesOf([wrapper]);
        if (controller === undefined) continue;
        const calledOf = (method: HandlerFunction, name: string) => calledOn(wrapper, method, name);
        if (http)
          found.push(
            ...this.handlersOf(controller, (method) => this.routesOf(method, controller, modulePath), calledOf),
          );
        found.push(...this.handlersOf(controller, messagesOf, calledOf));
      }
      const all = [...controllers.values(), ...providers.values()];
      if (hasGraphql) for (const wrapper of all) found.push(...this.resolverHandlersOf(wrapper));
      for (const type of classesOf(all))
        if (metadataOf('gateway', type) === true) found.push(...this.gatewayHandlersOf(type));
    }
    return unique(found);
  }

  /** Gateways that extend `base` and are request-scoped. */
  requestScopedGateways(base: { readonly prototype: object }): readonly Type[] {
    const providers = wrappersOf(this.modules, 'providers');
    const requestScoped = classesOf(providers.filter((wrapper) => !wrapper.isDependencyTreeStatic()));
    return requestScoped.filter(
      (type) => type.prototype instanceof (base as Type) && metadataOf('gateway', type) === true,
    );
  }

  /**
   * The classes of handlers whose instances have another class, because a decorator replaced the class or the constructor returns another
   * object. Nest passes that other class to guards, and it may have other decorators.
   */
  replacedClasses(handlers: readonly FoundHandler[]): readonly Type[] {
    const types = new Set(handlers.map(({ controller }) => controller));
    const wrappers = [...wrappersOf(this.modules, 'controllers'), ...wrappersOf(this.modules, 'providers')];
    const replaced = wrappers.filter((wrapper) => instanceOf(wrapper)?.constructor !== wrapper.metatype);
    return classesOf(replaced).filter((type) => types.has(type));
  }

  private handlersOf(
    controller: Type,
    endpointsOf: (method: HandlerFunction, controller: Type) => readonly Endpoint[],
    // For gateways, Nest calls the method of the class.
    calledOf: (method: HandlerFunction, name: string) => HandlerFunction | undefined = (method) => method,
  ): FoundHandler[] {
    const prototype = controller.prototype as Record<string, HandlerFunction>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const method = prototype[name];
      if (method === undefined) return [];
      const called = calledOf(method, name);
      return endpointsOf(method, controller).map((endpoint) => ({ ...endpoint, controller, name, method, called }));
    });
  }

  private routesOf(method: HandlerFunction, controller: Type, modulePath: string | undefined): readonly Endpoint[] {
    const methodPath = metadataOf('path', method);
    const number = metadataOf('method', method) as RequestMethod | undefined;
    if (methodPath === undefined || number === undefined) return [];
    const versioningOptions = this.config.getVersioning();
    const route = {
      ctrlPath: metadataOf('path', controller),
      modulePath,
      methodPath,
      globalPrefix: this.config.getGlobalPrefix(),
      controllerVersion: metadataOf('version', controller) ?? versioningOptions?.defaultVersion,
      methodVersion: metadataOf('version', method),
      versioningOptions,
    };
    const kind = (RequestMethod[number] as string | undefined) ?? 'ALL';
    return this.paths.create(route as never, number).map((pattern) => ({ transport: 'http', kind, pattern }));
  }

  /** `RouterModule` sets the path for one application. Another application of the process may use another path. */
  private pathOf(module: object): string | undefined {
    const { applicationId } = this.modules;
    return (Reflect.getMetadata(METADATA.modulePath + applicationId, module) ?? metadataOf('modulePath', module)) as
      string | undefined;
  }

  /** Nest calls the method of the class, unless the instance is created for each request. */
  private resolverHandlersOf(wrapper: Wrapper): FoundHandler[] {
    const calledOf = (method: HandlerFunction) => (wrapper.isDependencyTreeStatic() ? method : undefined);
    return resolverClassOf(wrapper).flatMap((type) => this.handlersOf(type, fieldsOf, calledOf));
  }

  private gatewayHandlersOf(gateway: Type): FoundHandler[] {
    const { namespace, path } = (metadataOf('gatewayOptions', gateway) ?? {}) as Record<string, unknown>;
    const pattern = String([namespace, path].find((name) => typeof name === 'string' || name instanceof RegExp) ?? '/');
    const method = openingHandlerOf(gateway);
    const opening = { name: 'handleConnection', method, called: method };
    return [
      { transport: 'ws', kind: 'connection', pattern, controller: gateway, ...opening },
      ...this.handlersOf(gateway, socketMessagesOf),
    ];
  }
}

function messagesOf(method: HandlerFunction): readonly Endpoint[] {
  const type = metadataOf('patternHandler', method);
  if (type === undefined) return [];
  const patterns: readonly unknown[] = [metadataOf('pattern', method)].flat();
  const microservice = metadataOf('microservice', method);
  // PatternHandler.EVENT
  const kind = type === 2 ? 'event' : 'message';
  return patterns.map((pattern) => ({ transport: 'rpc', kind, pattern: patternText(pattern), microservice }));
}

function socketMessagesOf(method: HandlerFunction): readonly Endpoint[] {
  if (metadataOf('messageMapping', method) !== true) return [];
  return [{ transport: 'ws', kind: 'message', pattern: patternText(metadataOf('message', method)) }];
}

/** The handler whose decorators apply to the opening: the method of the class, not a property of the instance. */
export function openingHandlerOf(gateway: Type): HandlerFunction {
  const { handleConnection } = gateway.prototype as { handleConnection?: unknown };
  return typeof handleConnection === 'function' ? (handleConnection as HandlerFunction) : missingHandler;
}

/** Replaces the `handleConnection` of a gateway that has none. */
export function missingHandler(): void {
  // Never called.
}

/** Nest calls the methods of the instance of a controller. In preview mode, it is an object with the prototype of the class. */
function calledOn(wrapper: Wrapper, method: HandlerFunction, name: string): HandlerFunction | undefined {
  if (!wrapper.isDependencyTreeStatic()) return undefined;
  const instance = instanceOf(wrapper) as Record<string, HandlerFunction> | undefined;
  return instance === undefined ? method : instance[name];
}

/** Returns the instance, or the prototype of the class if there is an instance for each request. */
function instanceOf(wrapper: Wrapper): object | undefined {
  const { metatype } = wrapper as { readonly metatype?: { readonly prototype?: object } | null };
  if (!wrapper.isDependencyTreeStatic()) return metatype?.prototype;
  const instance: unknown = wrapper.getInstanceByContextId(STATIC_CONTEXT).instance;
  return instance instanceof Object ? instance : metatype?.prototype;
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
  const byName = new Map<string, FoundHandler[]>();
  return handlers.filter((handler) => {
    const name = `${handler.transport} ${handler.kind} ${handler.pattern}`;
    const same = byName.get(name) ?? [];
    byName.set(name, [...same, handler]);
    return !same.some(({ controller, method }) => controller === handler.controller && method === handler.method);
  });
}
