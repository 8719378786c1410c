import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, type LoggerService } from '@nestjs/common';
import {
  AuthError,
  AuthModule,
  type AuthOptions,
  OptionalAuth,
  ReportedRefusals,
  RequireAcr,
  RequireAuthorizationDetails,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../src/index.js';
import { bearer, call, closeApps, PLATFORMS, startApp } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';

const AUDIENCE = 'https://api.example.com';
const SECRET = 'secret-value-of-a-claim';
const REPORT = { reportOnly: true } as const;
const key = newKey('p-256');
const issuer = LocalIssuer.forFile([key]);

afterEach(closeApps);

@Controller()
class OrdersController {
  @Get('plain')
  plain() {
    return {};
  }

  @Get('scopes')
  @RequireScopes('read', REPORT)
  scopes() {
    return {};
  }

  @Get('roles')
  @RequireRoles('admin', REPORT)
  roles() {
    return {};
  }

  @Get('acr')
  @RequireAcr('mfa', REPORT)
  acr() {
    return {};
  }

  @Get('details')
  @RequireAuthorizationDetails('payment', undefined, REPORT)
  details() {
    return {};
  }

  @Get('policy')
  @RequirePolicy(() => false, REPORT)
  policy() {
    return {};
  }

  @Get('own')
  @RequirePolicy(() => {
    throw new AuthError('USER_REFUSED', { secret: SECRET });
  }, REPORT)
  own() {
    return {};
  }

  @Get('broken')
  @RequirePolicy(() => Promise.reject(new RangeError(SECRET)), REPORT)
  broken() {
    return {};
  }

  @Get('throws')
  @RequirePolicy(() => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- an application may
    throw SECRET;
  }, REPORT)
  throws() {
    return {};
  }

  @Get('several')
  @RequireScopes('read', REPORT)
  @RequireRoles('admin', REPORT)
  several() {
    return {};
  }

  @Get('enforced')
  @RequireScopes('read', REPORT)
  @RequirePolicy(({ claims }) => claims.sub === 'alice')
  enforced() {
    return {};
  }

  @Get('optional')
  @OptionalAuth()
  @RequireScopes('read', REPORT)
  optional() {
    return {};
  }
}

@Controller('closed')
@RequireScopes('read')
class ClosedController {
  @Get()
  @RequireScopes('write', REPORT)
  closed() {
    return {};
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = async (options: Partial<AuthOptions> = {}) => {
    const lines: string[] = [];
    const write = (level: string) => (message: unknown) => {
      // The report of the routes at start is no affair of these tests.
      if (!String(message).startsWith('Routes:')) lines.push(`${level}: ${String(message)}`);
    };
    const logger: LoggerService = {
      log: () => undefined,
      debug: write('debug'),
      warn: write('warn'),
      error: write('error'),
    };
    const metadata = {
      imports: [AuthModule.forRoot({ issuer: issuer.url, audience: AUDIENCE, ...options } as AuthOptions)],
      controllers: [OrdersController, ClosedController],
    };
    const app = await startApp(platform, metadata, { logger });
    const ask = async (path: string, claims?: Record<string, unknown>, header: Record<string, unknown> = {}) => {
      const all = { client_id: 'shop', secret: SECRET, ...claims };
      const headers = claims === undefined ? {} : bearer(issuer.token(key, 'ES256', all, header));
      const { status, body } = await call(`${app.url}/${path}`, headers);
      return typeof body.code === 'string' ? `${String(status)} ${body.code}` : String(status);
    };
    const reported = () =>
      app.app
        .get(ReportedRefusals)
        .counts()
        .map(({ code, clientId, handler, count }) => [code, clientId, handler, count]);
    return { ask, reported, lines };
  };

  it.each([
    ['scopes', 'SCOPE_INSUFFICIENT'],
    ['roles', 'ROLE_INSUFFICIENT'],
    ['acr', 'AUTHENTICATION_INSUFFICIENT'],
    ['details', 'AUTHORIZATION_DETAILS_INSUFFICIENT'],
    ['policy', 'POLICY_DENIED'],
    ['own', 'USER_REFUSED'],
  ])('a requirement that is only reported lets the call pass, and counts it: %s', async (path, code) => {
    const { ask, reported, lines } = await start();
    expect(await ask(path, {})).toBe('200');
    expect(reported()).toStrictEqual([[code, 'shop', `OrdersController.${path}`, 1]]);
    expect(lines).toEqual([
      `warn: Admitted because of reportOnly: ${code} for client "shop" at OrdersController.${path} (1 so far)`,
    ]);
  });

  it('a requirement that is met is not counted', async () => {
    const { ask, reported, lines } = await start();
    expect(await ask('scopes', { scope: 'read' })).toBe('200');
    expect(await ask('details', { authorization_details: [{ type: 'payment' }] })).toBe('200');
    expect([reported(), lines]).toStrictEqual([[], []]);
  });

  it('each requirement that is not met is counted, by client', async () => {
    const { ask, reported } = await start();
    for (const client of ['a', 'b', 'b']) await ask('several', { client_id: client });
    await ask('several', { client_id: undefined, azp: 'by-azp', roles: ['admin'] });
    await ask('several', { client_id: undefined, scope: 'read' });
    const handler = 'OrdersController.several';
    expect(reported()).toStrictEqual([
      ['SCOPE_INSUFFICIENT', 'b', handler, 2],
      ['ROLE_INSUFFICIENT', 'b', handler, 2],
      ['SCOPE_INSUFFICIENT', 'a', handler, 1],
      ['ROLE_INSUFFICIENT', 'a', handler, 1],
      ['SCOPE_INSUFFICIENT', 'by-azp', handler, 1],
      ['ROLE_INSUFFICIENT', undefined, handler, 1],
    ]);
  });

  it('the log has the first and the tenth of a kind, and no more of them', async () => {
    const { ask, reported, lines } = await start();
    for (let time = 0; time < 12; time += 1) await ask('scopes', {});
    expect(reported()).toStrictEqual([['SCOPE_INSUFFICIENT', 'shop', 'OrdersController.scopes', 12]]);
    expect(lines.map((line) => /\(\d+ so far\)/.exec(line)?.[0])).toEqual(['(1 so far)', '(10 so far)']);
  });

  it('the log has one line for each, whatever a client is called', async () => {
    const { ask, lines } = await start();
    await ask('scopes', { client_id: 'shop"\nwarn: a line of my own \u001b[31m' });
    await ask('scopes', { client_id: 'x'.repeat(1_000) });
    await ask('scopes', { client_id: undefined });
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toMatch(/^[\x20-\x7e]*$/);
      expect(line.length).toBeLessThan(300);
    }
    expect(lines[2]).toContain('for a caller without a client id at');
  });

  it('a call that something else refuses has not passed, and is not counted', async () => {
    const { ask, reported } = await start();
    expect(await ask('enforced', { sub: 'bob' })).toBe('403 POLICY_DENIED');
    expect(await ask('scopes', { exp: 1_000 })).toBe('401 TOKEN_EXPIRED');
    expect(await ask('scopes')).toBe('401 TOKEN_MISSING');
    expect(reported()).toStrictEqual([]);
    expect(await ask('enforced', { sub: 'alice' })).toBe('200');
    expect(reported()).toHaveLength(1);
  });

  it('a guest passes, and is counted as one who would have been refused', async () => {
    const { ask, reported, lines } = await start();
    expect(await ask('optional')).toBe('200');
    expect(reported()).toStrictEqual([['TOKEN_MISSING', undefined, 'OrdersController.optional', 1]]);
    expect(lines).toHaveLength(1);
    expect(await ask('optional', { exp: 1_000 })).toBe('401 TOKEN_EXPIRED');
  });

  it('a policy that fails costs nobody an answer, and is in the log without what it says', async () => {
    const { ask, reported, lines } = await start();
    expect(await ask('broken', {})).toBe('200');
    expect(await ask('throws', {})).toBe('200');
    expect(reported()).toStrictEqual([]);
    expect(lines).toEqual([
      'warn: A requirement of OrdersController.broken that is only reported failed: RangeError',
      'warn: A requirement of OrdersController.throws that is only reported failed: not an Error',
    ]);
  });

  it('what is only reported opens nothing that the class has closed', async () => {
    const { ask, reported } = await start();
    expect(await ask('closed', { scope: 'write' })).toBe('403 SCOPE_INSUFFICIENT');
    expect(await ask('closed', { scope: 'read' })).toBe('200');
    expect(reported()).toStrictEqual([['SCOPE_INSUFFICIENT', 'shop', 'ClosedController.closed', 1]]);
  });

  it('what the module requires may be only reported', async () => {
    const { ask, reported } = await start({ require: { scopes: ['api'], reportOnly: true } });
    expect(await ask('plain', {})).toBe('200');
    expect(await ask('optional')).toBe('200');
    expect(reported()).toStrictEqual([
      ['SCOPE_INSUFFICIENT', 'shop', 'OrdersController.plain', 1],
      ['TOKEN_MISSING', undefined, 'OrdersController.optional', 1],
    ]);
  });

  describe('a check of the token that is only reported', () => {
    const STRICT = { tokenTypes: ['at+jwt'], requiredClaims: ['tenant'] };

    it.each<[string, Record<string, unknown>, Record<string, unknown>, string]>([
      ['tokenTypes', {}, { typ: 'JWT' }, 'TYPE_NOT_ALLOWED'],
      ['audience', { aud: SECRET }, {}, 'AUDIENCE_MISMATCH'],
      ['requiredClaims', { tenant: undefined }, {}, 'CLAIM_MISSING'],
      ['senderConstraint', { cnf: { jkt: SECRET } }, {}, 'BINDING_UNPROVEN'],
    ])('lets the token pass, and counts it: %s', async (check, claims, header, code) => {
      const { ask, reported, lines } = await start({ ...STRICT, reportOnly: [check as never] });
      expect(lines).toEqual([`warn: reportOnly is on for ${issuer.url}: no token is rejected for ${check}`]);
      expect(await ask('plain', { tenant: 'a', ...claims }, header)).toBe('200');
      expect(await ask('plain', { tenant: 'a' })).toBe('200');
      expect(reported()).toStrictEqual([[code, 'shop', undefined, 1]]);
      expect(lines.slice(1)).toEqual([`warn: Admitted because of reportOnly: ${code} for client "shop" (1 so far)`]);
    });

    it('leaves every other check as it is', async () => {
      const { ask, reported } = await start({ ...STRICT, reportOnly: ['audience'] });
      const token = { tenant: 'a', aud: 'other' };
      expect(await ask('plain', token, { typ: 'JWT' })).toBe('401 TYPE_NOT_ALLOWED');
      expect(await ask('plain', { ...token, cnf: {} })).toBe('401 BINDING_UNPROVEN');
      expect(await ask('plain', { ...token, exp: 1_000 })).toBe('401 TOKEN_EXPIRED');
      expect(reported()).toStrictEqual([]);
    });
  });

  it('no log has a token, or the value of any claim but the client id', async () => {
    const { ask, lines } = await start({
      reportOnly: ['audience', 'senderConstraint', 'requiredClaims', 'tokenTypes'],
    });
    const claims = { aud: SECRET, cnf: { jkt: SECRET }, acr: SECRET, scope: SECRET, roles: [SECRET], sub: SECRET };
    for (const path of ['scopes', 'roles', 'acr', 'details', 'policy', 'own', 'broken', 'throws', 'several'])
      await ask(path, { ...claims, authorization_details: [{ type: SECRET }] });
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines) {
      expect(line).not.toContain(SECRET);
      expect(line).not.toContain('eyJ');
    }
  });
});
