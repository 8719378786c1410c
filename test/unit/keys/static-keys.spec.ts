import { describe, expect, it } from '@jest/globals';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import { StaticKeys } from '../../../src/keys/static-keys.js';
import { newKey } from '../../support/local-issuer.js';

describe('Static keys', () => {
  const keySet = new KeySet([newKey('ed25519', { kid: 'a' }).jwk]);
  const source: KeySource = new StaticKeys(keySet);

  it('are the same set for every kid, at once', () => {
    for (const kid of ['a', 'b', '', undefined]) expect(source.keySetFor(kid)).toBe(keySet);
  });

  it('are no others when a newer set is asked for: they change with a new start only', () => {
    expect(source.keySetFor('b', keySet)).toBe(keySet);
  });
});
