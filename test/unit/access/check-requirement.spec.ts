import { describe, expect, it } from '@jest/globals';
import { checkRequirement, type RequirementSurroundings } from '../../../src/access/check-requirement.js';
import { AuthError } from '../../../src/model/errors.js';
import type { Requirement } from '../../../src/model/requirement.js';
import { verifiedToken } from '../../support/tokens.js';

const NOW = 1_700_000_000;
const CONTEXT = { name: 'context' };
const COMMON = { merge: false, reportOnly: false };
type Requiring = Omit<Requirement, 'merge' | 'reportOnly'> & Record<string, unknown>;

/** The refusal, or undefined if the requirement is met. */
async function refusal(
  requirement: Requiring,
  claims: Record<string, unknown>,
  surroundings: Partial<RequirementSurroundings<typeof CONTEXT>> = {},
): Promise<AuthError | undefined> {
  try {
    await checkRequirement({ ...COMMON, ...requirement } as Requirement<typeof CONTEXT>, verifiedToken(claims), {
      context: CONTEXT,
      nowSeconds: NOW,
      clockToleranceSeconds: 0,
      requiredScopes: [],
      resolvePolicy: () => ({ allows: () => true }),
      ...surroundings,
    });
    return undefined;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
}

const codeFor = async (...parameters: Parameters<typeof refusal>) => (await refusal(...parameters))?.code;

describe('A requirement of authorities', () => {
  describe.each([
    ['scopes', 'scope', 'SCOPE_INSUFFICIENT'],
    ['roles', 'roles', 'ROLE_INSUFFICIENT'],
    ['permissions', 'permissions', 'PERMISSION_INSUFFICIENT'],
  ] as const)('of all %s', (kind, claim, code) => {
    it.each([
      [['a', 'b'], undefined],
      [['b', 'c', 'a'], undefined],
      [['a'], code],
      [['b'], code],
      [['A', 'B'], code],
      [['a b'], kind === 'scopes' ? undefined : code],
      [['ab'], code],
      [[], code],
      [undefined, code],
    ])('is checked against %j: %p', async (granted, expected) => {
      expect(await codeFor({ kind, names: ['a', 'b'] }, { [claim]: granted })).toBe(expected);
    });

    it('states what it expected, for the log', async () => {
      expect(await refusal({ kind, names: ['a', 'b'] }, {})).toMatchObject({
        detail: { requires: 'all', expected: ['a', 'b'] },
      });
    });
  });

  describe.each([
    ['anyScope', 'scope', 'SCOPE_INSUFFICIENT'],
    ['anyRole', 'roles', 'ROLE_INSUFFICIENT'],
    ['anyPermission', 'permissions', 'PERMISSION_INSUFFICIENT'],
  ] as const)('of any of %s', (kind, claim, code) => {
    it.each([
      [['a'], undefined],
      [['b'], undefined],
      [['a', 'b'], undefined],
      [['c'], code],
      [[], code],
      [undefined, code],
    ])('is checked against %j: %p', async (granted, expected) => {
      expect(await codeFor({ kind, names: ['a', 'b'] }, { [claim]: granted })).toBe(expected);
      expect((await refusal({ kind, names: ['a', 'b'] }, {}))?.detail).toMatchObject({ requires: 'any' });
    });
  });

  it('reads no other kind of authority', async () => {
    const claims = { scope: 's', roles: ['r'], permissions: ['p'] };
    for (const kind of ['scopes', 'anyScope'] as const)
      expect(await codeFor({ kind, names: ['r', 'p'] }, claims)).toBe('SCOPE_INSUFFICIENT');
    for (const kind of ['roles', 'anyRole'] as const)
      expect(await codeFor({ kind, names: ['s', 'p'] }, claims)).toBe('ROLE_INSUFFICIENT');
    for (const kind of ['permissions', 'anyPermission'] as const)
      expect(await codeFor({ kind, names: ['s', 'r'] }, claims)).toBe('PERMISSION_INSUFFICIENT');
  });

  it('names every scope of the route once, so that the client requests them together (RFC 6750 §3)', async () => {
    const requiredScopes = ['api', 'read'];
    const scopeOf = async (names: string[], kind: 'scopes' | 'anyScope') =>
      (await refusal({ kind, names }, { scope: 'api' }, { requiredScopes }))?.detail.scope;
    expect(await scopeOf(['read'], 'scopes')).toBe('api read');
    expect(await scopeOf(['write', 'admin'], 'anyScope')).toBe('api read write admin');
  });

  it('names no scope if roles or permissions are missing', async () => {
    for (const kind of ['roles', 'anyRole', 'permissions', 'anyPermission'] as const) {
      const detail = (await refusal({ kind, names: ['a'] }, {}, { requiredScopes: ['api'] }))?.detail;
      expect(detail).not.toHaveProperty('scope');
    }
  });
});

describe('A requirement of acr (RFC 9470)', () => {
  const CODE = 'AUTHENTICATION_INSUFFICIENT';

  it.each([
    ['mfa', undefined],
    ['phr', undefined],
    ['pwd', CODE],
    ['MFA', CODE],
    ['mfa phr', CODE],
    ['', CODE],
    [['mfa'], CODE],
    [undefined, CODE],
    [null, CODE],
  ])('of two values is checked against acr %j: %p', async (acr, expected) => {
    const requirement = { kind: 'acr', values: ['mfa', 'phr'], maxAgeSeconds: undefined } as const;
    expect(await codeFor(requirement, { acr })).toBe(expected);
  });

  it.each([
    [NOW, 0, undefined],
    [NOW - 60, 0, undefined],
    [NOW - 61, 0, CODE],
    [NOW - 65, 5, undefined],
    [NOW - 66, 5, CODE],
    [NOW + 5, 5, undefined],
    [NOW + 6, 5, CODE],
    [NOW * 1000, 5, CODE],
    [Infinity, 0, CODE],
    [NaN, 0, CODE],
    [String(NOW), 0, CODE],
    [null, 0, CODE],
    [undefined, 0, CODE],
  ])(
    'of at most 60 seconds is checked against auth_time %p with a tolerance of %d seconds: %p',
    async (time, tolerance, expected) => {
      const requirement = { kind: 'acr', values: [], maxAgeSeconds: 60 } as const;
      expect(await codeFor(requirement, { auth_time: time }, { clockToleranceSeconds: tolerance })).toBe(expected);
    },
  );

  it('refuses if the clock returns NaN', async () => {
    const requirement = { kind: 'acr', values: [], maxAgeSeconds: 60 } as const;
    expect(await codeFor(requirement, { auth_time: NOW }, { nowSeconds: NaN })).toBe(CODE);
  });

  it('of values and age requires both, and states both', async () => {
    const requirement = { kind: 'acr', values: ['mfa', 'phr'], maxAgeSeconds: 0 } as const;
    const detail = { acrValues: 'mfa phr', maxAgeSeconds: 0 };
    expect(await refusal(requirement, { acr: 'mfa', auth_time: NOW })).toBeUndefined();
    expect((await refusal(requirement, { acr: 'pwd', auth_time: NOW }))?.detail).toEqual({ claim: 'acr', ...detail });
    expect((await refusal(requirement, { acr: 'mfa', auth_time: NOW - 1 }))?.detail).toEqual({
      claim: 'auth_time',
      ...detail,
    });
  });

  it('without values states none', async () => {
    const error = await refusal({ kind: 'acr', values: [], maxAgeSeconds: 60 }, {});
    expect(error?.detail).toStrictEqual({ claim: 'auth_time', maxAgeSeconds: 60 });
  });
});

describe('A requirement of authorization details (RFC 9396)', () => {
  const CODE = 'AUTHORIZATION_DETAILS_INSUFFICIENT';
  const payment = (amount: unknown) => ({ type: 'payment', amount });

  it.each<[unknown, string | undefined]>([
    [[payment(1)], undefined],
    [[{ type: 'other' }, payment(1)], undefined],
    [[{ type: 'other' }], CODE],
    [[{ type: 'Payment' }], CODE],
    [[{ type: ['payment'] }], CODE],
    [['payment', null, 7, ['payment'], { payment: true }], CODE],
    [[], CODE],
    [payment(1), CODE],
    [JSON.stringify([payment(1)]), CODE],
    [null, CODE],
    [undefined, CODE],
  ])('without a predicate requires the type only: %j: %p', async (details, expected) => {
    const requirement = { kind: 'authorizationDetails', type: 'payment' } as const;
    expect(await codeFor(requirement, { authorization_details: details })).toBe(expected);
  });

  it.each<[unknown, string | undefined]>([
    [true, undefined],
    [Promise.resolve(true), undefined],
    [false, CODE],
    [Promise.resolve(false), CODE],
    [undefined, CODE],
    [1, CODE],
    ['true', CODE],
    [{}, CODE],
  ])('with a predicate that returns %p has the result %p', async (verdict, expected) => {
    const requirement = { kind: 'authorizationDetails', type: 'payment', predicate: () => verdict } as const;
    expect(await codeFor(requirement, { authorization_details: [payment(1)] })).toBe(expected);
  });

  it('calls its predicate with each object of its type, until one matches', async () => {
    const calls: unknown[] = [];
    const predicate = (detail: { amount?: unknown }, context: unknown) => {
      calls.push([detail.amount, context]);
      return detail.amount === 2;
    };
    const details = [{ type: 'other', amount: 0 }, payment(1), payment(2), payment(3)];
    const requirement = { kind: 'authorizationDetails', type: 'payment', predicate } as const;
    expect(await codeFor(requirement, { authorization_details: details })).toBeUndefined();
    expect(calls).toEqual([
      [1, CONTEXT],
      [2, CONTEXT],
    ]);
  });

  it('rethrows what its predicate throws', async () => {
    const predicate = () => {
      throw new Error('of the application');
    };
    const requirement = { kind: 'authorizationDetails', type: 'payment', predicate } as const;
    await expect(codeFor(requirement, { authorization_details: [payment(1)] })).rejects.toThrow('of the application');
    expect(await codeFor(requirement, {})).toBe(CODE);
  });

  it('states the type, and nothing of the token, for the log', async () => {
    const requirement = { kind: 'authorizationDetails', type: 'payment' } as const;
    const error = await refusal(requirement, { authorization_details: [{ type: 'secret' }] });
    expect(error?.detail).toEqual({ claim: 'authorization_details', expected: 'payment' });
  });
});

describe('A requirement of a policy', () => {
  it.each([
    [true, undefined],
    [false, 'POLICY_DENIED'],
    [undefined, 'POLICY_DENIED'],
    ['true', 'POLICY_DENIED'],
  ])('that returns %p has the result %p', async (verdict, expected) => {
    expect(await codeFor({ kind: 'policy', policy: () => verdict }, {})).toBe(expected);
  });

  it('rethrows what the policy throws', async () => {
    const throwing = (error: Error) => () => {
      throw error;
    };
    const own = new AuthError('ROLE_INSUFFICIENT');
    expect(await refusal({ kind: 'policy', policy: throwing(own) }, {})).toBe(own);
    await expect(refusal({ kind: 'policy', policy: throwing(new Error('down')) }, {})).rejects.toThrow('down');
  });
});
