import { beforeEach, describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import { KeySetHistory } from '../../../src/remote/key-set-history.js';
import { newKey } from '../../support/local-issuer.js';

const WINDOW_MS = 1_000;
const [a, b, both] = ['a', 'b', 'both'].map((kid) => newKey('ed25519', { kid }).jwk) as [object, object, object];
const setOf = (...keys: readonly object[]) => new KeySet(keys);

let history: KeySetHistory;
const kidsAfter = (keySet: KeySet, now: number) => [...history.add(keySet, now).kids].sort();

beforeEach(() => {
  history = new KeySetHistory(WINDOW_MS);
});

describe('KeySetHistory', () => {
  it('returns each set as it is while keys are added and withdrawn', () => {
    for (const [index, keySet] of [setOf(a), setOf(a, both), setOf(both), setOf(both, b), setOf(b)].entries())
      expect(history.add(keySet, index)).toBe(keySet);
    expect(history.isFlapping(4)).toBe(false);
  });

  it('unites the sets as soon as a withdrawn key is back', () => {
    expect(kidsAfter(setOf(a, both), 0)).toEqual(['a', 'both']);
    expect(kidsAfter(setOf(b, both), 1)).toEqual(['b', 'both']);
    expect(kidsAfter(setOf(a, both), 2)).toEqual(['a', 'b', 'both']);
    expect(kidsAfter(setOf(b, both), 3)).toEqual(['a', 'b', 'both']);
    expect(history.isFlapping(3)).toBe(true);
  });

  it('does not revive a key that was withdrawn before the set started to flap', () => {
    history.add(setOf(a, both), 0);
    history.add(setOf(a), 1);
    history.add(setOf(b), 2);
    expect(kidsAfter(setOf(a), 3)).toEqual(['a', 'b']);
  });

  it('does not mistake another order of the members for another key', () => {
    const reversed = Object.fromEntries(Object.entries(a).reverse());
    for (const keySet of [setOf(a), setOf(reversed), setOf(a), setOf(reversed)]) history.add(keySet, 0);
    expect(history.isFlapping(0)).toBe(false);
  });

  it('returns the same set again for the same keys, so that verified tokens stay verified', () => {
    for (const keySet of [setOf(a), setOf(b)]) history.add(keySet, 0);
    const united = history.add(setOf(a), 1);
    expect(history.add(setOf(b), 2)).toBe(united);
    expect(history.add(setOf(a), 3)).toBe(united);
  });

  it('tells keys with the same key id apart', () => {
    const other = { ...b, kid: 'a' };
    for (const keySet of [setOf(a), setOf(other)]) history.add(keySet, 0);
    expect(history.add(setOf(a), 1).candidates('a')).toHaveLength(2);
  });

  it('ends when no key has come back for the time of the window, and drops what was not seen in it', () => {
    for (const keySet of [setOf(a), setOf(b), setOf(a)]) history.add(keySet, 0);
    expect(kidsAfter(setOf(a), WINDOW_MS - 1)).toEqual(['a', 'b']);
    expect(kidsAfter(setOf(a), WINDOW_MS)).toEqual(['a']);
    expect(history.isFlapping(WINDOW_MS)).toBe(false);
    expect(kidsAfter(setOf(b), WINDOW_MS + 1)).toEqual(['b']);
  });

  it('keeps at most 200 keys, and always uses those of the last set', () => {
    const many = (start: number) =>
      setOf(...Array.from({ length: 150 }, (_, index) => ({ kid: String(start + index) })));
    for (const start of [0, 150, 0]) history.add(many(start), 0);
    expect(history.add(many(0), 0).toJSON()).toHaveLength(200);
    const kids = [...history.add(many(150), 0).kids];
    for (let kid = 150; kid < 300; kid += 1) expect(kids).toContain(String(kid));
  });
});
