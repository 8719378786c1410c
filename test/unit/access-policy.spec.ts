import { describe, expect, it } from '@jest/globals';
import { isPolicyClass, nameOfPolicy } from '../../src/model/policy.js';
import { allOf, anyOf, not } from '../../src/nest/routes/requirement.decorators.js';

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
  it('is recognized as a class, also one that was compiled to a function', () => {
    function Compiled() {
      return undefined;
    }
    (Compiled.prototype as { allows: unknown }).allows = isAdmin;
    for (const policy of [OrderOwner, Abstract, ByProperty, Inheriting, Compiled])
      expect([policy, isPolicyClass(policy as never)]).toEqual([policy, true]);
    function classify() {
      return true;
    }
    for (const policy of [isAdmin, isAdmin.bind(undefined), classify, async () => Promise.resolve(true)])
      expect([policy, isPolicyClass(policy)]).toEqual([policy, false]);
  });

  it.each([[[]], [[undefined]], [[OrderOwner, undefined]], [[null]], [['OrderOwner']], [[new OrderOwner()]]])(
    'cannot be combined with %p, for example because of a circular import',
    (policies) => {
      for (const combine of [allOf, anyOf]) expect(() => combine(...(policies as never[]))).toThrow(TypeError);
      expect(() => not(undefined as never)).toThrow('is not a policy. Use an injectable class');
    },
  );

  it('is frozen if it is a combination', () => {
    const combined = anyOf(OrderOwner, isAdmin);
    expect(combined).toMatchObject({ combination: 'any', policies: [OrderOwner, isAdmin] });
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
