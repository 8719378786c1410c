import { describe, expect, it } from '@jest/globals';
import { checkRequirement, type RequirementSurroundings } from '../../../src/access/check-requirement.js';
import { AuthError } from '../../../src/model/errors.js';
import type { AuthorityKind, Requirement } from '../../../src/model/requirement.js';
import { verifiedToken } from '../../support/tokens.js';

const NOW = 1_700_000_000;
const CONTEXT = { name: 'context' };
type Claims = Record<string, unknown>;

/** The refusal, or undefined if the requirement is met. */
async function refusal(
  requirement: Omit<Requirement, 'merge' | 'reportOnly'> & Record<string, unknown>,
  claims: Claims,
  surroundings: Partial<RequirementSurroundings<typeof CONTEXT>> = {},
  clockToleranceSeconds = 0,
): Promise<AuthError | undefined> {
  const declared = { merge: false, reportOnly: false, ...requirement } as Requirement<typeof CONTEXT>;
  try {
    await checkRequirement(declared, verifiedToken(claims, clockToleranceSeconds), {
      context: CONTEXT,
      nowSeconds: NOW,
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

describe('A requirement of authorities', () => {
  const KINDS: readonly [AuthorityKind, string, string][] = [
    ['scopes', 'scope', 'SCOPE_INSUFFICIENT'],
    ['anyScope', 'scope', 'SCOPE_INSUFFICIENT'],
    ['roles', 'roles', 'ROLE_INSUFFICIENT'],
    ['anyRole', 'roles', 'ROLE_INSUFFICIENT'],
    ['permissions', 'permissions', 'PERMISSION_INSUFFICIENT'],
    ['anyPermission', 'permissions', 'PERMISSION_INSUFFICIENT'],
  ];

  it.each(KINDS)('(%s) compares whole names of its own claim, in any order', async (kind, claim, code) => {
    const [one, requires] = kind.startsWith('any') ? [undefined, 'any'] : [code, 'all'];
    const others = { scope: ['a', 'b'], roles: ['a', 'b'], permissions: ['a', 'b'] };
    for (const [granted, expected] of [
      [['b', 'c', 'a'], undefined],
      [['a'], one],
      [['b'], one],
      [['A', 'B'], code],
      [['ab'], code],
      [[], code],
      [undefined, code],
    ] as const) {
      const error = await refusal({ kind, names: ['a', 'b'] }, { ...others, [claim]: granted });
      expect([granted, error?.code]).toEqual([granted, expected]);
      if (error !== undefined) expect(error.detail).toMatchObject({ requires, expected: ['a', 'b'] });
    }
  });

  it('names every scope of the route once, so that the client requests them together (RFC 6750 §3)', async () => {
    const requiredScopes = ['api', 'read'];
    const scopeFor = async (kind: AuthorityKind, names: string[]) =>
      (await refusal({ kind, names }, { scope: 'api' }, { requiredScopes }))?.detail.scope;
    expect(await scopeFor('scopes', ['read'])).toBe('api read');
    expect(await scopeFor('anyScope', ['write', 'admin'])).toBe('api read write admin');
    for (const kind of ['roles', 'anyRole', 'permissions', 'anyPermission'] as const)
      expect(await scopeFor(kind, ['a'])).toBeUndefined();
  });
});

describe('A requirement of acr (RFC 9470)', () => {
  const CODE = 'AUTHENTICATION_INSUFFICIENT';
  const acr = (values: string[], maxAgeSeconds?: number) => ({ kind: 'acr', values, maxAgeSeconds }) as const;

  it.each(['pwd', 'MFA', 'mfa phr', '', ['mfa'], undefined, null])('refuses acr %j', async (value) => {
    expect(await refusal(acr(['mfa', 'phr']), { acr: value })).toMatchObject({
      code: CODE,
      detail: { claim: 'acr', acrValues: 'mfa phr', maxAgeSeconds: undefined },
    });
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
    [undefined, 0, CODE],
  ])('decides about auth_time %p with a tolerance of %d seconds: %p', async (time, tolerance, expected) => {
    const error = await refusal(acr([], 60), { auth_time: time }, {}, tolerance);
    expect(error?.code).toBe(expected);
    if (error !== undefined) expect(error.detail).toStrictEqual({ claim: 'auth_time', maxAgeSeconds: 60 });
  });

  it('refuses if the clock returns NaN, or if only one of value and age is met', async () => {
    expect((await refusal(acr([], 60), { auth_time: NOW }, { nowSeconds: NaN }))?.code).toBe(CODE);
    expect(await refusal(acr(['mfa'], 0), { acr: 'mfa', auth_time: NOW })).toBeUndefined();
    for (const claims of [
      { acr: 'pwd', auth_time: NOW },
      { acr: 'mfa', auth_time: NOW - 1 },
    ])
      expect((await refusal(acr(['mfa'], 0), claims))?.code).toBe(CODE);
  });
});

describe('A requirement of authorization details (RFC 9396)', () => {
  const CODE = 'AUTHORIZATION_DETAILS_INSUFFICIENT';
  const payment = (amount: unknown) => ({ type: 'payment', amount });
  const check = (details: unknown, predicate?: (detail: { amount?: unknown }, context: unknown) => unknown) =>
    refusal({ kind: 'authorizationDetails', type: 'payment', predicate }, { authorization_details: details });

  it.each<[unknown, string | undefined]>([
    [[{ type: 'other' }, payment(1)], undefined],
    [[{ type: 'Payment' }], CODE],
    [[{ type: ['payment'] }], CODE],
    [['payment', null, 7, ['payment'], { payment: true }], CODE],
    [[], CODE],
    [payment(1), CODE],
    [JSON.stringify([payment(1)]), CODE],
    [null, CODE],
    [undefined, CODE],
  ])('without a predicate requires the type only: %j: %p', async (details, expected) => {
    const error = await check(details);
    expect(error?.code).toBe(expected);
    if (error !== undefined) expect(error.detail).toEqual({ claim: 'authorization_details', expected: 'payment' });
  });

  it('is met only if the predicate returns true, directly or in a promise', async () => {
    for (const verdict of [true, false, undefined, 1, 'true', {}])
      for (const answer of [verdict, Promise.resolve(verdict)]) {
        const error = await check([payment(1)], () => answer);
        expect([verdict, error?.code]).toEqual([verdict, verdict === true ? undefined : CODE]);
      }
  });

  it('calls its predicate with each object of its type, until one matches, and rethrows its error', async () => {
    const calls: unknown[] = [];
    const predicate = (detail: { amount?: unknown }, context: unknown) => {
      calls.push([detail.amount, context]);
      return detail.amount === 2;
    };
    await check([{ type: 'other', amount: 0 }, payment(1), payment(2), payment(3)], predicate);
    expect(calls).toEqual([
      [1, CONTEXT],
      [2, CONTEXT],
    ]);
    const broken = () => Promise.reject(new Error('of the application'));
    await expect(check([payment(1)], broken)).rejects.toThrow('of the application');
  });
});
