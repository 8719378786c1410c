import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

/**
 * The metadata keys of Nest's own decorators. Their packages may not be installed, so they cannot be imported. Tests compare
 * them with the packages.
 */
export const SSE_METADATA = '__sse__';
export const PARAMTYPES_METADATA = 'design:paramtypes';
export const SELF_DECLARED_DEPS_METADATA = 'self:paramtypes';
export const PROPERTY_DEPS_METADATA = 'self:properties_metadata';
export const GUARDS_METADATA = '__guards__';
export const PATH_METADATA = 'path';
export const METHOD_METADATA = 'method';
export const VERSION_METADATA = '__version__';
export const MODULE_PATH = '__module_path__';
export const GATEWAY_METADATA = 'websockets:is_gateway';
export const GATEWAY_OPTIONS = 'websockets:gateway_options';
export const MESSAGE_MAPPING_METADATA = 'websockets:message_mapping';
export const MESSAGE_METADATA = 'message';
export const PATTERN_METADATA = 'microservices:pattern';
export const TRANSPORT_METADATA = 'microservices:transport';
export const PATTERN_HANDLER_METADATA = 'microservices:handler_type';
export const RESOLVER_TYPE_METADATA = 'graphql:resolver_type';
export const RESOLVER_NAME_METADATA = 'graphql:resolver_name';
export const RESOLVER_PROPERTY_METADATA = 'graphql:resolve_property';
export const RESOLVER_REFERENCE_METADATA = 'graphql:resolve_reference';
export const GRAPHQL_MODULE_OPTIONS = 'GqlModuleOptions';

const VERSIONS = {
  '@nestjs/core': () => import('@nestjs/core/package.json', { with: { type: 'json' } }),
  '@nestjs/graphql': () => import('@nestjs/graphql/package.json', { with: { type: 'json' } }),
};

/** Returns the major version of an installed package, or 0 if it cannot be determined: a false warning is better than none. */
export async function majorVersionOf(name: keyof typeof VERSIONS): Promise<number> {
  try {
    const { default: manifest } = (await VERSIONS[name]()) as { default: { version: string } };
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
  const context = new ExecutionContextHost([...args], handler.controller as never, handler.method);
  context.setType(type);
  return context;
}
