import { describe, expect, it } from '@jest/globals';
import {
  GRANT_KINDS,
  problemOfMaxAge,
  problemOfNames,
  REQUIREMENT_KINDS,
  type RequirementKind,
} from '../../src/model/requirement.js';

describe('The kinds of requirements', () => {
  it('are complete, with policies last', () => {
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
        expect(problemOfNames(kind, names)).toMatch(/^contains .+\. Write non-empty strings\.$/);
      },
    );

    it('must not be empty, except for acr', () => {
      expect(problemOfNames(kind, [])).toBe(kind === 'acr' ? undefined : 'is empty. Write at least one name.');
    });
  });

  it.each(['a b', 'a"', 'a\\', 'ä', 'a\n', ' a', 'a\u007f'])(
    'of scopes and acr must not contain %j (RFC 6749 §3.3)',
    (name) => {
      for (const kind of ['scopes', 'anyScope', 'acr'] as const)
        expect(problemOfNames(kind, ['ok', name])).toContain(`contains ${JSON.stringify(name)}, which has characters`);
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
    expect(problemOfMaxAge(seconds)).toMatch(/^has maxAgeSeconds: .+\. Write a number from 0 to 31622400\.$/);
  });
});
