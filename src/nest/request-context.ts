import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';

// Passport hands on the request alone.
const contexts = new WeakMap<object, ExecutionContext>();

export function rememberContext(request: object, context: ExecutionContext): void {
  contexts.set(request, context);
}

/** The context that the guard had when it asked passport; where somebody else asks, an HTTP request without a response. */
export function contextOfRequest(request: object): ExecutionContext {
  return contexts.get(request) ?? new ExecutionContextHost([request]);
}

/** `OrdersController.list`, for the log. */
export function handlerName(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}

/** A context for what Nest makes none for: a middleware, a socket that was opened. */
export function contextOf(
  type: 'http' | 'ws',
  args: readonly unknown[],
  handler: { controller: new (...parameters: never[]) => unknown; method: (...parameters: never[]) => unknown },
): ExecutionContext {
  const context = new ExecutionContextHost([...args], handler.controller as never, handler.method);
  context.setType(type);
  return context;
}
