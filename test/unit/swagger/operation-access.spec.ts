import { describe, expect, it } from '@jest/globals';
import type { Door } from '../../../src/nest/routes/route-reporter.js';
import { accessOf } from '../../../src/swagger/operation-access.js';

type Access = Door['access'];

function accessWith(requirements: readonly object[], access: Access = 'guarded', from = 'handler') {
  const placed = requirements.map((requirement) => ({
    from,
    requirement: { merge: false, reportOnly: false, ...requirement },
  }));
  return accessOf({ access, route: { requirements: placed } } as unknown as Door);
}

const scopes = (...names: string[]) => ({ kind: 'scopes', names });
const anyScope = (...names: string[]) => ({ kind: 'anyScope', names });

describe('the scopes of an operation', () => {
  it('are one empty set where none is required', () => {
    expect(accessWith([]).scopes).toEqual([[]]);
    expect(accessWith([{ ...scopes('a'), reportOnly: true }]).scopes).toEqual([[]]);
  });

  it('are all that are required, each once', () => {
    expect(accessWith([scopes('a', 'b'), scopes('b', 'c')]).scopes).toEqual([['a', 'b', 'c']]);
  });

  it('are alternatives where one of several will do, together with those that are always required', () => {
    expect(accessWith([scopes('x'), anyScope('a', 'b')]).scopes).toEqual([
      ['x', 'a'],
      ['x', 'b'],
    ]);
    expect(accessWith([anyScope('a', 'b'), anyScope('c', 'd')]).scopes).toEqual([
      ['a', 'c'],
      ['a', 'd'],
      ['b', 'c'],
      ['b', 'd'],
    ]);
  });

  it('leave out an alternative that has more than another', () => {
    expect(accessWith([scopes('a'), anyScope('a', 'b')]).scopes).toEqual([['a']]);
    expect(accessWith([anyScope('a', 'b'), anyScope('b', 'a')]).scopes).toEqual([['a'], ['b']]);
  });

  it('stand in words where the alternatives would be very many', () => {
    const many = accessWith([scopes('x'), anyScope('a', 'b', 'c', 'd', 'e'), anyScope('f', 'g', 'h', 'i')]);
    expect(many.scopes).toEqual([['x']]);
    expect(many.requires).toEqual([
      'one of the scopes `a`, `b`, `c`, `d`, `e`',
      'one of the scopes `f`, `g`, `h`, `i`',
    ]);
    expect(many.requiresScopes).toEqual(['scope `x`']);
  });

  it('are all named for the scheme, wherever they stand', () => {
    const many = accessWith([scopes('x'), anyScope('a', 'b', 'c', 'd', 'e'), anyScope('f', 'g', 'h', 'a')]);
    expect(many.namedScopes).toEqual(['x', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
    expect(accessWith([scopes('a'), anyScope('a', 'b')]).namedScopes).toEqual(['a', 'b']);
    expect(accessWith([{ ...scopes('a'), reportOnly: true }]).namedScopes).toEqual([]);
  });
});

describe('who may come', () => {
  it('is told by the report', () => {
    expect(accessWith([], 'open').access).toBe('open');
    expect(accessWith([], 'optional').access).toBe('optional');
    expect(accessWith([], 'guarded').access).toBe('closed');
    expect(accessWith([], 'unguarded').access).toBe('unguarded');
    expect(accessWith([], 'unknown').access).toBe('closed');
  });

  it('is no guest where more is required than the module does of tokens', () => {
    expect(accessWith([scopes('a')], 'optional', 'class').access).toBe('closed');
    expect(accessWith([scopes('a')], 'optional', 'module').access).toBe('optional');
    expect(accessWith([{ ...scopes('a'), reportOnly: true }], 'optional', 'class').access).toBe('optional');
  });
});

describe('what has no word in OpenAPI', () => {
  it.each([
    [{ kind: 'roles', names: ['a', 'b'] }, 'all of the roles `a`, `b`'],
    [{ kind: 'anyRole', names: ['a', 'b'] }, 'one of the roles `a`, `b`'],
    [{ kind: 'anyRole', names: ['a'] }, 'role `a`'],
    [{ kind: 'permissions', names: ['a`b'] }, 'permission `` a`b ``'],
    [{ kind: 'anyPermission', names: ['a', 'b'] }, 'one of the permissions `a`, `b`'],
    [{ kind: 'acr', values: ['silver', 'gold'] }, 'authentication (`acr`) as `silver` or `gold`'],
    [{ kind: 'acr', values: [], maxAgeSeconds: 0 }, 'authentication, at most 0 seconds ago'],
    [{ kind: 'authorizationDetails', type: 'payment' }, 'authorization details of the type `payment`'],
  ])('%j is said in words', (requirement, words) => {
    expect(accessWith([requirement]).requires).toEqual([words]);
  });
});
