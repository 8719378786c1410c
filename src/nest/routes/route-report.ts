import type { RequirementPlace } from '../../access/effective-requirements.js';

/** A requirement of a route, for people and for programs. */
export interface ReportedRequirement {
  /** The decorator without `@`: `RequireScopes`. The option `require` has the same names. */
  readonly decorator: string;
  /** `all of read:orders, write:orders`. */
  readonly needs: string;
  readonly from: RequirementPlace;
  readonly reportOnly: boolean;
}

/** One route of the application: an endpoint of any transport. */
export interface ReportedRoute {
  readonly transport: 'http' | 'graphql' | 'ws' | 'rpc';
  /**
   * `GET`, `POST`, … (HTTP); `Query`, `Mutation`, `Subscription`, `field` (GraphQL); `connection`, `message` (WebSocket);
   * `message`, `event` (microservices).
   */
  readonly kind: string;
  /** The path, the message pattern, or the name of the query or field. */
  readonly pattern: string;
  /** `OrdersController.list`. */
  readonly handler: string;
  /**
   * - `guarded`: requires a valid token.
   * - `optional`: admits guests (`@OptionalAuth()`), but rejects invalid tokens.
   * - `open`: `@Public()`.
   * - `unguarded`: not declared public, but Nest calls no `AuthGuard` for it.
   * - `unknown`: a message handler of a hybrid application, at start (see `routeReport`); or the opening of a gateway that
   *   injects `SocketAuthenticator` but does not visibly call its `admit`.
   */
  readonly access: 'guarded' | 'optional' | 'open' | 'unguarded' | 'unknown';
  /** Where `@Public()` or `@OptionalAuth()` is. */
  readonly accessFrom?: 'handler' | 'class';
  readonly requires: readonly ReportedRequirement[];
}

export interface RouteReport {
  readonly routes: readonly ReportedRoute[];
  /** Problems: routes that are not guarded, and requirements that are not checked. */
  readonly warnings: readonly string[];
}

/** Returns whether a route can be called without a token. A GraphQL field without requirements is protected by its query. */
export function isOpen({ access, kind, requires }: ReportedRoute): boolean {
  return access !== 'guarded' && access !== 'optional' && (kind !== 'field' || requires.length > 0);
}
