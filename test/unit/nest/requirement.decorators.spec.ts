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
const AUTHORITIES = [
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

/** The requirements of a class with this decorator. */
function declaredBy(decorator: ClassDecorator): readonly NestRequirement[] {
  class Controller extends OrderOwner {}
  decorator(Controller);
  return on(Controller);
}

describe.each(AUTHORITIES)('@%s', (name, decorator, kind) => {
  it('requires these names', () => {
    expect(declaredBy(decorator('a', 'b'))).toStrictEqual([{ kind, names: ['a', 'b'], ...COMMON }]);
  });

  it('has the options merge and reportOnly', () => {
    expect(declaredBy(decorator('a', { merge: true }))).toStrictEqual([{ kind, names: ['a'], ...COMMON, merge: true }]);
    expect(declaredBy(decorator('a', { reportOnly: true }))).toStrictEqual([
      { kind, names: ['a'], ...COMMON, reportOnly: true },
    ]);
    expect(declaredBy(decorator('a', { merge: undefined }))).toStrictEqual([{ kind, names: ['a'], ...COMMON }]);
  });

  it.each<[unknown[], string]>([
    [[], 'must name at least one'],
    [[{}], 'must name at least one'],
    [[{ merge: true }], 'must name at least one'],
    [[''], 'must be non-empty strings'],
    [['a', ' '], 'must be non-empty strings'],
    [[undefined], 'must be non-empty strings'],
    [['a', null], 'must be non-empty strings'],
    [[7], 'must be non-empty strings'],
    [[['a', 'b']], 'must be non-empty strings'],
    [['a', ['b']], 'must be non-empty strings'],
    [[{ merge: true }, 'a'], 'must be non-empty strings'],
    [['a', { report: true }], 'has no option "report"'],
    [['a', { maxAgeSeconds: 60 }], 'has no option "maxAgeSeconds"'],
    [['a', { reportOnly: 'false' }], 'must have booleans as merge and reportOnly'],
    [['a', { merge: 1 }], 'must have booleans as merge and reportOnly'],
  ])('rejects %j while the class is defined', (given, message) => {
    expect(problemsOf(() => decorator(...(given as never[])))).toEqual([{ path: `@${name}`, message }]);
  });
});

it.each(['a b', 'a"', 'a\\', 'ä', 'a\n', ' a', 'a\u007f'])(
  'Scopes and acr values are sent in a challenge and must not be %j (RFC 6749 §3.3)',
  (name) => {
    for (const decorator of [RequireScopes, RequireAnyScope, RequireAcr])
      expect(problemsOf(() => decorator('ok', name))[0]?.message).toContain(`${JSON.stringify(name)} has characters`);
    for (const decorator of [RequireRoles, RequireAnyRole, RequirePermissions, RequireAnyPermission])
      expect(problemsOf(() => decorator('ok', name))).toEqual([]);
    expect(problemsOf(() => RequireScopes('read:orders', 'https://api.example.com/.default', '!#[]~'))).toEqual([]);
  },
);

describe('@RequirePolicy', () => {
  it('accepts a class, a function or a combination', () => {
    for (const policy of [OrderOwner, () => true, anyOf(OrderOwner, () => false)])
      expect(declaredBy(RequirePolicy(policy))).toStrictEqual([{ kind: 'policy', policy, ...COMMON }]);
    expect(declaredBy(RequirePolicy(OrderOwner, { merge: true, reportOnly: true }))).toMatchObject([
      { merge: true, reportOnly: true },
    ]);
  });

  it.each([undefined, null, 'OrderOwner', {}, new OrderOwner(), [OrderOwner]])('rejects %p', (policy) => {
    const [problem] = problemsOf(() => RequirePolicy(policy as never));
    expect(problem?.path).toBe('@RequirePolicy');
    expect(problem?.message).toContain('allows(token, context)');
  });

  it('rejects an unknown option', () => {
    expect(problemsOf(() => RequirePolicy(OrderOwner, { report: true } as never))[0]?.message).toContain('"report"');
  });
});

describe('@RequireAcr', () => {
  it('requires a value, an age or both', () => {
    const acr = { kind: 'acr', ...COMMON };
    expect(declaredBy(RequireAcr('mfa', 'phr'))).toStrictEqual([
      { ...acr, values: ['mfa', 'phr'], maxAgeSeconds: undefined },
    ]);
    expect(declaredBy(RequireAcr({ maxAgeSeconds: 0 }))).toStrictEqual([{ ...acr, values: [], maxAgeSeconds: 0 }]);
    expect(declaredBy(RequireAcr('mfa', { maxAgeSeconds: 60, merge: true, reportOnly: true }))).toStrictEqual([
      { kind: 'acr', values: ['mfa'], maxAgeSeconds: 60, merge: true, reportOnly: true },
    ]);
  });

  it.each<[unknown[], string]>([
    [[], 'must name a value, or maxAgeSeconds'],
    [[{}], 'must name a value, or maxAgeSeconds'],
    [[''], 'must be non-empty strings'],
    [[['mfa']], 'must be non-empty strings'],
    [['mfa', { maxAge: 60 }], 'has no option "maxAge"'],
    [['mfa', { maxAgeSeconds: -1 }], 'must be a number of seconds, from 0 to 31622400'],
    [['mfa', { maxAgeSeconds: '60' }], 'must be a number of seconds, from 0 to 31622400'],
    [[{ maxAgeSeconds: NaN }], 'must be a number of seconds, from 0 to 31622400'],
    [[{ maxAgeSeconds: 31_622_401 }], 'must be a number of seconds, from 0 to 31622400'],
    [['mfa', { reportOnly: 'no' }], 'must have booleans as merge and reportOnly'],
  ])('rejects %j', (given, message) => {
    expect(problemsOf(() => RequireAcr(...(given as never[])))).toEqual([{ path: '@RequireAcr', message }]);
  });
});

describe('@RequireAuthorizationDetails', () => {
  it('requires a type, and accepts a predicate', () => {
    const predicate = () => true;
    expect(declaredBy(RequireAuthorizationDetails('payment'))).toStrictEqual([
      { kind: 'authorizationDetails', type: 'payment', predicate: undefined, ...COMMON },
    ]);
    expect(declaredBy(RequireAuthorizationDetails('payment', predicate, { merge: true }))).toStrictEqual([
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
  ])('rejects %j', (given, message) => {
    expect(problemsOf(() => RequireAuthorizationDetails(...(given as [string])))).toEqual([
      { path: '@RequireAuthorizationDetails', message },
    ]);
  });
});

describe('Several decorators', () => {
  it('of one handler are kept in the order of the source, separate from those of its class', () => {
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
});

describe('A subclass', () => {
  @RequireScopes('a')
  @RequireRoles('r')
  class Base {
    @RequireScopes('h')
    handler() {
      return undefined;
    }
  }

  it('inherits the requirements of its base class', () => {
    class Sub extends Base {}
    class SubSub extends Sub {}
    expect(namesOn(SubSub)).toEqual(['a', 'r']);
    expect(namesOn(handlerOf(SubSub, 'handler'))).toEqual(['h']);
  });

  it('replaces those of the same kind by its own', () => {
    @RequireScopes('sub')
    class Sub extends Base {}
    class SubSub extends Sub {}
    expect(namesOn(SubSub)).toEqual(['sub', 'r']);
    expect(namesOn(Base)).toEqual(['a', 'r']);
  });

  it('adds its own with `merge`, whichever of several decorators comes first', () => {
    @RequireScopes('sub', { merge: true })
    @RequireScopes('other')
    class Sub extends Base {}
    @RequireScopes('other')
    @RequireScopes('sub', { merge: true })
    class Other extends Base {}
    expect(namesOn(Sub)).toEqual(['a', 'sub', 'other', 'r']);
    expect(namesOn(Other)).toEqual(['a', 'other', 'sub', 'r']);
  });

  it('never replaces enforced ones by reported ones', () => {
    @RequireScopes('sub', { reportOnly: true })
    class Sub extends Base {}
    expect(namesOn(Sub)).toEqual(['a', 'sub', 'r']);
  });

  it('does not inherit the decorators of a handler that it overrides', () => {
    class Sub extends Base {
      override handler() {
        return undefined;
      }
    }
    expect(namesOn(handlerOf(Sub, 'handler'))).toStrictEqual([]);
  });
});
