import { describe, expect, it, jest } from '@jest/globals';
import { type RequirementSurroundings, verdictOf } from '../../../src/access/check-requirement.js';
import { CombinedPolicy, nameOfPolicy, type PolicyReference } from '../../../src/model/policy.js';
import { verifiedToken } from '../../support/tokens.js';

interface Context {
  readonly id: number;
}
type Reference = PolicyReference<Context>;
const CONTEXT: Context = { id: 1 };
const TOKEN = verifiedToken();
type Resolver = RequirementSurroundings<Context>['resolvePolicy'];
const noClass: Resolver = () => {
  throw new Error('no class is expected');
};

const verdict = (policy: Reference, resolvePolicy: Resolver = noClass) =>
  verdictOf(policy, TOKEN, { context: CONTEXT, resolvePolicy });

const returning = (value: unknown) => (() => value) as unknown as Reference;
const YES = returning(true);
const NO = returning(false);
const NOTHING = returning(undefined);
const all = (...policies: Reference[]) => new CombinedPolicy('all', policies);
const any = (...policies: Reference[]) => new CombinedPolicy('any', policies);
const not = (policy: Reference) => new CombinedPolicy('not', [policy]);

it('A policy grants only with `true`, and denies with `false`; anything else is no verdict', async () => {
  for (const value of [true, false, undefined, null, 0, 1, '', 'true', {}, new Boolean(true)])
    for (const answer of [value, Promise.resolve(value)])
      expect([value, await verdict(returning(answer))]).toEqual([
        value,
        typeof value === 'boolean' ? value : undefined,
      ]);
});

it('A policy receives the token and the context, also the instance that replaces its class', async () => {
  const policy = jest.fn((_token: unknown, _context: unknown) => true);
  await verdict(policy);
  class Owner {
    readonly allows = policy;
  }
  const resolver = jest.fn(() => Promise.resolve(new Owner()));
  expect(await verdict(Owner, resolver)).toBe(true);
  expect(policy.mock.calls).toEqual([
    [TOKEN, CONTEXT],
    [TOKEN, CONTEXT],
  ]);
  expect(resolver.mock.calls).toEqual([[Owner]]);
  expect(await verdict(Owner, () => ({ allows: () => 'yes' as never }))).toBeUndefined();
});

describe('The verdict of a combination', () => {
  it('knows a combination of another copy of this package', async () => {
    const copied: Reference = { combination: 'not', policies: [YES] };
    expect([await verdict(copied), nameOfPolicy(copied)]).toEqual([false, 'not(a function)']);
  });

  it.each<[string, CombinedPolicy<Context>, boolean | undefined]>([
    ['all yes', all(YES, YES), true],
    ['all yes but one', all(YES, NO), false],
    ['all of one', all(YES), true],
    ['all, one returns nothing', all(YES, NOTHING), undefined],
    ['all, the first returns nothing', all(NOTHING, YES), undefined],
    ['all, nothing and no', all(NOTHING, NO), false],
    ['any yes', any(NO, YES), true],
    ['any, none', any(NO, NO), false],
    ['any of one', any(NO), false],
    ['any, one returns nothing', any(NO, NOTHING), undefined],
    ['any, the first returns nothing', any(NOTHING, NO), undefined],
    ['any, nothing and yes', any(NOTHING, YES), true],
    ['not yes', not(YES), false],
    ['not no', not(NO), true],
    ['not nothing, so that a missing return never grants', not(NOTHING), undefined],
    ['not not nothing', not(not(NOTHING)), undefined],
    ['not all', not(all(YES, NO)), true],
    ['not any, one returns nothing', not(any(NO, NOTHING)), undefined],
    ['all of any and not', all(any(NO, YES), not(NO)), true],
  ])('follows from those of its parts: %s', async (_what, policy, expected) => {
    expect(await verdict(policy)).toBe(expected);
  });

  it('is determined in order, until it is certain', async () => {
    const events: string[] = [];
    const policy = (name: string, value: boolean) => async () => {
      events.push(`${name} called`);
      await Promise.resolve();
      events.push(`${name} returned`);
      return value;
    };
    await verdict(all(policy('a', true), policy('b', false), policy('c', true)));
    await verdict(any(policy('d', false), policy('e', true), policy('f', true)));
    expect(events).toEqual(['a', 'b', 'd', 'e'].flatMap((name) => [`${name} called`, `${name} returned`]));
  });

  it('is an error if one of them throws before it is certain', async () => {
    const down = (() => Promise.reject(new Error('down'))) as Reference;
    await expect(verdict(any(NO, down, YES))).rejects.toThrow('down');
    await expect(verdict(not(down))).rejects.toThrow('down');
    expect(await verdict(any(YES, down))).toBe(true);
  });
});
