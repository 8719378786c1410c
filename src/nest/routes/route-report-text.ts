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
      return requirement.predicate === undefined ? requirement.type : `${requirement.type} that fits`;
    case 'policy':
      return nameOfPolicy(requirement.policy);
    default:
      return `${requirement.kind.startsWith('any') ? 'any' : 'all'} of ${requirement.names.join(', ')}`;
  }
}

export function warningOf({ transport, kind, pattern, handler, access, requires }: ReportedRoute): string | undefined {
  const door = `${handler} (${kind} ${pattern})`;
  if (access === 'unknown' && kind === 'connection')
    return `${door} has SocketAuthenticator injected, but its handleConnection does not call admit(): see whether it is guarded, or let the gateway extend AuthenticatedGateway`;
  if (access === 'unknown')
    return 'This application has microservice handlers: they are guarded only where connectMicroservice() is given { inheritAppConfig: true }; routeReport(app) tells';
  if (access !== 'unguarded') return undefined;
  const mend = {
    http: "@UseGuards(AuthGuard), or leave out guard: 'manual'",
    graphql:
      kind === 'field' ? "fieldResolverEnhancers: ['guards'] in the options of GraphQLModule" : '@UseGuards(AuthGuard)',
    ws: kind === 'connection' ? 'let the gateway extend AuthenticatedGateway' : '@UseGuards(AuthGuard)',
    rpc: 'connectMicroservice(options, { inheritAppConfig: true }), or @UseGuards(AuthGuard)',
  }[transport];
  // With `guard: 'manual'` it is the application's choice what is guarded; fields mostly need no more than their query.
  const isExpected = (transport === 'http' || kind === 'field' || transport === 'graphql') && requires.length === 0;
  return isExpected ? undefined : `No AuthGuard is asked about ${door}: ${mend}`;
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
