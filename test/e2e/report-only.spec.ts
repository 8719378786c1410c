import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AuthError,
  type AuthOptions,
  OptionalAuth,
  ReportedRefusals,
  RequireAcr,
  RequireAuthorizationDetails,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../src/index.js';
import { bearer, closeApps } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { LogRecorder } from '../support/log-recorder.js';
import { outcomeOf, startOrders } from '../support/orders-app.js';
import { routesController } from '../support/decorated-class.js';

const SECRET = 'secret-value-of-a-claim';
const REPORT = { reportOnly: true } as const;
const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);

afterEach(closeApps);

const throwing = (error: unknown) => () => {
  throw error;
};

const OrdersController = routesController('OrdersController', '', {
  plain: [],
  scopes: [RequireScopes('read', REPORT)],
  roles: [RequireRoles('admin', REPORT)],
  acr: [RequireAcr('mfa', REPORT)],
  details: [RequireAuthorizationDetails('payment', undefined, REPORT)],
  policy: [RequirePolicy(() => false, REPORT)],
  own: [RequirePolicy(throwing(new AuthError('USER_REFUSED', { secret: SECRET })), REPORT)],
  broken: [RequirePolicy(() => Promise.reject(new RangeError(SECRET)), REPORT)],
  throws: [RequirePolicy(throwing(SECRET), REPORT)],
  several: [RequireScopes('read', REPORT), RequireRoles('admin', REPORT)],
  enforced: [RequireScopes('read', REPORT), RequirePolicy(({ claims }) => claims.sub === 'alice')],
  optional: [OptionalAuth(), RequireScopes('read', REPORT)],
});

const ClosedController = routesController('ClosedController', '', { closed: [RequireScopes('write', REPORT)] });
RequireScopes('read')(ClosedController);

async function start(options: Partial<AuthOptions> = {}) {
  const logger = new LogRecorder();
  const controllers = [OrdersController, ClosedController];
  const running = await startOrders(issuer, options, { controllers, logger });
  const ask = async (path: string, claims?: Record<string, unknown>, header: Record<string, unknown> = {}) => {
    const all = { client_id: 'shop', secret: SECRET, ...claims };
    const headers = claims === undefined ? {} : bearer(issuer.token(key, 'ES256', all, header));
    return outcomeOf(await running.ask(headers, path));
  };
  const counts = () =>
    running.app
      .get(ReportedRefusals)
      .counts()
      .map(({ code, clientId, handler, count }) => [code, clientId, handler, count]);
  return { ask, counts, lines: logger.lines };
}

describe('A requirement that is only reported', () => {
  it.each([
    ['scopes', 'SCOPE_INSUFFICIENT'],
    ['roles', 'ROLE_INSUFFICIENT'],
    ['acr', 'AUTHENTICATION_INSUFFICIENT'],
    ['details', 'AUTHORIZATION_DETAILS_INSUFFICIENT'],
    ['policy', 'POLICY_DENIED'],
    ['own', 'USER_REFUSED'],
  ])('admits the call, counts it and logs it: %s (%s)', async (path, code) => {
    const { ask, counts, lines } = await start();
    expect(await ask(path, {})).toBe('200');
    expect(counts()).toStrictEqual([[code, 'shop', `OrdersController.${path}`, 1]]);
    expect(lines).toEqual([
      `warn: Admitted because of reportOnly: ${code} for client "shop" at OrdersController.${path} (1 so far)`,
    ]);
  });

  it('is not counted if it is met', async () => {
    const { ask, counts, lines } = await start();
    expect(await ask('scopes', { scope: 'read' })).toBe('200');
    expect(await ask('details', { authorization_details: [{ type: 'payment' }] })).toBe('200');
    expect([counts(), lines]).toStrictEqual([[], []]);
  });

  it('is counted by client, each requirement for itself', async () => {
    const { ask, counts } = await start();
    for (const client of ['a', 'b', 'b']) await ask('several', { client_id: client });
    await ask('several', { client_id: undefined, azp: 'by-azp', roles: ['admin'] });
    await ask('several', { client_id: undefined, scope: 'read' });
    const handler = 'OrdersController.several';
    expect(counts()).toStrictEqual([
      ['SCOPE_INSUFFICIENT', 'b', handler, 2],
      ['ROLE_INSUFFICIENT', 'b', handler, 2],
      ['SCOPE_INSUFFICIENT', 'a', handler, 1],
      ['ROLE_INSUFFICIENT', 'a', handler, 1],
      ['SCOPE_INSUFFICIENT', 'by-azp', handler, 1],
      ['ROLE_INSUFFICIENT', undefined, handler, 1],
    ]);
  });

  it('is logged in one short line of printable characters, whatever the client id is', async () => {
    const { ask, lines } = await start();
    await ask('scopes', { client_id: 'shop"\nwarn: a forged line \u001b[31m' });
    await ask('scopes', { client_id: 'x'.repeat(1_000) });
    await ask('scopes', { client_id: undefined });
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toMatch(/^[\x20-\x7e]*$/);
      expect(line.length).toBeLessThan(300);
    }
    expect(lines[2]).toContain('for a caller without a client id at');
  });

  it('is not counted if the call is refused for another reason', async () => {
    const { ask, counts } = await start();
    expect(await ask('enforced', { sub: 'bob' })).toBe('403 POLICY_DENIED');
    expect(await ask('scopes', { exp: 1_000 })).toBe('401 TOKEN_EXPIRED');
    expect(await ask('scopes')).toBe('401 TOKEN_MISSING');
    expect(counts()).toStrictEqual([]);
    expect(await ask('enforced', { sub: 'alice' })).toBe('200');
    expect(counts()).toHaveLength(1);
  });

  it('admits a guest, and counts one who would have been refused', async () => {
    const { ask, counts, lines } = await start();
    expect(await ask('optional')).toBe('200');
    expect(counts()).toStrictEqual([['TOKEN_MISSING', undefined, 'OrdersController.optional', 1]]);
    expect(lines).toHaveLength(1);
    expect(await ask('optional', { exp: 1_000 })).toBe('401 TOKEN_EXPIRED');
  });

  it('admits the call if its policy fails, and logs the class of the error only', async () => {
    const { ask, counts, lines } = await start();
    expect(await ask('broken', {})).toBe('200');
    expect(await ask('throws', {})).toBe('200');
    expect(counts()).toStrictEqual([]);
    expect(lines).toEqual([
      'warn: A requirement of OrdersController.broken that is only reported failed: RangeError',
      'warn: A requirement of OrdersController.throws that is only reported failed: not an Error',
    ]);
  });

  it('does not replace an enforced requirement of the class', async () => {
    const { ask, counts } = await start();
    expect(await ask('closed', { scope: 'write' })).toBe('403 SCOPE_INSUFFICIENT');
    expect(await ask('closed', { scope: 'read' })).toBe('200');
    expect(counts()).toStrictEqual([['SCOPE_INSUFFICIENT', 'shop', 'ClosedController.closed', 1]]);
  });

  it('can be one of the module', async () => {
    const { ask, counts } = await start({ require: { scopes: ['api'], reportOnly: true } });
    expect(await ask('plain', {})).toBe('200');
    expect(await ask('optional')).toBe('200');
    expect(counts()).toStrictEqual([
      ['SCOPE_INSUFFICIENT', 'shop', 'OrdersController.plain', 1],
      ['TOKEN_MISSING', undefined, 'OrdersController.optional', 1],
    ]);
  });
});

describe('A check of the token that is only reported', () => {
  const STRICT = { tokenTypes: ['at+jwt'], requiredClaims: ['tenant'] };

  it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
    ['tokenTypes', {}, { typ: 'JWT' }, 'TYPE_NOT_ALLOWED'],
    ['audience', { aud: SECRET }, {}, 'AUDIENCE_MISMATCH'],
    ['requiredClaims', { tenant: undefined }, {}, 'CLAIM_MISSING'],
    ['senderConstraint', { cnf: { jkt: SECRET } }, {}, 'BINDING_UNPROVEN'],
  ])('admits the call, counts it and logs it: %s', async (check, claims, header, code) => {
    const { ask, counts, lines } = await start({ ...STRICT, reportOnly: [check as never] });
    expect(lines).toEqual([`warn: reportOnly is on for ${issuer.url}: no token is rejected for ${check}`]);
    expect(await ask('plain', { tenant: 'a', ...claims }, header)).toBe('200');
    expect(await ask('plain', { tenant: 'a' })).toBe('200');
    expect(counts()).toStrictEqual([[code, 'shop', undefined, 1]]);
    expect(lines.slice(1)).toEqual([`warn: Admitted because of reportOnly: ${code} for client "shop" (1 so far)`]);
  });

  it('never logs a token, or the value of a claim except the client id', async () => {
    const { ask, lines } = await start({
      reportOnly: ['audience', 'senderConstraint', 'requiredClaims', 'tokenTypes'],
    });
    const claims = { aud: SECRET, cnf: { jkt: SECRET }, acr: SECRET, scope: SECRET, roles: [SECRET], sub: SECRET };
    for (const path of ['scopes', 'roles', 'acr', 'details', 'policy', 'own', 'broken', 'throws', 'several'])
      await ask(path, { ...claims, authorization_details: [{ type: SECRET }] });
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) expect(line).not.toMatch(new RegExp(`${SECRET}|eyJ`));
  });
});
