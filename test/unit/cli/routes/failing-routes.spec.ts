import { describe, expect, it } from '@jest/globals';
import { failingRoutes, readFailOn } from '../../../../src/cli/routes/failing-routes.js';
import type { ReportedRoute } from '../../../../src/index.js';

const route = (members: Partial<ReportedRoute>): ReportedRoute => ({
  transport: 'graphql',
  kind: 'Query',
  pattern: 'orders',
  handler: 'OrdersResolver.orders',
  access: 'guarded',
  requires: [],
  ...members,
});
const scopes = { decorator: 'RequireScopes', needs: 'all of read', from: 'handler', reportOnly: false } as const;

describe('the routes that --fail-on names', () => {
  it('are those of its accesses', () => {
    const all = (['guarded', 'optional', 'open', 'unguarded', 'unknown'] as const).map((access) => route({ access }));
    expect(failingRoutes(all, readFailOn(' open, unknown,')).map(({ access }) => access)).toEqual(['open', 'unknown']);
    expect(failingRoutes(all, readFailOn(undefined))).toEqual([]);
  });

  it('are no fields of GraphQL, unless they require something', () => {
    const [bare, strict] = [[], [scopes]].map((requires) => route({ kind: 'field', access: 'unguarded', requires }));
    expect(failingRoutes([bare, strict] as ReportedRoute[], ['unguarded'])).toEqual([strict]);
  });

  it('are those of known accesses only', () => {
    expect(() => readFailOn('open,guarded')).toThrow(
      '--fail-on takes open, unguarded, unknown with commas between, not guarded.',
    );
  });
});
