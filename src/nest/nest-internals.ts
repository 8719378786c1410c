import type { ExecutionContext, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

/**
 * The metadata keys of Nest's own decorators. Their packages may not be installed, so they cannot be imported. Tests compare
 * them with the packages.
 */
export const METADATA = {
  eventStream: '__sse__',
  parameterTypes: 'design:paramtypes',
  injectedParameters: 'self:paramtypes',
  injectedProperties: 'self:properties_metadata',
  guards: '__guards__',
  path: 'path',
  method: 'method',
  version: '__version__',
  modulePath: '__module_path__',
  gateway: 'websockets:is_gateway',
  gatewayOptions: 'websockets:gateway_options',
  messageMapping: 'websockets:message_mapping',
  message: 'message',
  pattern: 'microservices:pattern',
  microservice: 'microservices:transport',
  patternHandler: 'microservices:handler_type',
  resolverType: 'graphql:resolver_type',
  resolverName: 'graphql:resolver_name',
  resolverProperty: 'graphql:resolve_property',
  resolverReference: 'graphql:resolve_reference',
} as const;

/** Returns the metadata that one of Nest's decorators set on a class or a method. */
export function metadataOf(name: keyof typeof METADATA, holder: object): unknown {
  return Reflect.getMetadata(METADATA[name], holder) as unknown;
}

/** Returns the tokens that Nest injects into a class, or into a factory. */
export function dependenciesOf(inject: readonly unknown[] | null | undefined, type: unknown): readonly unknown[] {
  const tokens: unknown[] = [...(inject ?? [])];
  if (!Array.isArray(inject) && typeof type === 'function') {
    tokens.push(...((metadataOf('parameterTypes', type) ?? []) as readonly unknown[]));
    const declared = (metadataOf('injectedParameters', type) ?? []) as readonly { index: number; param: unknown }[];
    for (const { index, param } of declared) tokens[index] = param;
    const properties = (metadataOf('injectedProperties', type) ?? []) as readonly { type: unknown }[];
    tokens.push(...properties.map((property) => property.type));
  }
  return tokens.map((token) => {
    // `forwardRef(() => Type)`, or `{ token, optional }` of a factory.
    const { forwardRef, token: inner } = Object(token) as { forwardRef?: () => unknown; token?: unknown };
    return typeof token === 'object' ? (forwardRef?.() ?? inner) : token;
  });
}

export type FoundProvider = readonly [Module, InstanceWrapper];

/** Returns the provider of each module that has one for the token. */
export function providersOf(modules: ModulesContainer, token: unknown): readonly FoundProvider[] {
  return [...modules.values()].flatMap((module) => {
    const wrapper = module.providers.get(token as Type);
    return wrapper === undefined ? [] : [[module, wrapper] as const];
  });
}

/** Searches a provider as Nest does: in the module, and then in what its imports export. Global modules are among the imports. */
export function findProvider(token: unknown, module: Module): FoundProvider | undefined {
  const reachable = new Set([module]);
  for (const each of reachable) {
    const wrapper = each.providers.get(token as Type);
    if (wrapper !== undefined && (each === module || each.exports.has(token as Type))) return [each, wrapper];
    for (const imported of each.imports) reachable.add(imported);
  }
  return undefined;
}

export const GRAPHQL_MODULE_OPTIONS = 'GqlModuleOptions';

/** Returns whether Nest calls global guards for messages of sockets, as since version 12. A false warning is better than none. */
export async function callsGuardsForSockets(): Promise<boolean> {
  try {
    await import('@nestjs/core/internal');
  } catch {
    return false;
  }
  try {
    // Some versions 11 have that file as well.
    const { default: manifest } = await import('@nestjs/core/package.json', { with: { type: 'json' } });
    return Number.parseInt(manifest.version, 10) >= 12;
  } catch {
    // Only versions 12 have a package.json that cannot be imported.
    return true;
  }
}

/** Returns the major version of `@nestjs/graphql`, or 0 if it cannot be determined. */
export async function graphqlVersion(): Promise<number> {
  try {
    // Not in a function that is called here: a bundler permits a package to be missing only if the import itself is in a `try`.
    const { default: manifest } = await import('@nestjs/graphql/package.json', { with: { type: 'json' } });
    return Number.parseInt(manifest.version, 10);
  } catch {
    return 0;
  }
}

/** The name of the handler for logs and events: `OrdersController.list`. */
export function handlerName(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}

/** Creates the context of a call for which Nest creates none: of a middleware, or of the renewal of a socket's token. */
export function createContext(
  type: 'http' | 'ws',
  args: readonly unknown[],
  handler: { controller: new (...parameters: never[]) => unknown; method: (...parameters: never[]) => unknown },
): ExecutionContext {
  const context = new OwnContext([...args], handler.controller as never, handler.method);
  context.setType(type);
  return context;
}

/** The context of a call that Nest does not know. */
export class OwnContext extends ExecutionContextHost {}
