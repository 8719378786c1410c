import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/** What a route asks for; without metadata a token is required. */
export type RouteAccess = 'public' | 'optional';

/** Namespaced: `isPublic` is what other packages and the Nest docs use, and their decorators must not open our routes. */
export const ROUTE_ACCESS = 'nestjs-resource-server:route-access';

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** Reads the decorators of each handler once. The same method serves several classes where one inherits from another. */
export class RouteAccesses {
  private readonly known = new WeakMap<Controller, WeakMap<Handler, RouteAccess | undefined>>();

  constructor(private readonly reflector: Reflector) {}

  accessOf(context: ExecutionContext): RouteAccess | undefined {
    const [controller, handler] = [context.getClass(), context.getHandler()];
    let handlers = this.known.get(controller);
    if (handlers === undefined) this.known.set(controller, (handlers = new WeakMap()));
    let access = handlers.get(handler);
    if (access === undefined && !handlers.has(handler)) {
      access = this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [handler, controller]);
      handlers.set(handler, access);
    }
    return access;
  }
}
