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
  type NestRequirement,
  requirementsOfClass,
  requirementsOfMethod,
} from '../../../src/nest/routes/requirement.decorators.js';
import { problemsOf } from '../../support/catching.js';
import { polluted } from '../../support/polluted.js';

const COMMON = { merge: false, reportOnly: false };

class OrderOwner {
  allows() {
    return true;
  }
}

abstract class Abstract {
  abstract allows(): boolean;
}

const namesOf = (requirements: readonly NestRequirement[]) =>
  requirements.map((requirement) => ('names' in requirement ? requirement.names.join(' ') : requirement.kind));
const namesOn = (type: object) => namesOf(requirementsOfClass(type));
const namesOfHandler = (type: { readonly prototype: object }) => namesOf(requirementsOfMethod(type, 'handler'));

/** The requirements of a class with this decorator. */
function declaredBy(decorator: ClassDecorator) {
  class Controller extends OrderOwner {}
  decorator(Controller);
  return requirementsOfClass(Controller);
}

/** Expects one problem, with this message after the name of the decorator. */
function expectProblem(decorate: () => unknown, decorator: string, message: string | RegExp): void {
  const problems = problemsOf(decorate);
  expect(problems.map(({ path }) => path)).toEqual([decorator]);
  if (typeof message === 'string') expect(problems[0]?.message).toBe(message);
  else expect(problems[0]?.message).toMatch(message);
}

const messagesOf = (decorate: () => unknown) => problemsOf(decorate).map(({ path, message }) => `${path} ${message}`);

describe.each([
  ['RequireScopes', RequireScopes, 'scopes'],
  ['RequireAnyScope', RequireAnyScope, 'anyScope'],
  ['RequireRoles', RequireRoles, 'roles'],
  ['RequireAnyRole', RequireAnyRole, 'anyRole'],
  ['RequirePermissions', RequirePermissions, 'permissions'],
  ['RequireAnyPermission', RequireAnyPermission, 'anyPermission'],
] as const)('@%s', (name, decorator, kind) => {
  it('requires these names, with the options merge and reportOnly', () => {
    expect(declaredBy(decorator('a', 'b'))).toStrictEqual([{ kind, names: ['a', 'b'], ...COMMON }]);
    expect(declaredBy(decorator('a', { merge: true, reportOnly: undefined }))).toMatchObject([{ merge: true }]);
    expect(declaredBy(decorator('a', { reportOnly: true }))).toMatchObject([{ merge: false, reportOnly: true }]);
  });

  it.each<[message: string | RegExp, rejected: unknown[][]]>([
    ['is empty. Write at least one name.', [[], [{}], [{ merge: true }]]],
    [
      /^contains .+\. Write non-empty strings\.$/,
      [[''], ['a', ' '], [undefined], ['a', null], [7], [['a', 'b']], [{ merge: true }, 'a']],
    ],
    ['has no option "maxAgeSeconds"', [['a', { maxAgeSeconds: 60 }]]],
    [
      'has an option that is not a boolean. Write true or false as merge and reportOnly.',
      [
        ['a', { reportOnly: 'false' }],
        ['a', { merge: 1 }],
      ],
    ],
  ])('throws while the class is defined: %s', (message, rejected) => {
    for (const given of rejected) expectProblem(() => decorator(...(given as never[])), `@${name}`, message);
  });
});

it.each(['a b', 'a"', 'a\\', 'ä', 'a\n', ' a', 'a\u007f'])(
  'Scopes and acr values are sent in a challenge and must not be %j (RFC 6749 §3.3)',
  (name) => {
    for (const decorator of [RequireScopes, RequireAnyScope, RequireAcr])
      expect(problemsOf(() => decorator('ok', name))[0]?.message).toContain(
        `${JSON.stringify(name)}, which has characters`,
      );
    for (const decorator of [RequireRoles, RequireAnyRole, RequirePermissions, RequireAnyPermission])
      expect(problemsOf(() => decorator('ok', name))).toEqual([]);
    expect(problemsOf(() => RequireScopes('read:orders', 'https://api.example.com/.default', '!#[]~'))).toEqual([]);
  },
);

describe('A polluted prototype', () => {
  it.each([{ reportOnly: true }, { merge: true }, { maxAgeSeconds: 9 }])('adds no option: %j', async (members) => {
    const declare = () =>
      [
        RequireScopes('read'),
        RequireScopes('read', {}),
        RequirePolicy(OrderOwner),
        RequireAcr('mfa'),
        RequireAuthorizationDetails('payment'),
      ].map(declaredBy);
    const expected = declare();
    expect(await polluted(members, declare)).toEqual(expected);
  });
});

describe('@RequirePolicy', () => {
  it('accepts a class, a function or a combination', () => {
    for (const policy of [OrderOwner, Abstract, () => true, async () => Promise.resolve(true), anyOf(OrderOwner)])
      expect(declaredBy(RequirePolicy(policy))).toStrictEqual([{ kind: 'policy', policy, ...COMMON }]);
  });

  const REJECTED = [undefined, null, true, 'OrderOwner', {}, new OrderOwner(), [OrderOwner], { allows: () => true }];
  it.each(REJECTED)('rejects %p', (policy) => {
    expect(messagesOf(() => RequirePolicy(policy as never))).toEqual([
      expect.stringMatching(/^@RequirePolicy is not a policy\. Use .*allows\(token, context\)/),
    ]);
  });
});

describe('@RequireAcr', () => {
  it('requires a value, an age or both', () => {
    const acr = { kind: 'acr', ...COMMON };
    expect(declaredBy(RequireAcr('mfa', 'phr'))).toStrictEqual([
      { ...acr, values: ['mfa', 'phr'], maxAgeSeconds: undefined },
    ]);
    expect(declaredBy(RequireAcr({ maxAgeSeconds: 0 }))).toStrictEqual([{ ...acr, values: [], maxAgeSeconds: 0 }]);
    expect(declaredBy(RequireAcr('mfa', { maxAgeSeconds: 60, merge: true }))).toStrictEqual([
      { ...acr, values: ['mfa'], maxAgeSeconds: 60, merge: true },
    ]);
  });

  const age = (maxAgeSeconds: unknown) => ['mfa', { maxAgeSeconds }];
  it.each<[message: string | RegExp, rejected: unknown[][]]>([
    ['is empty. Write a value, or maxAgeSeconds.', [[], [{}]]],
    [/^contains .+\. Write non-empty strings\.$/, [[''], [['mfa']]]],
    ['has no option "maxAge"', [['mfa', { maxAge: 60 }]]],
    [/^has maxAgeSeconds: .+\. Write a number from 0 to 31622400\.$/, [age(-1), age('60'), age(NaN), age(31_622_401)]],
  ])('throws while the class is defined: %s', (message, rejected) => {
    for (const given of rejected) expectProblem(() => RequireAcr(...(given as never[])), '@RequireAcr', message);
  });
});

describe('@RequireAuthorizationDetails', () => {
  it('requires a type, and accepts a predicate', () => {
    const details = { kind: 'authorizationDetails', type: 'payment', ...COMMON };
    const predicate = () => true;
    expect(declaredBy(RequireAuthorizationDetails('payment'))).toStrictEqual([{ ...details, predicate: undefined }]);
    expect(declaredBy(RequireAuthorizationDetails('payment', predicate, { merge: true }))).toStrictEqual([
      { ...details, predicate, merge: true },
    ]);
  });

  it.each<[message: string | RegExp, rejected: unknown[][]]>([
    ['has no type. Write a non-empty string.', [[], [''], [' '], [['payment']]]],
    [
      'has a predicate that is not a function. Write a function.',
      [
        ['payment', null],
        ['payment', true],
        ['payment', { merge: true }],
      ],
    ],
    ['has no option "report"', [['payment', undefined, { report: true }]]],
    [
      'has an option that is not a boolean. Write true or false as merge and reportOnly.',
      [['payment', undefined, { reportOnly: 1 }]],
    ],
  ])('throws while the class is defined: %s', (message, rejected) => {
    for (const given of rejected)
      expectProblem(() => RequireAuthorizationDetails(...(given as [string])), '@RequireAuthorizationDetails', message);
  });
});

describe('A subclass', () => {
  @RequireScopes('a')
  @RequireRoles('r')
  class Base {
    @RequireScopes('h1')
    @RequireScopes('h2')
    handler() {
      return undefined;
    }
  }

  it('inherits the requirements of its base class, in the order of the source', () => {
    class Sub extends Base {}
    class SubSub extends Sub {}
    expect([namesOn(SubSub), namesOfHandler(SubSub)]).toEqual([
      ['a', 'r'],
      ['h1', 'h2'],
    ]);
  });

  it('replaces those of the same kind by its own, but never enforced ones by reported ones', () => {
    @RequireScopes('sub')
    class Sub extends Base {}
    class SubSub extends Sub {}
    @RequireScopes('sub', { reportOnly: true })
    class Reported extends Base {}
    expect([SubSub, Base, Reported].map(namesOn)).toEqual([
      ['sub', 'r'],
      ['a', 'r'],
      ['a', 'sub', 'r'],
    ]);
  });

  it('adds its own with `merge`, whichever of several decorators comes first', () => {
    @RequireScopes('sub', { merge: true })
    @RequireScopes('other')
    class Sub extends Base {}
    @RequireScopes('other')
    @RequireScopes('sub', { merge: true })
    class Other extends Base {}
    expect([namesOn(Sub), namesOn(Other)]).toEqual([
      ['a', 'sub', 'other', 'r'],
      ['a', 'other', 'sub', 'r'],
    ]);
  });

  it('inherits the requirements of a method that it overrides, unless its own replace them', () => {
    class Same extends Base {
      override handler() {
        return undefined;
      }
    }
    class Own extends Same {
      @RequireScopes('own')
      override handler() {
        return undefined;
      }
    }
    class Merged extends Same {
      @RequireScopes('own', { merge: true })
      override handler() {
        return undefined;
      }
    }
    expect([Same, Own, Merged].map(namesOfHandler)).toEqual([['h1', 'h2'], ['own'], ['h1', 'h2', 'own']]);
  });
});
