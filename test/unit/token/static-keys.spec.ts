import { describe, expect, it } from '@jest/globals';
import { StaticKeys } from '../../../src/token/static-keys.js';
import { problemsOf } from '../../support/catching.js';
import { newKey } from '../../support/local-issuer.js';

describe('StaticKeys', () => {
  const good = newKey('p-256');

  it('answers from its set, whatever kid is asked for', () => {
    const keys = new StaticKeys({ keys: [good.jwk] });
    expect(keys.keySetFor().candidates(good.kid)).toHaveLength(1);
    expect(keys.keySetFor().candidates('unknown')).toEqual([]);
  });

  it('does not start without any key that can verify a token, and says why each cannot', () => {
    const unusable = [newKey('rsa-1024', { kid: 'short' }).jwk, newKey('rsa', { kid: undefined, use: 'enc' }).jwk];
    expect(problemsOf(() => new StaticKeys({ keys: unusable }))).toEqual([
      {
        path: 'keys.jwks',
        message: 'holds no usable key: short is shorter than 2048 bits; key without kid is not for signatures (use)',
      },
    ]);
  });

  it('starts when one key of several can', () => {
    expect(problemsOf(() => new StaticKeys({ keys: [newKey('rsa-1024').jwk, good.jwk] }))).toEqual([]);
  });
});
