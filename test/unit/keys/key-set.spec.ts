import { describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import { newKey } from '../../support/local-issuer.js';

const ec = (kid?: string, members: Record<string, unknown> = {}) => newKey('p-256', { kid, ...members }).jwk;
const candidateKids = (keySet: KeySet, kid: string | undefined) => keySet.candidates(kid).map((key) => key.kid);

it('KeySet takes linear time for keys with the same kid', () => {
  const timeOf = (count: number) => {
    const keys = Array.from({ length: count }, () => ({ kid: 'a' }));
    const start = process.hrtime.bigint();
    expect(new KeySet(keys).isUsable).toBe(false);
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  // Quadratic code takes 256 times as long for 16 times the keys. Pauses of the machine are excluded by the fastest of three.
  const [few, many] = [750, 12_000].map((count) => Math.min(...[1, 2, 3].map(() => timeOf(count))));
  expect(many).toBeLessThan(128 * Number(few));
});

describe('KeySet.candidates', () => {
  const set = new KeySet([ec('a'), ec('b'), ec('a'), ec('enc', { use: 'enc' })]);

  it('are all keys with the kid', () => {
    expect(candidateKids(set, 'b')).toEqual(['b']);
    expect(candidateKids(set, 'a')).toEqual(['a', 'a']);
    expect(set.candidates('a')[0]).not.toBe(set.candidates('a')[1]);
  });

  it('are empty for an unknown kid', () => {
    for (const kid of ['c', 'A', 'a ', '', 'constructor', '__proto__', 'toString'])
      expect(candidateKids(set, kid)).toEqual([]);
  });

  it('are all keys if no key has a kid, as with issuers that publish one key without a kid', () => {
    expect(candidateKids(new KeySet([ec(undefined), ec('')]), 'c')).toStrictEqual([undefined, undefined]);
  });

  it('are not the keys without a kid if other keys have one', () => {
    const mixed = new KeySet([ec('a'), ec(undefined)]);
    expect(candidateKids(mixed, 'c')).toStrictEqual([]);
    expect(candidateKids(mixed, 'a')).toStrictEqual(['a']);
    expect(candidateKids(mixed, undefined)).toStrictEqual(['a', undefined]);
  });

  it('are all keys if the token has no kid', () => {
    expect(candidateKids(set, undefined)).toEqual(['a', 'b', 'a', 'enc']);
  });

  it('include unsuitable keys, so that a token is rejected for the right reason', () => {
    expect(set.candidates('enc')[0]).toMatchObject({ kid: 'enc', problem: 'is not for signatures (use)' });
  });

  it('can have any text as their kid', () => {
    const odd = ['__proto__', 'constructor', 'é', '\0', ' ', 'a'.repeat(10_000)];
    const keySet = new KeySet(odd.map((kid) => ec(kid)));
    for (const kid of odd) expect(candidateKids(keySet, kid)).toEqual([kid]);
  });
});

describe('A key set with members that are not keys', () => {
  const set = new KeySet([
    null,
    undefined,
    'key',
    1,
    true,
    [ec('list')],
    {},
    { kty: 'oct', k: 'c2VjcmV0', kid: 's' },
    ec('a'),
  ]);

  it('contains its valid keys', () => {
    expect(set.isUsable).toBe(true);
    expect(set.candidates('a')[0]?.inputs.has('ES256')).toBe(true);
  });

  it('ignores members that are not objects', () => {
    expect(set.candidates(undefined)).toHaveLength(3);
    expect(candidateKids(set, 'list')).toStrictEqual([]);
  });

  it('reports why keys cannot be used, without their members', () => {
    expect(set.problems).toEqual([
      'a key without kid fits no signature algorithm (kty, crv, alg)',
      '"s" fits no signature algorithm (kty, crv, alg)',
    ]);
  });
});

describe('KeySet.isUsable', () => {
  it.each([
    ['no key', [], false],
    ['no object', [null, 'key', 1], false],
    ['only unsuitable keys', [ec('a', { use: 'enc' }), ec('b', { alg: 'ES384' }), { kty: 'oct', k: 'AA' }], false],
    ['one suitable key', [ec('a', { use: 'enc' }), ec('b')], true],
    ['one suitable key without kid', [ec(undefined)], true],
  ])('with %s: %#', (_what, keys, expected) => {
    expect(new KeySet(keys).isUsable).toBe(expected);
  });
});

describe('A key set', () => {
  it('does not change with the list that it was created from', () => {
    const jwks: Record<string, unknown>[] = [ec('a')];
    const set = new KeySet(jwks);
    jwks.push(ec('b'));
    if (jwks[0] !== undefined) jwks[0].use = 'enc';
    expect(candidateKids(set, 'b')).toEqual([]);
    expect(set.candidates('a')[0]?.problem).toBeUndefined();
    expect(set.isUsable).toBe(true);
  });
});

it('escapes and shortens a kid in its problems, so that it cannot forge log lines', () => {
  const kid = `\n[Nest] LOG \u001b[31mfake ${'x'.repeat(100_000)}`;
  const [problem = ''] = new KeySet([ec(kid, { use: 'enc' })]).problems;
  expect(problem).toMatch(/^"\\n\[Nest\] LOG \\u001b\[31mfake x+…" is not for signatures \(use\)$/);
  expect(problem.length).toBeLessThan(150);
});
