import { describe, expect, it } from '@jest/globals';
import { effectiveRequirements, takePlace } from '../../../src/access/effective-requirements.js';
import type { GrantKind, Requirement } from '../../../src/model/requirement.js';

const COMMON = { merge: false, reportOnly: false };
const grants = (kind: GrantKind, name: string, options: Partial<typeof COMMON> = {}): Requirement => ({
  kind,
  names: [name],
  ...COMMON,
  ...options,
});
const scopes = (name: string, options?: Partial<typeof COMMON>) => grants('scopes', name, options);
const policy: Requirement = { kind: 'policy', policy: () => true, ...COMMON };
const acr: Requirement = { kind: 'acr', values: ['mfa'], maxAgeSeconds: undefined, ...COMMON };
const details: Requirement = { kind: 'authorizationDetails', type: 'payment', ...COMMON };

/** What holds, as `handler scopes a`. */
function effective(places: Partial<Record<'handler' | 'class' | 'module', readonly Requirement[]>>): string[] {
  const all = effectiveRequirements({ handler: [], class: [], module: [], ...places });
  return all.map(({ requirement, from }) =>
    [from, requirement.kind, ...('names' in requirement ? requirement.names : [])].join(' '),
  );
}

describe('The requirements of a handler', () => {
  it('are none where nothing was written', () => {
    expect(effective({})).toStrictEqual([]);
  });

  it('are those of its class where it has none', () => {
    expect(effective({ class: [scopes('a'), acr] })).toEqual(['class scopes a', 'class acr']);
  });

  it('take the place of those of its class of the same kind, and of no other', () => {
    const written = { handler: [scopes('own')], class: [scopes('a'), grants('anyScope', 'b'), grants('roles', 'c')] };
    expect(effective(written)).toEqual(['handler scopes own', 'class anyScope b', 'class roles c']);
  });

  it('add to those of its class where they are to be merged', () => {
    const written = { handler: [scopes('own', { merge: true })], class: [scopes('a'), scopes('b')] };
    expect(effective(written)).toEqual(['class scopes a', 'class scopes b', 'handler scopes own']);
  });

  it('add where one of several is to be merged: the stricter of both readings', () => {
    const written = { handler: [scopes('own'), scopes('other', { merge: true })], class: [scopes('a')] };
    expect(effective(written)).toEqual(['class scopes a', 'handler scopes own', 'handler scopes other']);
  });

  it('never take the place of what is enforced with what is only reported', () => {
    const written = { handler: [scopes('own', { reportOnly: true })], class: [scopes('a')] };
    expect(effective(written)).toEqual(['class scopes a', 'handler scopes own']);
  });

  it('take the place of those of the class where one is enforced beside one that is reported', () => {
    const written = { handler: [scopes('own'), scopes('tried', { reportOnly: true })], class: [scopes('a')] };
    expect(effective(written)).toEqual(['handler scopes own', 'handler scopes tried']);
  });

  it('never take the place of those of the module', () => {
    const written = { handler: [scopes('own')], class: [scopes('a')], module: [scopes('api')] };
    expect(effective(written)).toEqual(['module scopes api', 'handler scopes own']);
  });

  it('are asked kind by kind, policies last, whoever requires them', () => {
    const written = {
      handler: [details, grants('anyPermission', 'f'), grants('permissions', 'e')],
      class: [policy, acr, grants('anyRole', 'd'), grants('roles', 'c'), scopes('a')],
      module: [policy, grants('anyScope', 'b')],
    };
    expect(effective(written)).toEqual([
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

  it('cannot be changed', () => {
    expect(Object.isFrozen(effectiveRequirements({ handler: [], class: [], module: [] }))).toBe(true);
  });
});

describe('takePlace', () => {
  it.each<[boolean, readonly Partial<typeof COMMON>[]]>([
    [false, []],
    [true, [{}]],
    [false, [{ merge: true }]],
    [false, [{ reportOnly: true }]],
    [true, [{}, { reportOnly: true }]],
    [false, [{}, { merge: true }]],
    [false, [{}, { merge: true, reportOnly: true }]],
  ])('is %p for %j', (expected, own) => {
    expect(takePlace(own.map((options) => ({ ...COMMON, ...options })))).toBe(expected);
  });
});
