import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { GRAPHQL_MODULE_OPTIONS, metadataOf } from '../nest-internals.js';
import {
  classesOf,
  type Endpoint,
  type FoundHandler,
  type HandlerFunction,
  type Wrapper,
  wrappersOf,
} from './found-handler.js';

/** The options of `@nestjs/graphql` that are read. */
interface GraphqlOptions {
  readonly fieldResolverEnhancers?: readonly string[];
  readonly context?: unknown;
  readonly resolvers?: unknown;
  readonly rootValue?: unknown;
}

/** The options of each `GraphQLModule`. */
export function graphqlOptions(modules: ModulesContainer): readonly GraphqlOptions[] {
  return [...modules.values()].flatMap((module) => {
    const instance: unknown = module.providers.get(GRAPHQL_MODULE_OPTIONS)?.instance;
    return typeof instance === 'object' && instance !== null ? [instance] : [];
  });
}

/**
 * Whether clients reach the fields of types without a query of a handler: through `_entities` of a subgraph, or through a root field
 * that no handler serves (`resolvers`, `rootValue`, a root type with another name). Known when the schema is built.
 */
export function areFieldsReachable(modules: ModulesContainer, handlers: readonly FoundHandler[]): boolean {
  const withGraphql = [...modules.values()].filter(({ providers }) => providers.has(GRAPHQL_MODULE_OPTIONS));
  const wrappers = withGraphql.flatMap(({ providers }) => [...providers.values()]);
  const isSubgraph = classesOf(wrappers).some((type) =>
    classNamesOf(type).some((name) => name.endsWith('FederationDriver')),
  );
  const queries = handlers.filter(({ kind }) => ROOT_TYPES.includes(kind)).map(({ pattern }) => pattern);
  const fields = handlers.filter(({ kind }) => kind === 'field').map(({ pattern }) => pattern);
  const rootFields = wrappers.filter(isSchemaHost).flatMap(rootFieldsOf);
  const isOther = ({ name, path, isObject }: RootField) =>
    !queries.includes(name) && (isObject || fields.includes(path));
  return isSubgraph || rootFields.some(isOther);
}

/** Root fields that functions of the options `resolvers` or `rootValue` serve, for which Nest calls no guard. */
export function rootFieldsWithoutHandler(
  modules: ModulesContainer,
  handlers: readonly FoundHandler[],
): readonly Pick<FoundHandler, 'kind' | 'pattern'>[] {
  const names = handlers.flatMap(({ kind, pattern }) => (kind === 'field' ? [pattern] : [`${kind}.${pattern}`]));
  const options = graphqlOptions(modules);
  const hosts = wrappersOf(modules, 'providers').filter(isSchemaHost);
  const served = hosts.flatMap(rootFieldsOf).filter(({ kind, name, path }) => {
    const hasHandler = names.includes(path) || names.includes(`${kind}.${name}`);
    return (
      !hasHandler &&
      options.some(({ resolvers, rootValue }) => {
        return rootValue !== undefined || hasResolver(resolvers, path);
      })
    );
  });
  return served.map(({ kind, name }) => ({ kind, pattern: name }));
}

/** Whether a function of the option `resolvers` is called instead of a handler. Nest calls no guard for it. */
export function isReplacedByOption(modules: ModulesContainer, { transport, kind, pattern }: FoundHandler): boolean {
  const path = kind === 'field' ? pattern : `${kind}.${pattern}`;
  return transport === 'graphql' && graphqlOptions(modules).some(({ resolvers }) => hasResolver(resolvers, path));
}

function hasResolver(resolvers: unknown, path: string): boolean {
  const [type = '', name = ''] = path.split('.');
  const maps = [resolvers].flat(Infinity) as readonly (Partial<Record<string, Record<string, unknown>>> | undefined)[];
  return maps.some((map) => map?.[type]?.[name] !== undefined);
}

export function fieldsOf(method: HandlerFunction, resolver: Type): readonly Endpoint[] {
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

/** Nest takes the class of a resolver from its instance, which a factory may have created. */
export function resolverClassOf(wrapper: Wrapper): readonly Type[] {
  const { inject, isNotMetatype, instance } = wrapper;
  if (!isNotMetatype && (inject === undefined || inject === null)) return classesOf([wrapper]);
  const type: unknown = instance instanceof Object ? Reflect.getPrototypeOf(instance)?.constructor : undefined;
  return typeof type === 'function' && type !== Object ? [type as Type] : [];
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
  readonly kind: string;
  readonly name: string;
  /** `Query.orders`. */
  readonly path: string;
  /** Whether it has fields of its own. A scalar without a handler is null. */
  readonly isObject: boolean;
}

function isSchemaHost({ name }: Wrapper): boolean {
  return name === 'GraphQLSchemaHost';
}

function rootFieldsOf({ instance }: Wrapper): readonly RootField[] {
  try {
    // Throws before the schema is built.
    const { schema } = instance as { readonly schema: GraphqlSchema };
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    return roots.flatMap((root, index) =>
      Object.entries(root?.getFields() ?? {}).map(([name, { type }]) => {
        const [kind = '', path] = [ROOT_TYPES[index], `${String(root?.name)}.${name}`];
        return { kind, name, path, isObject: hasFields(type) };
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
