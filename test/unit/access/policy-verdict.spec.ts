import { describe, expect, it, jest } from '@jest/globals';
import { type PolicyResolver, verdictOf } from '../../../src/access/policy-verdict.js';
import { CombinedPolicy, type PolicyReference } from '../../../src/model/policy.js';
import { acceptedToken } from '../../support/tokens.js';

interface Context {
  readonly id: number;
}
type Reference = PolicyReference<Context>;
const CONTEXT: Context = { id: 1 };
const TOKEN = acceptedToken();
const noClass: PolicyResolver<Context> = () => {
  throw new Error('no class was to be asked');
};

const verdict = (policy: Reference, resolve: PolicyResolver<Context> = noClass) =>
  verdictOf(policy, TOKEN, CONTEXT, resolve);

const saying = (value: unknown) => (() => value) as unknown as Reference;
const YES = saying(true);
const NO = saying(false);
const NOTHING = saying(undefined);
const all = (...policies: Reference[]) => new CombinedPolicy('all', policies);
const any = (...policies: Reference[]) => new CombinedPolicy('any', policies);
const not = (policy: Reference) => new CombinedPolicy('not', [policy]);

describe('The verdict of a function', () => {
  it.each([
    [true, true],
    [false, false],
    [undefined, undefined],
    [null, undefined],
    [0, undefined],
    [1, undefined],
    ['', undefined],
    ['true', undefined],
    [{}, undefined],
    [new Boolean(true), undefined],
  ])('that returns %p is %p, at once or later', async (value, expected) => {
    expect(await verdict(saying(value))).toBe(expected);
    expect(await verdict(saying(Promise.resolve(value)))).toBe(expected);
  });

  it('is about the token and the context', async () => {
    const policy = jest.fn((_token: unknown, _context: unknown) => true);
    await verdict(policy);
    expect(policy.mock.calls).toEqual([[TOKEN, CONTEXT]]);
  });
});

describe('The verdict of a class', () => {
  class Owner {
    private readonly expected = [TOKEN, CONTEXT];
    allows(token: unknown, context: unknown) {
      return token === this.expected[0] && context === this.expected[1];
    }
  }

  it.each([
    ['at once', () => new Owner()],
    ['later', () => Promise.resolve(new Owner())],
  ] as const)('is that of its instance, found %s', async (_when, resolve) => {
    const resolver = jest.fn(resolve);
    expect(await verdict(Owner, resolver)).toBe(true);
    expect(resolver.mock.calls).toEqual([[Owner, CONTEXT]]);
  });

  it('is that of whatever stands for it, in a test say', async () => {
    expect(await verdict(Owner, () => ({ allows: () => Promise.resolve(false) }))).toBe(false);
    expect(await verdict(Owner, () => ({ allows: () => 'yes' as never }))).toBeUndefined();
  });
});

describe('The verdict of several', () => {
  it.each<[string, CombinedPolicy<Context>, boolean | undefined]>([
    ['all yes', all(YES, YES), true],
    ['all yes but one', all(YES, NO), false],
    ['all of one', all(YES), true],
    ['all, one says nothing', all(YES, NOTHING), undefined],
    ['all, the first says nothing', all(NOTHING, YES), undefined],
    ['all, nothing and no', all(NOTHING, NO), false],
    ['any yes', any(NO, YES), true],
    ['any, none', any(NO, NO), false],
    ['any of one', any(NO), false],
    ['any, one says nothing', any(NO, NOTHING), undefined],
    ['any, the first says nothing', any(NOTHING, NO), undefined],
    ['any, nothing and yes', any(NOTHING, YES), true],
    ['not yes', not(YES), false],
    ['not no', not(NO), true],
    ['not nothing: a policy that forgot to return admits nobody', not(NOTHING), undefined],
    ['not not nothing', not(not(NOTHING)), undefined],
    ['not all', not(all(YES, NO)), true],
    ['not any, one says nothing', not(any(NO, NOTHING)), undefined],
    ['all of any and not', all(any(NO, YES), not(NO)), true],
  ])('is made of theirs: %s', async (_what, policy, expected) => {
    expect(await verdict(policy)).toBe(expected);
  });

  it('is asked for in order, one after the other, until it is clear', async () => {
    const asked: string[] = [];
    const policy = (name: string, value: boolean) => async () => {
      asked.push(`${name} asked`);
      await Promise.resolve();
      asked.push(`${name} said`);
      return value;
    };
    await verdict(all(policy('a', true), policy('b', false), policy('c', true)));
    await verdict(any(policy('d', false), policy('e', true), policy('f', true)));
    expect(asked).toEqual(['a', 'b', 'd', 'e'].flatMap((name) => [`${name} asked`, `${name} said`]));
  });

  it('is none where one of them throws before it is clear', async () => {
    const down = (() => Promise.reject(new Error('down'))) as Reference;
    await expect(verdict(any(NO, down, YES))).rejects.toThrow('down');
    await expect(verdict(not(down))).rejects.toThrow('down');
    expect(await verdict(any(YES, down))).toBe(true);
  });
});
