import { describe, expect, it } from '@jest/globals';
import { effectiveRequirements } from '../../../src/access/effective-requirements.js';
import type { AuthorityKind, Requirement } from '../../../src/model/requirement.js';

const COMMON = { merge: false, reportOnly: false };
const authorities = (kind: AuthorityKind, name: string, options: Partial<typeof COMMON> = {}): Requirement => ({
  kind,
  names: [name],
  ...COMMON,
  ...options,
});
const scopes = (name: string, options?: Partial<typeof COMMON>) => authorities('scopes', name, options);
const policy: Requirement = { kind: 'policy', policy: () => true, ...COMMON };
const acr: Requirement = { kind: 'acr', values: ['mfa'], maxAgeSeconds: undefined, ...COMMON };
const details: Requirement = { kind: 'authorizationDetails', type: 'payment', ...COMMON };

/** The effective requirements, as `handler scopes a`. */
function effective(places: Partial<Record<'handler' | 'class' | 'module', readonly Requirement[]>>): string[] {
  const all = effectiveRequirements({ handler: [], class: [], module: [], ...places });
  return all.map(({ requirement, from }) =>
    [from, requirement.kind, ...('names' in requirement ? requirement.names : [])].join(' '),
  );
}

describe('The requirements of a handler', () => {
  it('are none without decorators', () => {
    expect(effective({})).toStrictEqual([]);
  });

  it('are those of its class if it has none', () => {
    expect(effective({ class: [scopes('a'), acr] })).toEqual(['class scopes a', 'class acr']);
  });

  it('replace those of its class of the same kind only', () => {
    const places = {
      handler: [scopes('own')],
      class: [scopes('a'), authorities('anyScope', 'b'), authorities('roles', 'c')],
    };
    expect(effective(places)).toEqual(['handler scopes own', 'class anyScope b', 'class roles c']);
  });

  it('add to those of its class with `merge`', () => {
    const places = { handler: [scopes('own', { merge: true })], class: [scopes('a'), scopes('b')] };
    expect(effective(places)).toEqual(['class scopes a', 'class scopes b', 'handler scopes own']);
  });

  it('add to those of its class if one of several has `merge`', () => {
    const places = { handler: [scopes('own'), scopes('other', { merge: true })], class: [scopes('a')] };
    expect(effective(places)).toEqual(['class scopes a', 'handler scopes own', 'handler scopes other']);
  });

  it('never replace enforced ones if they are only reported', () => {
    const places = { handler: [scopes('own', { reportOnly: true })], class: [scopes('a')] };
    expect(effective(places)).toEqual(['class scopes a', 'handler scopes own']);
  });

  it('replace those of its class if one is enforced beside a reported one', () => {
    const places = { handler: [scopes('own'), scopes('tried', { reportOnly: true })], class: [scopes('a')] };
    expect(effective(places)).toEqual(['handler scopes own', 'handler scopes tried']);
  });

  it('never replace those of the module', () => {
    const places = { handler: [scopes('own')], class: [scopes('a')], module: [scopes('api')] };
    expect(effective(places)).toEqual(['module scopes api', 'handler scopes own']);
  });

  it('are in the order of their kinds, policies last, wherever they are declared', () => {
    const places = {
      handler: [details, authorities('anyPermission', 'f'), authorities('permissions', 'e')],
      class: [policy, acr, authorities('anyRole', 'd'), authorities('roles', 'c'), scopes('a')],
      module: [policy, authorities('anyScope', 'b')],
    };
    expect(effective(places)).toEqual([
      'class scopes a',
      'module anyScope b',
      'class roles c',
      'class anyRole d',
      'handler permissions e',
      'handler anyPermission f',
      'class acr',
      'handler authorizationDetails',
      'module policy',
      'class policy',
    ]);
  });
});
