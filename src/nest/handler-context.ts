import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

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
