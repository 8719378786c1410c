import type { PlacedRequirement, RequirementPlace } from '../../access/effective-requirements.js';
import { nameOfPolicy } from '../../model/policy.js';
import { escapeUnprintable } from '../../model/printable-text.js';
import { REQUIREMENTS } from '../../model/requirement.js';
import { alignColumns } from '../../model/text-layout.js';

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
   * `GET`, `POST`, … (HTTP); `Query`, `Mutation`, `Subscription`, `field`, `reference` (GraphQL); `connection`, `message`
   * (WebSocket); `message`, `event` (microservices).
   */
  readonly kind: string;
  /** The path, the message pattern, the name of the query or field, or the type that a reference resolves to. */
  readonly pattern: string;
  /** `OrdersController.list`. */
  readonly handler: string;
  /**
   * - `guarded`: requires a valid token.
   * - `optional`: admits guests (`@OptionalAuth()`), but rejects invalid tokens.
   * - `open`: `@Public()`.
   * - `unguarded`: not declared public, but Nest calls no `AuthGuard` for it.
   * - `unknown`: a message handler of a hybrid application, at start (see `routeReport`); the opening of a gateway that injects
   *   `SocketAuthenticator`; or a route with `@UseGuards(AuthGuard)` on the method only, if its controller is created for
   *   each request.
   */
  readonly access: 'guarded' | 'optional' | 'open' | 'unguarded' | 'unknown';
  /** Where `@Public()` or `@OptionalAuth()` is. */
  readonly accessFrom?: 'handler' | 'class';
  /**
   * For a field of GraphQL that clients may reach without a query of a handler: through `_entities` of a federated subgraph, or through a
   * root field of the options `resolvers` or `rootValue`, or of a root type with another name than `Query`.
   */
  readonly withoutQuery?: true;
  readonly requires: readonly ReportedRequirement[];
}

export interface RouteReport {
  readonly routes: readonly ReportedRoute[];
  /** Problems: routes that are not guarded, and requirements that are not checked. */
  readonly warnings: readonly string[];
}

/** Returns whether a route can be called without a token. A GraphQL field is protected by its query, unless there is none. */
export function isOpen({ access, kind, withoutQuery }: ReportedRoute): boolean {
  return access !== 'guarded' && access !== 'optional' && (kind !== 'field' || withoutQuery === true);
}

export function describeRequirement({ requirement, from }: PlacedRequirement<never>): ReportedRequirement {
  return {
    decorator: REQUIREMENTS[requirement.kind].decorator,
    needs: needsOf(requirement),
    from,
    reportOnly: requirement.reportOnly,
  };
}

function needsOf(requirement: PlacedRequirement<never>['requirement']): string {
  switch (requirement.kind) {
    case 'acr': {
      const { values, maxAgeSeconds } = requirement;
      const parts = [values.join(' or '), maxAgeSeconds === undefined ? '' : `at most ${String(maxAgeSeconds)} s ago`];
      return parts.filter((part) => part !== '').join(', ');
    }
    case 'authorizationDetails':
      return requirement.predicate === undefined ? requirement.type : `${requirement.type} that matches the predicate`;
    case 'policy':
      return nameOfPolicy(requirement.policy);
    default:
      return `${REQUIREMENTS[requirement.kind].needs} of ${requirement.names.join(', ')}`;
  }
}

export function warningOf({
  transport,
  kind,
  pattern,
  handler,
  access,
  withoutQuery,
}: ReportedRoute): string | undefined {
  const route = `${handler} (${kind} ${pattern})`;
  if (access === 'unknown' && kind === 'connection')
    return `${route} injects SocketAuthenticator, but whether it authenticates each connection cannot be determined. Check it, or extend AuthenticatedGateway.`;
  if (access === 'unknown' && transport !== 'rpc') return `No AuthGuard may protect ${route}: ${GUARD_OF_CLASS}.`;
  if (access === 'unknown' && transport === 'rpc')
    return 'Message handlers are guarded only if connectMicroservice() is given { inheritAppConfig: true }. Only the application shows it: call routeReport(app), or give the command `routes` a function that creates the application and connects them.';
  // With `guard: 'manual'`, the application chooses what to guard. The query that reads a field is usually guarded.
  const isEntity = kind === 'reference' || withoutQuery === true;
  const isExpected = transport === 'http' || (transport === 'graphql' && !isEntity);
  if (access !== 'unguarded' || isExpected) return undefined;
  return `No AuthGuard protects ${route}: ${fixOfUnguarded({ transport, kind })}.`;
}

/** The warning for a route whose method has the guard, but not the function that Nest calls. */
export function lostGuardOf({ kind, pattern, handler }: ReportedRoute): string {
  return `No AuthGuard protects ${handler} (${kind} ${pattern}): Nest calls another function than the method with the guard, because the constructor replaced it: put @UseGuards(AuthGuard) on the class.`;
}

/** For a guard of a method only. */
export const GUARD_OF_CLASS =
  'put @UseGuards(AuthGuard) on the class, whose constructor is called for each request and may replace the method by a function without the guard';

/** Returns what a developer has to write, so that Nest calls the guard for a handler. */
export function fixOfUnguarded({ transport, kind }: Pick<ReportedRoute, 'transport' | 'kind'>): string {
  return {
    http: "add @UseGuards(AuthGuard), or remove guard: 'manual'",
    graphql: ['field', 'reference'].includes(kind)
      ? "give GraphQLModule fieldResolverEnhancers: ['guards']"
      : 'add @UseGuards(AuthGuard)',
    ws: kind === 'connection' ? 'extend AuthenticatedGateway' : 'add @UseGuards(AuthGuard)',
    rpc: 'call connectMicroservice(options, { inheritAppConfig: true }), or add @UseGuards(AuthGuard)',
  }[transport];
}

/** @param styleOf Applies the color of an access, or of handlers. */
export function toTable(
  routes: readonly ReportedRoute[],
  styleOf = (_subject: ReportedRoute['access'] | 'handler', text: string) => text,
): string {
  const textOf = ({ decorator, needs, from, reportOnly }: ReportedRequirement) =>
    `@${decorator} ${needs} (${from}${reportOnly ? ', report only' : ''})`;
  const rows = routes.map(({ transport, kind, pattern, handler, access, accessFrom, requires }) => [
    transport,
    kind,
    escapeUnprintable(pattern),
    styleOf(access, accessFrom === undefined ? access : `${access} (${accessFrom})`),
    styleOf('handler', escapeUnprintable(handler)),
    escapeUnprintable(requires.map(textOf).join('; ')),
  ]);
  return alignColumns(rows);
}
