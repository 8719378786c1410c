import type { RequirementPlace } from '../../access/effective-requirements.js';

/** A requirement, for people and for other programs. */
export interface ReportedRequirement {
  /** Without `@`: `RequireScopes`. The option `require` has the names of the decorators, too. */
  readonly decorator: string;
  /** `all of read:orders, write:orders`. */
  readonly needs: string;
  readonly from: RequirementPlace;
  readonly reportOnly: boolean;
}

/** One door of the application. */
export interface ReportedRoute {
  readonly transport: 'http' | 'graphql' | 'ws' | 'rpc';
  /**
   * `GET`, `POST`, … (HTTP); `Query`, `Mutation`, `Subscription`, `field` (GraphQL); `connection`, `message` (WebSocket);
   * `message`, `event` (microservices).
   */
  readonly kind: string;
  /** The path, the pattern, the name of the query or of the field. */
  readonly pattern: string;
  /** `OrdersController.list`. */
  readonly handler: string;
  /**
   * - `guarded`: a good token is needed.
   * - `optional`: guests may come (`@OptionalAuth()`), a bad token may not.
   * - `open`: `@Public()`.
   * - `unguarded`: nobody said that it is open, but no `AuthGuard` is asked.
   * - `unknown`: a message handler of a hybrid application, at start: see `routeReport`; or the opening of a gateway that
   *   has `SocketAuthenticator` injected, but is not seen to call its `admit`.
   */
  readonly access: 'guarded' | 'optional' | 'open' | 'unguarded' | 'unknown';
  /** Where `@Public()` or `@OptionalAuth()` stands. */
  readonly accessFrom?: 'handler' | 'class';
  readonly requires: readonly ReportedRequirement[];
}

export interface RouteReport {
  readonly routes: readonly ReportedRoute[];
  /** What a team should look at: doors that nobody guards, requirements that nobody asks. */
  readonly warnings: readonly string[];
}
