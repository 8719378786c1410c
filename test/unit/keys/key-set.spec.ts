import { describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import { newKey } from '../../support/local-issuer.js';

const ec = (kid?: string, members: Record<string, unknown> = {}) => newKey('p-256', { kid, ...members }).jwk;
const kidsOf = (keySet: KeySet, kid: string | undefined) => keySet.candidates(kid).map((key) => key.kid);

describe('KeySet.candidates', () => {
  const set = new KeySet([ec('a'), ec('b'), ec('a'), ec('enc', { use: 'enc' })]);

  it('are the keys of that kid, all of them', () => {
    expect(kidsOf(set, 'b')).toEqual(['b']);
    expect(kidsOf(set, 'a')).toEqual(['a', 'a']);
    expect(set.candidates('a')[0]).not.toBe(set.candidates('a')[1]);
  });

  it('are none where the set does not know the kid', () => {
    for (const kid of ['c', 'A', 'a ', '', 'constructor', '__proto__', 'toString'])
      expect(kidsOf(set, kid)).toEqual([]);
  });

  it('are all keys where none has a kid, as issuers with one nameless key need it', () => {
    expect(kidsOf(new KeySet([ec(undefined), ec('')]), 'c')).toStrictEqual([undefined, undefined]);
  });

  it('are not the nameless keys where others have a kid: then an unknown kid is unknown', () => {
    const mixed = new KeySet([ec('a'), ec(undefined)]);
    expect(kidsOf(mixed, 'c')).toStrictEqual([]);
    expect(kidsOf(mixed, 'a')).toStrictEqual(['a']);
    expect(kidsOf(mixed, undefined)).toStrictEqual(['a', undefined]);
  });

  it('are all keys where the token names no kid', () => {
    expect(kidsOf(set, undefined)).toEqual(['a', 'b', 'a', 'enc']);
  });

  it('have unsuitable keys among them, so that a token is refused for the right reason', () => {
    expect(set.candidates('enc')[0]).toMatchObject({ kid: 'enc', problem: 'is not for signatures (use)' });
  });

  it('are keys of any kid that is text', () => {
    const odd = ['__proto__', 'constructor', 'é', '\0', ' ', 'a'.repeat(10_000)];
    const keySet = new KeySet(odd.map((kid) => ec(kid)));
    for (const kid of odd) expect(kidsOf(keySet, kid)).toEqual([kid]);
  });

  it('are imported once: the same each time', () => {
    expect(set.candidates('b')[0]).toBe(set.candidates('b')[0]);
  });
});

describe('A key set with things in it that are no keys', () => {
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

  it('has its good keys none the less', () => {
    expect(set.isUsable).toBe(true);
    expect(set.candidates('a')[0]?.inputs.has('ES256')).toBe(true);
  });

  it('passes over what is no object', () => {
    expect(set.candidates(undefined)).toHaveLength(3);
    expect(kidsOf(set, 'list')).toStrictEqual([]);
  });

  it('says for each of its keys that cannot be used why', () => {
    expect(set.problems).toEqual([
      'a key without kid fits no signature algorithm (kty, crv, alg)',
      '"s" fits no signature algorithm (kty, crv, alg)',
    ]);
  });

  it('says nothing of the keys themselves', () => {
    expect(set.problems.join()).not.toContain('c2VjcmV0');
  });
});

describe('KeySet.isUsable', () => {
  it.each([
    ['no key', [], false],
    ['nothing but what is no key', [null, 'key', 1], false],
    [
      'nothing but unsuitable keys',
      [ec('a', { use: 'enc' }), ec('b', { alg: 'ES384' }), { kty: 'oct', k: 'AA' }],
      false,
    ],
    ['one suitable key', [ec('a', { use: 'enc' }), ec('b')], true],
    ['one suitable key without kid', [ec(undefined)], true],
  ])('with %s: %#', (_what, keys, expected) => {
    expect(new KeySet(keys).isUsable).toBe(expected);
  });
});

describe('A key set', () => {
  it('does not change when the list that it was made from does', () => {
    const jwks: Record<string, unknown>[] = [ec('a')];
    const set = new KeySet(jwks);
    jwks.push(ec('b'));
    if (jwks[0] !== undefined) jwks[0].use = 'enc';
    expect(kidsOf(set, 'b')).toEqual([]);
    expect(set.candidates('a')[0]?.problem).toBeUndefined();
    expect(set.isUsable).toBe(true);
  });
});

it('says of a key whose name is made for the log no more than fits, in one line', () => {
  const kid = `\n[Nest] LOG \u001b[31mfake ${'x'.repeat(100_000)}`;
  const [problem = ''] = new KeySet([ec(kid, { use: 'enc' })]).problems;
  expect(problem).toMatch(/^"\\n\[Nest\] LOG \\u001b\[31mfake x+…" is not for signatures \(use\)$/);
  expect(problem.length).toBeLessThan(150);
});
