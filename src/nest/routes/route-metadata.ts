import type { ExecutionContext } from '@nestjs/common';
import { effectiveRequirements, type PlacedRequirement } from '../../access/effective-requirements.js';
import { ConfigurationError, type ConfigurationProblem } from '../../model/errors.js';
import { REQUIREMENT_KINDS } from '../../model/requirement.js';
import { SSE_METADATA } from './nest-metadata.js';
import { type NestRequirement, requirementsOn } from './requirement.decorators.js';

/** What a route asks for; without metadata a token is required. */
export type RouteAccess = 'public' | 'optional';

/** Namespaced: `isPublic` is what other packages and the Nest docs use, and their decorators must not open our routes. */
export const ROUTE_ACCESS = 'nestjs-resource-server:route-access';

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** What the decorators of a handler and its class say. */
export interface Route {
  readonly access: RouteAccess | undefined;
  readonly accessFrom: 'handler' | 'class' | undefined;
  readonly requirements: readonly PlacedRequirement<ExecutionContext>[];
  /** Server-sent events: its answer goes on. */
  readonly isEventStream: boolean;
  /** Every scope that it requires, for the challenge. */
  readonly requiredScopes: readonly string[];
}

/** Reads the decorators of each handler once. The same method serves several classes where one inherits from another. */
export class RouteMetadata {
  private readonly known = new WeakMap<Controller, WeakMap<Handler, Route>>();

  /** @param required what the module requires of every token. */
  constructor(private readonly required: readonly NestRequirement[]) {}

  /** @throws ConfigurationError where decorators contradict each other. */
  of(controller: Controller, handler: Handler): Route {
    let handlers = this.known.get(controller);
    if (handlers === undefined) this.known.set(controller, (handlers = new WeakMap()));
    let route = handlers.get(handler);
    if (route === undefined) {
      route = readRoute(controller, handler, this.required);
      handlers.set(handler, route);
    }
    return route;
  }
}

function readRoute(controller: Controller, handler: Handler, required: readonly NestRequirement[]): Route {
  const own = accessOn(handler);
  const access = own ?? accessOn(controller);
  const accessFrom = own !== undefined ? 'handler' : access !== undefined ? 'class' : undefined;
  const isEventStream = Reflect.getMetadata(SSE_METADATA, handler) !== undefined;
  const written = {
    handler: requirementsOn(handler, REQUIREMENT_KINDS),
    class: requirementsOn(controller, REQUIREMENT_KINDS),
  };
  if (access === 'public') {
    // A handler that is opened by itself leaves what its class requires; anything else is a contradiction.
    if (written.handler.length > 0 || (own === undefined && written.class.length > 0))
      throw new ConfigurationError([contradiction(controller, handler)]);
    return Object.freeze({ access, accessFrom, isEventStream, requirements: [], requiredScopes: [] });
  }
  const requirements = effectiveRequirements({ ...written, module: required });
  const requiredScopes = requirements.flatMap(({ requirement }) =>
    requirement.kind === 'scopes' && !requirement.reportOnly ? requirement.names : [],
  );
  return Object.freeze({ access, accessFrom, isEventStream, requirements, requiredScopes });
}

function accessOn(holder: object): RouteAccess | undefined {
  return Reflect.getMetadata(ROUTE_ACCESS, holder) as RouteAccess | undefined;
}

function contradiction(controller: Controller, handler: Handler): ConfigurationProblem {
  return {
    path: `${controller.name}.${handler.name}`,
    message: 'is @Public(), so what it requires would never be asked; take one of both away, or use @OptionalAuth()',
  };
}
