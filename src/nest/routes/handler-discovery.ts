import { RequestMethod, type Type } from '@nestjs/common';
import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
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
  /** The name of the method. */
  readonly name: string;
  /** The method of the class. */
  readonly method: HandlerFunction;
  /**
   * The function that Nest calls, and whose `@UseGuards` it reads. The constructor of a controller may have replaced the method.
   * Undefined if that is not known, because the instance is created for each request.
   */
  readonly called: HandlerFunction | undefined;
  /** The kind of microservice, if a message handler is for one kind only. */
  readonly microservice?: unknown;
}

/** The part of a handler that its decorators state. */
type Endpoint = Pick<FoundHandler, 'transport' | 'kind' | 'pattern' | 'microservice'>;

/** A provider or controller of Nest. */
type Wrapper = InstanceWrapper<unknown>;

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

  /**
   * Whether clients reach the fields of types without a query of a handler: through `_entities` of a subgraph, or through a root field
   * that no handler serves (`resolvers`, `rootValue`, a root type with another name). Known when the schema is built.
   */
  areFieldsReachable(handlers: readonly FoundHandler[]): boolean {
    const modules = [...this.modules.values()].filter(({ providers }) => providers.has(GRAPHQL_MODULE_OPTIONS));
    const wrappers = modules.flatMap(({ providers }) => [...providers.values()]);
    const isSubgraph = classesOf(wrappers).some((type) =>
      classNamesOf(type).some((name) => name.endsWith('FederationDriver')),
    );
    const queries = handlers.filter(({ kind }) => ROOT_TYPES.includes(kind)).map(({ pattern }) => pattern);
    const fields = handlers.filter(({ kind }) => kind === 'field').map(({ pattern }) => pattern);
    const rootFields = wrappers.filter(({ name }) => name === 'GraphQLSchemaHost').flatMap(rootFieldsOf);
    const isOther = ({ name, path, isObject }: RootField) =>
      !queries.includes(name) && (isObject || fields.includes(path));
    return isSubgraph || rootFields.some(isOther);
  }

  /** Gateways that extend `base` and are request-scoped. */
  requestScopedGateways(base: { readonly prototype: object }): readonly Type[] {
    const providers = [...this.modules.values()].flatMap((module) => [...module.providers.values()]);
    const requestScoped = classesOf(providers.filter((wrapper) => !wrapper.isDependencyTreeStatic()));
    return requestScoped.filter(
      (type) => type.prototype instanceof (base as Type) && metadataOf('gateway', type) === true,
    );
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

function fieldsOf(method: HandlerFunction, resolver: Type): readonly Endpoint[] {
  const own = metadataOf('resolverType', method);
  const isField = metadataOf('resolverProperty', method) === true;
  const isReference = metadataOf('resolverReference', method) === true;
  if (own === undefined && !isField && !isReference) return [];
  const name = (metadataOf('resolverName', method) as string | undefined) ?? method.name;
  const type = own ?? metadataOf('resolverType', resolver);
  // Nest calls a resolver of references for a type only.
  if (isReference) return typeof type === 'string' ? [{ transport: 'graphql', kind: 'reference', pattern: type }] : [];
  // Nest treats a field of `@Resolver('Query')` as a query.
  if (typeof type === 'string' && ROOT_TYPES.includes(type))
    return [{ transport: 'graphql', kind: type, pattern: name }];
  const parent = metadataOf('resolverName', resolver) ?? metadataOf('resolverType', resolver);
  const parentName = typeof parent === 'string' ? parent : resolver.name;
  return [{ transport: 'graphql', kind: 'field', pattern: `${parentName}.${name}` }];
}

const ROOT_TYPES: readonly string[] = ['Query', 'Mutation', 'Subscription'];

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
  const instance: unknown = wrapper.getInstanceByContextId(STATIC_CONTEXT).instance;
  return instance instanceof Object ? (instance as Record<string, HandlerFunction>)[name] : method;
}

/** Nest takes the class of a resolver from its instance, which a factory may have created. */
function resolverClassOf(wrapper: Wrapper): readonly Type[] {
  const { inject, isNotMetatype, instance } = wrapper;
  if (!isNotMetatype && (inject === undefined || inject === null)) return classesOf([wrapper]);
  const type: unknown = instance instanceof Object ? Reflect.getPrototypeOf(instance)?.constructor : undefined;
  return typeof type === 'function' && type !== Object ? [type as Type] : [];
}

function classesOf(wrappers: Iterable<{ readonly metatype: unknown }>): readonly Type[] {
  const types = Array.from(wrappers, ({ metatype }) => metatype);
  return types.filter((type): type is Type => typeof type === 'function' && type.prototype !== undefined);
}

/** The part of a schema of graphql that is read. */
interface GraphqlSchema {
  getQueryType(): RootType;
  getMutationType(): RootType;
  getSubscriptionType(): RootType;
}
type RootType = { readonly name: string; getFields(): Record<string, { readonly type: FieldType }> } | null | undefined;
interface FieldType {
  readonly ofType?: FieldType;
  readonly getFields?: unknown;
  readonly getTypes?: unknown;
}

interface RootField {
  readonly name: string;
  /** `Query.orders`. */
  readonly path: string;
  /** Whether it has fields of its own. A scalar without a handler is null. */
  readonly isObject: boolean;
}

function rootFieldsOf({ instance }: Wrapper): readonly RootField[] {
  try {
    // Throws before the schema is built.
    const { schema } = instance as { readonly schema: GraphqlSchema };
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    return roots.flatMap((root) =>
      Object.entries(root?.getFields() ?? {}).map(([name, { type }]) => {
        return { name, path: `${String(root?.name)}.${name}`, isObject: hasFields(type) };
      }),
    );
  } catch {
    return [];
  }
}

function hasFields({ ofType, getFields, getTypes }: FieldType): boolean {
  return ofType === undefined ? getFields !== undefined || getTypes !== undefined : hasFields(ofType);
}

/** The name of a class, and of the classes that it extends. */
function classNamesOf(type: unknown): readonly string[] {
  return typeof type === 'function' ? [type.name, ...classNamesOf(Reflect.getPrototypeOf(type))] : [];
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
