import { type ExecutionContext, Inject, Injectable, type Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import { LRUCache } from 'lru-cache';
import { effectiveRequirements, type PlacedRequirement } from '../../access/effective-requirements.js';
import { ConfigurationError } from '../../model/errors.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { metadataOf } from '../nest-internals.js';
import { type FoundHandler, type HandlerFunction, missingHandler } from './handler-discovery.js';
import { matchedBy } from './route-names.js';
import { listDecorator, listsOfClass, listsOfMethod, nameOfMethod, nameWithoutBound } from './method-metadata.js';
import {
  hasOwnRequirements,
  type NestRequirement,
  requirementsOfClass,
  requirementsOfMethod,
} from './requirement.decorators.js';

/** The access of a route; without metadata a token is required. */
export type RouteAccess = 'public' | 'optional';

type Handler = HandlerFunction;
type Controller = Type;

/** The access rules that the decorators of a handler and its class state. The guard, the route report and Swagger read them here. */
export interface RouteRules {
  readonly access: RouteAccess | undefined;
  readonly accessFrom: 'handler' | 'class' | undefined;
  readonly requirements: readonly PlacedRequirement<ExecutionContext>[];
  /** Whether the response is a stream of server-sent events, which continues after the guard. */
  readonly isEventStream: boolean;
  /** Every scope that the route requires, for the challenge. */
  readonly requiredScopes: readonly string[];
}

// For one class. Bounded, because a request-scoped class may create its handlers anew for each request.
const MAX_HANDLERS = 250;

/** Reads the decorators of each handler once. Inherited methods have one route for each class. */
@Injectable()
export class RouteMetadata {
  private readonly routes = new Map<Controller, LRUCache<Handler, RouteRules>>();
  /** The handlers of each class whose instances Nest creates for each request. */
  private readonly perRequest = new Map<Controller, FoundHandler[]>();
  /** The rules of the methods of each class. */
  private readonly ofMethods = new Map<Controller, Map<string, RouteRules>>();
  /** The names of the functions that Nest calls instead of the methods of a class. */
  private readonly names = new Map<Controller, Map<Handler, string>>();

  constructor(@Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'require'>) {}

  /**
   * Returns the rules of the handler that is called.
   * @throws ConfigurationError if the decorators contradict each other, or if it is not known which handler is called.
   */
  ofCall(context: ExecutionContext): RouteRules {
    const controller = context.getClass();
    const handler = context.getHandler() as HandlerFunction;
    const handlers = this.perRequest.get(controller);
    if (handlers === undefined) return this.of(controller, handler);
    // The constructor may have replaced the method by any function, even by that of another handler.
    const matched = matchedBy(handlers, context);
    const name = this.nameOf(controller, handler);
    const own = matched.find((each) => each.name === name);
    const [rules, ...others] = own === undefined ? matched.map((each) => this.ofHandler(each)) : [this.ofHandler(own)];
    if (rules === undefined) return this.of(controller, handler);
    if (others.every((other) => isSame(other, rules))) return rules;
    throw unknownMethod(controller, name);
  }

  /** @throws as {@link ofCall} */
  of(controller: Controller, handler: Handler): RouteRules {
    let routes = this.routes.get(controller);
    if (routes === undefined) this.routes.set(controller, (routes = new LRUCache({ max: MAX_HANDLERS })));
    let route = routes.get(handler);
    if (route === undefined) {
      const name = this.nameOf(controller, handler);
      if (!this.isMethod(controller, name, handler)) throw unknownMethod(controller, name);
      route = this.read(controller, name, handler);
      routes.set(handler, route);
    }
    return route;
  }

  /** Returns the rules of a handler of the application. @throws ConfigurationError if its decorators contradict each other. */
  ofHandler({ controller, name, method }: FoundHandler): RouteRules {
    const known = this.ofMethods.get(controller) ?? new Map<string, RouteRules>();
    this.ofMethods.set(controller, known);
    const rules = known.get(name) ?? this.read(controller, name, method);
    known.set(name, rules);
    return rules;
  }

  /**
   * Remembers which function Nest calls for a handler of the application.
   * @throws ConfigurationError if it is the function of a handler with other rules.
   */
  register(handler: FoundHandler): void {
    const { controller, name, called } = handler;
    if (called === undefined) {
      this.perRequest.set(controller, [...(this.perRequest.get(controller) ?? []), handler]);
      return;
    }
    const other = this.knownNameOf(controller, called);
    if (other === undefined) this.namesOf(controller).set(called, name);
    else if (other !== name && !isSame(this.read(controller, other, called), this.ofHandler(handler))) {
      const message = `calls the function of ${other}, which has other decorators; wrap that function in a function of its own`;
      throw new ConfigurationError([{ path: `${controller.name}.${name}`, message }]);
    }
  }

  private read(controller: Controller, name: string, handler: Handler): RouteRules {
    return readRoute(controller, name, handler, this.settings.require as readonly NestRequirement[]);
  }

  private nameOf(controller: Controller, handler: HandlerFunction): string {
    return this.knownNameOf(controller, handler) ?? nameWithoutBound(handler);
  }

  /** Returns whether a function has the rules of a known method, or of the class because no method has requirements of its own. */
  private isMethod(controller: Controller, name: string, handler: HandlerFunction): boolean {
    const prototype = controller.prototype as Record<string, unknown>;
    if (typeof prototype[name] === 'function' || handler === missingHandler) return true;
    const methods = new MetadataScanner().getAllMethodNames(prototype);
    return methods.every((method) => requirementsOfMethod(controller, method).length === 0);
  }

  private knownNameOf(controller: Controller, handler: HandlerFunction): string | undefined {
    return nameOfMethod(controller.prototype as object, handler) ?? this.namesOf(controller).get(handler);
  }

  private namesOf(controller: Controller): Map<HandlerFunction, string> {
    const names = this.names.get(controller) ?? new Map<HandlerFunction, string>();
    this.names.set(controller, names);
    return names;
  }
}

/** @param handler the function that Nest calls. */
function readRoute(
  controller: Controller,
  name: string,
  handler: Handler,
  required: readonly NestRequirement[],
): RouteRules {
  const own = ownAccess(controller, name);
  const access = own ?? accessOfClass(controller);
  const accessFrom = own !== undefined ? 'handler' : access !== undefined ? 'class' : undefined;
  const isEventStream = metadataOf('eventStream', handler) !== undefined;
  const declared = { handler: requirementsOfMethod(controller, name), class: requirementsOfClass(controller) };
  if (access === 'public') {
    // A handler that is public itself overrides what it inherits. Everything else is a contradiction.
    const isContradicted =
      own === undefined ? declared.handler.length + declared.class.length > 0 : hasOwnRequirements(controller, name);
    if (isContradicted) {
      const message =
        'is @Public(), so its requirements would never be checked; remove one of them, or use @OptionalAuth()';
      throw new ConfigurationError([{ path: `${controller.name}.${name}`, message }]);
    }
    return Object.freeze({ access, accessFrom, isEventStream, requirements: [], requiredScopes: [] });
  }
  const requirements = effectiveRequirements({ ...declared, module: required });
  const requiredScopes = requirements.flatMap(({ requirement }) =>
    requirement.kind === 'scopes' && !requirement.reportOnly ? requirement.names : [],
  );
  return Object.freeze({ access, accessFrom, isEventStream, requirements, requiredScopes });
}

// Namespaced, because other packages and the Nest docs use `isPublic`, and their decorators must not open routes here.
const ACCESS_KEY = 'nestjs-resource-server:route-access';

export function accessDecorator(access: RouteAccess): ClassDecorator & MethodDecorator {
  return listDecorator(ACCESS_KEY, access);
}

/** Unlike requirements, the access is not inherited by a method that overrides another. */
function ownAccess({ prototype }: Controller, name: string): RouteAccess | undefined {
  const [own] = listsOfMethod(ACCESS_KEY, prototype as object, name);
  return own?.[0] as RouteAccess | undefined;
}

function accessOfClass(controller: Controller): RouteAccess | undefined {
  return listsOfClass(ACCESS_KEY, controller).flat()[0] as RouteAccess | undefined;
}

function unknownMethod({ name: path }: Controller, name: string): ConfigurationError {
  const message = `calls a function ${JSON.stringify(name)} that replaces one of its methods, but not which one is known; give the function the name of the method`;
  return new ConfigurationError([{ path, message }]);
}

function isSame(one: RouteRules, other: RouteRules): boolean {
  const { requirements } = other;
  return (
    one.access === other.access &&
    one.requirements.length === requirements.length &&
    one.requirements.every(({ requirement }, index) => requirement === requirements[index]?.requirement)
  );
}
