import { describe, expect, it } from '@jest/globals';
import { CombinedPolicy, isPolicyClass, isPolicyReference, nameOfPolicy } from '../../src/model/policy.js';
import { allOf, anyOf, not } from '../../src/nest/routes/policies.js';

class OrderOwner {
  allows() {
    return true;
  }
}
abstract class Abstract {
  abstract allows(): boolean;
}
class ByProperty {
  readonly allows = () => true;
}
class Inheriting extends OrderOwner {}
const isAdmin = () => true;

describe('A policy', () => {
  it.each([OrderOwner, Abstract, isAdmin, async () => Promise.resolve(true), allOf(isAdmin), not(isAdmin)])(
    'is %p',
    (value) => {
      expect(isPolicyReference(value)).toBe(true);
    },
  );

  it.each([undefined, null, true, 'OrderOwner', {}, [isAdmin], new OrderOwner(), { allows: () => true }])(
    'is not %p',
    (value) => {
      expect(isPolicyReference(value)).toBe(false);
    },
  );

  it.each([
    [OrderOwner, true],
    [Abstract, true],
    [ByProperty, true],
    [Inheriting, true],
    [isAdmin, false],
    [isAdmin.bind(undefined), false],
    [
      function classify() {
        return true;
      },
      false,
    ],
    [async () => Promise.resolve(true), false],
  ])('is a class or a function: %p: %p', (policy, expected) => {
    expect(isPolicyClass(policy as never)).toBe(expected);
  });

  it('is a class even if it was compiled to a function', () => {
    function Compiled() {
      return undefined;
    }
    (Compiled.prototype as { allows: unknown }).allows = isAdmin;
    expect(isPolicyClass(Compiled as never)).toBe(true);
  });
});

describe('Combined policies', () => {
  it.each([[[]], [[undefined]], [[OrderOwner, undefined]], [[null]], [['OrderOwner']], [[new OrderOwner()]]])(
    'cannot contain %p, for example because of a circular import',
    (policies) => {
      for (const combine of [allOf, anyOf]) expect(() => combine(...(policies as never[]))).toThrow(TypeError);
      expect(() => not(undefined as never)).toThrow('a policy must be an injectable class');
    },
  );

  it('have a combination and policies, and are frozen', () => {
    const combined = anyOf(OrderOwner, isAdmin);
    expect(combined).toBeInstanceOf(CombinedPolicy);
    expect(combined).toMatchObject({ combination: 'any', policies: [OrderOwner, isAdmin] });
    expect(allOf(isAdmin).combination).toBe('all');
    expect(not(isAdmin).combination).toBe('not');
    expect(Object.isFrozen(combined) && Object.isFrozen(combined.policies)).toBe(true);
  });
});

describe('The name of a policy', () => {
  it.each([
    [OrderOwner, 'OrderOwner'],
    [isAdmin, 'isAdmin'],
    [() => true, 'a function'],
    [allOf(OrderOwner, isAdmin), 'allOf(OrderOwner, isAdmin)'],
    [anyOf(OrderOwner, not(isAdmin)), 'anyOf(OrderOwner, not(isAdmin))'],
  ])('is readable: %p: %s', (policy, name) => {
    expect(nameOfPolicy(policy as never)).toBe(name);
  });
});
