import type { PlacedRequirement } from '../../access/effective-requirements.js';
import { nameOfPolicy } from '../../model/policy.js';
import type { RequirementKind } from '../../model/requirement.js';
import type { ReportedRequirement, ReportedRoute } from './route-report.js';

const DECORATORS: Readonly<Record<RequirementKind, string>> = {
  scopes: 'RequireScopes',
  anyScope: 'RequireAnyScope',
  roles: 'RequireRoles',
  anyRole: 'RequireAnyRole',
  permissions: 'RequirePermissions',
  anyPermission: 'RequireAnyPermission',
  acr: 'RequireAcr',
  authorizationDetails: 'RequireAuthorizationDetails',
  policy: 'RequirePolicy',
};

export function describeRequirement({ requirement, from }: PlacedRequirement<never>): ReportedRequirement {
  return {
    decorator: DECORATORS[requirement.kind],
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
      return `${requirement.kind.startsWith('any') ? 'any' : 'all'} of ${requirement.names.join(', ')}`;
  }
}

export function warningOf({ transport, kind, pattern, handler, access, requires }: ReportedRoute): string | undefined {
  const route = `${handler} (${kind} ${pattern})`;
  if (access === 'unknown' && kind === 'connection')
    return `${route} injects SocketAuthenticator, but its handleConnection does not call admit(). Check that it authenticates each connection, or extend AuthenticatedGateway.`;
  if (access === 'unknown')
    return 'This application has microservice handlers. They are guarded only if connectMicroservice() is given { inheritAppConfig: true }. Call routeReport(app) to check.';
  if (access !== 'unguarded') return undefined;
  const fix = {
    http: "add @UseGuards(AuthGuard), or remove guard: 'manual'",
    graphql: kind === 'field' ? "give GraphQLModule fieldResolverEnhancers: ['guards']" : 'add @UseGuards(AuthGuard)',
    ws: kind === 'connection' ? 'extend AuthenticatedGateway' : 'add @UseGuards(AuthGuard)',
    rpc: 'call connectMicroservice(options, { inheritAppConfig: true }), or add @UseGuards(AuthGuard)',
  }[transport];
  // With `guard: 'manual'`, the application chooses what to guard. The query that reads a field is usually guarded.
  const isExpected = (transport === 'http' || transport === 'graphql') && requires.length === 0;
  return isExpected ? undefined : `No AuthGuard protects ${route}: ${fix}.`;
}

export function toTable(routes: readonly ReportedRoute[]): string {
  const rows = routes.map(({ transport, kind, pattern, handler, access, accessFrom, requires }) => [
    transport,
    kind,
    pattern,
    accessFrom === undefined ? access : `${access} (${accessFrom})`,
    handler,
    requires
      .map(
        ({ decorator, needs, from, reportOnly }) =>
          `@${decorator} ${needs} (${from}${reportOnly ? ', report only' : ''})`,
      )
      .join('; '),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
