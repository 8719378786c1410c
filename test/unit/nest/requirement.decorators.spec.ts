import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import {
  anyOf,
  RequireAcr,
  RequireAnyPermission,
  RequireAnyRole,
  RequireAnyScope,
  RequireAuthorizationDetails,
  RequirePermissions,
  RequirePolicy,
  RequireRoles,
  RequireScopes,
} from '../../../src/index.js';
import { type NestRequirement, requirementsOn } from '../../../src/nest/routes/requirement.decorators.js';
import { REQUIREMENT_KINDS } from '../../../src/model/requirement.js';
import { problemsOf } from '../../support/catching.js';

const COMMON = { merge: false, reportOnly: false };
const GRANTS = [
  ['RequireScopes', RequireScopes, 'scopes'],
  ['RequireAnyScope', RequireAnyScope, 'anyScope'],
  ['RequireRoles', RequireRoles, 'roles'],
  ['RequireAnyRole', RequireAnyRole, 'anyRole'],
  ['RequirePermissions', RequirePermissions, 'permissions'],
  ['RequireAnyPermission', RequireAnyPermission, 'anyPermission'],
] as const;

class OrderOwner {
  allows() {
    return true;
  }
}

const on = (holder: object) => requirementsOn(holder, REQUIREMENT_KINDS);
const namesOn = (holder: object) =>
  on(holder).map((requirement) => ('names' in requirement ? requirement.names.join(' ') : requirement.kind));
const handlerOf = (controller: new () => object, name: string) =>
  Reflect.get(controller.prototype as object, name) as object;

/** What one decorator requires of the class that it stands on. */
function written(decorator: ClassDecorator): readonly NestRequirement[] {
  class Controller extends OrderOwner {}
  decorator(Controller);
  return on(Controller);
}

describe.each(GRANTS)('@%s', (name, decorator, kind) => {
  it('requires these names', () => {
    expect(written(decorator('a', 'b'))).toStrictEqual([{ kind, names: ['a', 'b'], ...COMMON }]);
  });

  it('may be merged, or only be reported', () => {
    expect(written(decorator('a', { merge: true }))).toStrictEqual([{ kind, names: ['a'], ...COMMON, merge: true }]);
    expect(written(decorator('a', { reportOnly: true }))).toStrictEqual([
      { kind, names: ['a'], ...COMMON, reportOnly: true },
    ]);
    expect(written(decorator('a', { merge: undefined }))).toStrictEqual([{ kind, names: ['a'], ...COMMON }]);
  });

  it.each<[unknown[], string]>([
    [[], 'is empty. Write at least one name.'],
    [[{}], 'is empty. Write at least one name.'],
    [[{ merge: true }], 'is empty. Write at least one name.'],
    [[''], 'Write non-empty strings.'],
    [['a', ' '], 'Write non-empty strings.'],
    [[undefined], 'Write non-empty strings.'],
    [['a', null], 'Write non-empty strings.'],
    [[7], 'Write non-empty strings.'],
    [[['a', 'b']], 'Write non-empty strings.'],
    [['a', ['b']], 'Write non-empty strings.'],
    [[{ merge: true }, 'a'], 'Write non-empty strings.'],
    [['a', { report: true }], 'has no option "report"'],
    [['a', { maxAgeSeconds: 60 }], 'has no option "maxAgeSeconds"'],
    [['a', { reportOnly: 'false' }], 'must have booleans as merge and reportOnly'],
    [['a', { merge: 1 }], 'must have booleans as merge and reportOnly'],
  ])('does not take %j, and the class is not made', (given, message) => {
    expect(problemsOf(() => decorator(...(given as never[])))).toMatchObject([
      { path: `@${name}`, message: expect.stringContaining(message) },
    ]);
  });
});

it.each([RequireScopes, RequireAnyScope])(
  'scopes have no character that could not stand in a challenge',
  (decorator) => {
    expect(problemsOf(() => decorator('read write'))[0]?.message).toContain('Write each name as a string of its own.');
  },
);

describe('@RequirePolicy', () => {
  it('requires a class, a function or several of them', () => {
    for (const policy of [OrderOwner, () => true, anyOf(OrderOwner, () => false)])
      expect(written(RequirePolicy(policy))).toStrictEqual([{ kind: 'policy', policy, ...COMMON }]);
    expect(written(RequirePolicy(OrderOwner, { merge: true, reportOnly: true }))).toMatchObject([
      { merge: true, reportOnly: true },
    ]);
  });

  it.each([undefined, null, 'OrderOwner', {}, new OrderOwner(), [OrderOwner]])('does not take %p', (policy) => {
    const [problem] = problemsOf(() => RequirePolicy(policy as never));
    expect(problem?.path).toBe('@RequirePolicy');
    expect(problem?.message).toContain('allows(token, context)');
  });

  it('does not take an option that there is not', () => {
    expect(problemsOf(() => RequirePolicy(OrderOwner, { report: true } as never))[0]?.message).toContain('"report"');
  });
});

describe('@RequireAcr', () => {
  it('requires a value, an age, or both', () => {
    const acr = { kind: 'acr', ...COMMON };
    expect(written(RequireAcr('mfa', 'phr'))).toStrictEqual([
      { ...acr, values: ['mfa', 'phr'], maxAgeSeconds: undefined },
    ]);
    expect(written(RequireAcr({ maxAgeSeconds: 0 }))).toStrictEqual([{ ...acr, values: [], maxAgeSeconds: 0 }]);
    expect(written(RequireAcr('mfa', { maxAgeSeconds: 60, merge: true, reportOnly: true }))).toStrictEqual([
      { kind: 'acr', values: ['mfa'], maxAgeSeconds: 60, merge: true, reportOnly: true },
    ]);
  });

  it.each<[unknown[], string]>([
    [[], 'must name a value, or maxAgeSeconds'],
    [[{}], 'must name a value, or maxAgeSeconds'],
    [[''], 'Write non-empty strings.'],
    [[['mfa']], 'Write non-empty strings.'],
    [['mfa', { maxAge: 60 }], 'has no option "maxAge"'],
    [['mfa', { maxAgeSeconds: -1 }], 'Write a number from 0 to 31622400.'],
    [['mfa', { maxAgeSeconds: '60' }], 'Write a number from 0 to 31622400.'],
    [[{ maxAgeSeconds: NaN }], 'Write a number from 0 to 31622400.'],
    [['mfa', { reportOnly: 'no' }], 'must have booleans as merge and reportOnly'],
  ])('does not take %j', (given, message) => {
    expect(problemsOf(() => RequireAcr(...(given as never[])))).toMatchObject([
      { path: '@RequireAcr', message: expect.stringContaining(message) },
    ]);
  });

  it('does not take a value that could not stand in a challenge', () => {
    expect(problemsOf(() => RequireAcr('a"b'))[0]?.message).toContain('which has characters');
  });
});

describe('@RequireAuthorizationDetails', () => {
  it('requires a type, and maybe more of it', () => {
    const predicate = () => true;
    expect(written(RequireAuthorizationDetails('payment'))).toStrictEqual([
      { kind: 'authorizationDetails', type: 'payment', predicate: undefined, ...COMMON },
    ]);
    expect(written(RequireAuthorizationDetails('payment', predicate, { merge: true }))).toStrictEqual([
      { kind: 'authorizationDetails', type: 'payment', predicate, ...COMMON, merge: true },
    ]);
  });

  it.each<[unknown[], string]>([
    [[], 'must name a type'],
    [[''], 'must name a type'],
    [[' '], 'must name a type'],
    [[['payment']], 'must name a type'],
    [['payment', null], 'must have a function as predicate'],
    [['payment', true], 'must have a function as predicate'],
    [['payment', { merge: true }], 'must have a function as predicate'],
    [['payment', undefined, { report: true }], 'has no option "report"'],
    [['payment', undefined, { reportOnly: 1 }], 'must have booleans as merge and reportOnly'],
  ])('does not take %j', (given, message) => {
    expect(problemsOf(() => RequireAuthorizationDetails(...(given as [string])))).toEqual([
      { path: '@RequireAuthorizationDetails', message },
    ]);
  });
});

describe('Several decorators', () => {
  it('on one handler are all kept, in the order in which they are read, apart from those of its class', () => {
    @RequireScopes('class')
    class Controller {
      @RequireScopes('a')
      @RequireRoles('r')
      @RequireScopes('b')
      @RequireScopes('c')
      handler() {
        return undefined;
      }

      other() {
        return undefined;
      }
    }
    expect(namesOn(handlerOf(Controller, 'handler'))).toEqual(['a', 'b', 'c', 'r']);
    expect(namesOn(handlerOf(Controller, 'other'))).toStrictEqual([]);
    expect(namesOn(Controller)).toEqual(['class']);
  });

  it('cannot be changed by who reads them', () => {
    const [requirement] = written(RequireScopes('a'));
    expect(Object.isFrozen(requirement)).toBe(true);
  });
});

describe('What a subclass requires', () => {
  @RequireScopes('a')
  @RequireRoles('r')
  class Base {
    @RequireScopes('h')
    handler() {
      return undefined;
    }
  }

  it('is what its base class requires, where it says nothing', () => {
    class Sub extends Base {}
    class SubSub extends Sub {}
    expect(namesOn(SubSub)).toEqual(['a', 'r']);
    expect(namesOn(handlerOf(SubSub, 'handler'))).toEqual(['h']);
  });

  it('takes the place of what its base class requires of the same kind', () => {
    @RequireScopes('sub')
    class Sub extends Base {}
    class SubSub extends Sub {}
    expect(namesOn(SubSub)).toEqual(['sub', 'r']);
    expect(namesOn(Base)).toEqual(['a', 'r']);
  });

  it('adds to it where it is merged, whichever of several stands first', () => {
    @RequireScopes('sub', { merge: true })
    @RequireScopes('other')
    class Sub extends Base {}
    @RequireScopes('other')
    @RequireScopes('sub', { merge: true })
    class Other extends Base {}
    expect(namesOn(Sub)).toEqual(['a', 'sub', 'other', 'r']);
    expect(namesOn(Other)).toEqual(['a', 'other', 'sub', 'r']);
  });

  it('never takes the place of what is enforced with what is only reported', () => {
    @RequireScopes('sub', { reportOnly: true })
    class Sub extends Base {}
    expect(namesOn(Sub)).toEqual(['a', 'sub', 'r']);
  });

  it('does not count for a handler that it overrides: that has its own decorators', () => {
    class Sub extends Base {
      override handler() {
        return undefined;
      }
    }
    expect(namesOn(handlerOf(Sub, 'handler'))).toStrictEqual([]);
  });
});
