import { describe, expect, it } from '@jest/globals';
import {
  GRANT_KINDS,
  problemOfMaxAge,
  problemOfNames,
  REQUIREMENT_KINDS,
  type RequirementKind,
} from '../../src/model/requirement.js';

describe('The kinds of requirements', () => {
  it('are all asked, each once, policies last', () => {
    const every: Record<RequirementKind, true> = {
      scopes: true,
      anyScope: true,
      roles: true,
      anyRole: true,
      permissions: true,
      anyPermission: true,
      acr: true,
      authorizationDetails: true,
      policy: true,
    };
    expect(REQUIREMENT_KINDS).toEqual(Object.keys(every));
  });
});

describe('The names of a requirement', () => {
  describe.each([...GRANT_KINDS, 'acr'] as const)('of %s', (kind) => {
    it.each([[['a']], [['a', 'b']], [['read:orders', 'https://api.example.com/.default', '!#[]~']]])(
      'may be %j',
      (names) => {
        expect(problemOfNames(kind, names)).toBeUndefined();
      },
    );

    it.each([[['']], [['a', ' ']], [['\t\n']], [[undefined]], [[null]], [[1]], [[['a', 'b']]], [[{}]]])(
      'must not be %j',
      (names) => {
        expect(problemOfNames(kind, names)).toBe('must be non-empty strings');
      },
    );

    it('must be at least one, but for acr', () => {
      expect(problemOfNames(kind, [])).toBe(kind === 'acr' ? undefined : 'must name at least one');
    });
  });

  it.each(['a b', 'a"', 'a\\', 'ä', 'a\n', ' a', 'a\u007f'])(
    'that stand in a challenge must not be %j (RFC 6749 §3.3)',
    (name) => {
      for (const kind of ['scopes', 'anyScope', 'acr'] as const)
        expect(problemOfNames(kind, ['ok', name])).toContain(`${JSON.stringify(name)} has characters`);
      for (const kind of ['roles', 'anyRole', 'permissions', 'anyPermission'] as const)
        expect(problemOfNames(kind, ['ok', name])).toBeUndefined();
    },
  );
});

describe('maxAgeSeconds', () => {
  it.each([undefined, 0, 0.5, 60, 31_622_400])('may be %p', (seconds) => {
    expect(problemOfMaxAge(seconds)).toBeUndefined();
  });

  it.each([-1, 31_622_401, NaN, Infinity, '60', null, true, {}])('must not be %p', (seconds) => {
    expect(problemOfMaxAge(seconds)).toBe('must be a number of seconds, from 0 to 31622400');
  });
});
