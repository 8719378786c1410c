import { type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { effectiveRequirements, type PlacedRequirement } from '../../access/effective-requirements.js';
import { ConfigurationError } from '../../model/errors.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { RESOLVED_OPTIONS } from '../auth-options.js';
import { metadataOf } from '../nest-internals.js';
import { type NestRequirement, requirementsOn } from './requirement.decorators.js';

/** The access of a route; without metadata a token is required. */
export type RouteAccess = 'public' | 'optional';

/** Namespaced, because other packages and the Nest docs use `isPublic`, and their decorators must not open routes here. */
export const ROUTE_ACCESS = 'nestjs-resource-server:route-access';

type Handler = ReturnType<ExecutionContext['getHandler']>;
type Controller = ReturnType<ExecutionContext['getClass']>;

/** The access rules that the decorators of a handler and its class state. The guard, the route report and Swagger read the same object. */
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

  constructor(@Inject(RESOLVED_OPTIONS) private readonly settings: Pick<ResolvedOptions, 'require'>) {}

  /** @throws ConfigurationError if the decorators contradict each other. */
  of(controller: Controller, handler: Handler): RouteRules {
    let routes = this.routes.get(controller);
    if (routes === undefined) this.routes.set(controller, (routes = new LRUCache({ max: MAX_HANDLERS })));
    let route = routes.get(handler);
    if (route === undefined) {
      route = readRoute(controller, handler, this.settings.require as readonly NestRequirement[]);
      routes.set(handler, route);
    }
    return route;
  }
}

function readRoute(controller: Controller, handler: Handler, required: readonly NestRequirement[]): RouteRules {
  const own = accessOn(handler);
  const access = own ?? accessOn(controller);
  const accessFrom = own !== undefined ? 'handler' : access !== undefined ? 'class' : undefined;
  const isEventStream = metadataOf('eventStream', handler) !== undefined;
  const declared = { handler: requirementsOn(handler), class: requirementsOn(controller) };
  if (access === 'public') {
    // A handler that is public itself overrides the requirements of its class. Everything else is a contradiction.
    if (declared.handler.length > 0 || (own === undefined && declared.class.length > 0)) {
      const message =
        'is @Public(), so its requirements would never be checked; remove one of them, or use @OptionalAuth()';
      throw new ConfigurationError([{ path: `${controller.name}.${handler.name}`, message }]);
    }
    return Object.freeze({ access, accessFrom, isEventStream, requirements: [], requiredScopes: [] });
  }
  const requirements = effectiveRequirements({ ...declared, module: required });
  const requiredScopes = requirements.flatMap(({ requirement }) =>
    requirement.kind === 'scopes' && !requirement.reportOnly ? requirement.names : [],
  );
  return Object.freeze({ access, accessFrom, isEventStream, requirements, requiredScopes });
}

function accessOn(holder: object): RouteAccess | undefined {
  return Reflect.getMetadata(ROUTE_ACCESS, holder) as RouteAccess | undefined;
}
