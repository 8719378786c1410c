import { type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import { OwnContext } from '../nest-internals.js';
import type { FoundHandler, HandlerFunction } from './found-handler.js';
import { nameOfMethod, nameWithoutBound } from './method-metadata.js';

/** The part of a request that states which path of its handler was matched. */
interface RoutedRequest {
  readonly method?: unknown;
  /** Express. */
  readonly route?: { readonly path?: unknown };
  /** Fastify. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** The last argument of a resolver. */
interface FieldInfo {
  readonly fieldName?: unknown;
  readonly parentType?: { readonly name?: unknown };
}

/** The handlers of the application, and which of them a call has. */
@Injectable()
export class CalledHandlers {
  private readonly classes = new Map<Type, FoundHandler[]>();
  private readonly perCall = new Set<Type>();

  register(handlers: readonly FoundHandler[]): void {
    this.classes.clear();
    this.perCall.clear();
    for (const handler of handlers) {
      const { controller, called } = handler;
      this.classes.set(controller, [...this.handlersOf(controller), handler]);
      if (called === undefined) this.perCall.add(controller);
    }
  }

  /** Returns the paths of the HTTP routes of a method. */
  pathsOf(controller: Type, name: string): readonly string[] {
    const own = this.handlersOf(controller).filter((each) => each.name === name && each.transport === 'http');
    return own.map(({ pattern }) => pattern);
  }

  /** Whether Nest creates an instance of the class for each call, so that the functions that it calls are not known. */
  isPerCall(controller: Type): boolean {
    return this.perCall.has(controller);
  }

  /** Returns the name of the method that a function is, or that Nest calls it for. Undefined if neither is known. */
  nameOf(controller: Type, method: HandlerFunction): string | undefined {
    const own = nameOfMethod(controller.prototype as object, method);
    return own ?? this.handlersOf(controller).find(({ called }) => called === method)?.name;
  }

  /**
   * Returns `GET /orders/:id`, `Query orders` or `message orders`, as in the route report, and never text that a caller sent, which
   * is unbounded. If the call does not state which of several routes it has, all of them: `GET /a | GET /b`. Undefined for a call
   * that no handler of the application serves.
   */
  routeOf(context: ExecutionContext): string | undefined {
    const names = new Set(this.of(context).map(({ kind, pattern }) => `${kind} ${pattern}`));
    return names.size === 0 ? undefined : [...names].join(' | ');
  }

  /**
   * Returns the handlers that a call may have: those of its transport, path or field, and of the function that is called. The function
   * does not count if it is none of theirs, because the constructor may have replaced the method by any other.
   */
  possible(context: ExecutionContext): readonly FoundHandler[] {
    const own = this.of(context);
    return own.length > 0 ? own : matchedBy(this.handlersOf(context.getClass()), context);
  }

  /**
   * Returns whether a call is one of a handler whose class is not the one that is called: the constructor of a class that Nest creates
   * for each call returned another object.
   */
  isHidden(context: ExecutionContext): boolean {
    if (this.perCall.size === 0 || context instanceof OwnContext) return false;
    // Other transports do not state what is called.
    const type = context.getType<string>();
    if (type !== 'http' && type !== 'graphql') return false;
    const matches = matcherOf(context);
    const has = (controller: Type) =>
      this.handlersOf(controller).some((each) => each.transport === type && matches(each));
    return !has(context.getClass()) && [...this.perCall].some(has);
  }

  private of(context: ExecutionContext): readonly FoundHandler[] {
    const controller = context.getClass();
    const method = context.getHandler() as HandlerFunction;
    const matched = matchedBy(this.handlersOf(controller), context);
    const called = matched.filter((handler) => handler.called === method);
    if (called.length > 0) return called;
    const name = this.nameOf(controller, method) ?? nameWithoutBound(method);
    return matched.filter((handler) => handler.name === name);
  }

  private handlersOf(controller: Type): readonly FoundHandler[] {
    return this.classes.get(controller) ?? [];
  }
}

/** Returns the handlers of the transport and the path or field of a call. All of the transport, if the call does not state them. */
function matchedBy(handlers: readonly FoundHandler[], context: ExecutionContext): readonly FoundHandler[] {
  const type = context.getType<string>();
  const ofTransport = handlers.filter(({ transport }) => transport === type);
  const matched = ofTransport.filter(matcherOf(context));
  return matched.length > 0 ? matched : ofTransport;
}

function matcherOf(context: ExecutionContext): (handler: FoundHandler) => boolean {
  const type = context.getType<string>();
  if (type === 'http') {
    const { method, route, routeOptions } = context.switchToHttp().getRequest<RoutedRequest | undefined>() ?? {};
    const path = route?.path ?? routeOptions?.url;
    const kinds = ['ALL', method === 'HEAD' ? 'GET' : method];
    return ({ kind, pattern }) => pattern === path && kinds.includes(kind);
  }
  if (type !== 'graphql') return () => true;
  const { fieldName, parentType } = context.getArgByIndex<FieldInfo | undefined>(3) ?? {};
  const parent = String(parentType?.name);
  const field = `${parent}.${String(fieldName)}`;
  return ({ kind, pattern }) => (kind === 'field' ? pattern === field : kind === parent && pattern === fieldName);
}
