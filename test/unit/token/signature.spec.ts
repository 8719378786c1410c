import { describe, expect, it, jest } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import { AuthError } from '../../../src/model/errors.js';
import { decodeCompact } from '../../../src/token/jwt/compact.js';
import { checkSignature } from '../../../src/token/jwt/signature.js';
import { newKey, signToken, type TestKey } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const unnamed = { kid: undefined };
const setOf = (...keys: readonly TestKey[]) => new KeySet(keys.map(({ jwk }) => jwk));

const decodedBy = (key: TestKey, header: Record<string, unknown>) =>
  decodeCompact(signToken({ alg: 'EdDSA', ...header }, { sub: 'alice' }, key.privateKey));

/** Returns the sets one after another, then the last one, and records the calls. */
class FakeSource implements KeySource {
  readonly calls: (readonly [string | undefined, KeySet | undefined])[] = [];

  constructor(private readonly sets: readonly KeySet[]) {}

  current(): undefined {
    return undefined;
  }

  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet {
    this.calls.push([kid, rejectedSet]);
    const set = this.sets[Math.min(this.calls.length, this.sets.length) - 1];
    if (set === undefined) throw new AuthError('KEYS_UNAVAILABLE');
    return set;
  }
}

describe('The key source', () => {
  const old = newKey('ed25519', { kid: 'old' });
  const other = newKey('ed25519', { kid: 'other' });
  const oldUnnamed = newKey('ed25519', unnamed);
  const newUnnamed = newKey('ed25519', unnamed);
  const check = (key: TestKey, header: Record<string, unknown>, source: KeySource) =>
    outcomeOf((async () => checkSignature(decodedBy(key, header), 'EdDSA', source))());

  it('is called once, with the `kid`, if its keys verify the token', async () => {
    const source = new FakeSource([setOf(old)]);
    expect(await check(old, { kid: 'old' }, source)).toBe('accepted');
    expect(await check(old, {}, source)).toBe('accepted');
    expect(source.calls).toStrictEqual([
      ['old', undefined],
      [undefined, undefined],
    ]);
  });

  it('may return a promise', async () => {
    const source: KeySource = { keySetFor: () => Promise.resolve(setOf(old)), current: () => undefined };
    expect(await check(old, { kid: 'old' }, source)).toBe('accepted');
    expect(await check(other, { kid: 'old' }, source)).toBe('SIGNATURE_INVALID');
  });

  it.each<[string, TestKey, KeySet, string | undefined]>([
    ['no key verifies a token without `kid`', other, setOf(old), undefined],
    ['the token has a `kid` but no key has one', newUnnamed, setOf(oldUnnamed), 'any'],
    ['no key fits the algorithm of a token without `kid`', newUnnamed, setOf(newKey('p-256', unnamed)), undefined],
    ['the key with the `kid` does not verify the token', newKey('ed25519', { kid: 'old' }), setOf(old), 'old'],
  ])('is called for a newer set if %s', async (_what, key, first, kid) => {
    const source = new FakeSource([first, setOf(key)]);
    expect(await check(key, kid === undefined ? {} : { kid }, source)).toBe('accepted');
    expect(source.calls).toStrictEqual([
      [kid, undefined],
      [kid, first],
    ]);
  });

  it.each<[string, TestKey, string, KeySet]>([
    ['KEY_UNSUITABLE', old, 'old', setOf(newKey('p-256', { kid: 'old' }))],
    ['KEY_UNKNOWN', other, 'other', setOf(old)],
  ])('is not called again if it decided about the `kid` (%s)', async (code, key, kid, set) => {
    const source = new FakeSource([set, setOf(old, other)]);
    expect([await check(key, { kid }, source), source.calls.length]).toEqual([code, 1]);
  });

  it('finds a key by a number as its name, and all keys for a name that is empty', async () => {
    const numbered = setOf(newKey('ed25519', { kid: 7 }), newKey('p-256'));
    const source = new FakeSource([numbered]);
    for (const kid of [7, '7']) await check(old, { kid }, source);
    expect(source.calls.filter(([kid]) => kid !== '7')).toEqual([]);
    for (const kid of ['', null, undefined])
      expect(await check(old, { kid }, new FakeSource([setOf(old)]))).toBe('accepted');
  });

  it('without a newer set leaves the first refusal, and tries no key twice', async () => {
    const set = setOf(old);
    const candidates = jest.spyOn(set, 'candidates');
    const source = new FakeSource([set]);
    expect([await check(other, {}, source), source.calls.length]).toEqual(['SIGNATURE_INVALID', 2]);
    expect(candidates).toHaveBeenCalledTimes(1);
  });

  it('is not called a third time if the newer set rejects the token as well', async () => {
    const source = new FakeSource([setOf(old), setOf(newKey('p-256')), setOf(other)]);
    expect([await check(other, {}, source), source.calls.length]).toEqual(['KEY_UNSUITABLE', 2]);
  });

  it('without keys, or without a newer set to fetch, is no fault of the token (KEYS_UNAVAILABLE)', async () => {
    expect(await check(old, {}, new FakeSource([]))).toBe('KEYS_UNAVAILABLE');
    const unreachable: KeySource = {
      current: () => undefined,
      keySetFor: (_kid, rejectedSet) =>
        rejectedSet === undefined ? setOf(old) : Promise.reject(new AuthError('KEYS_UNAVAILABLE')),
    };
    expect(await check(other, {}, unreachable)).toBe('KEYS_UNAVAILABLE');
  });
});
