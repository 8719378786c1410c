import { describe, expect, it } from '@jest/globals';
import { importVerificationKey } from '../../src/keys/verification-key.js';
import { codeOf } from '../support/catching.js';
import { checkJws } from '../support/signature-layer.js';
import { keysOf, publishedKeys, readWycheproof, vectorsOf } from '../support/wycheproof.js';

const file = readWycheproof('json_web_key_test');
const vectors = vectorsOf(file);

const HMAC = 'HMAC is not supported: a verifier could sign as well';

/** Every vector for which our result differs from Wycheproof's. */
const DIFFERENCES: Record<
  number,
  { readonly comment: string; readonly code: string | undefined; readonly reason: string }
> = {
  2: { comment: 'acceptsValid', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  7: {
    comment: 'rejectsKeyWithRocaVulnerability',
    code: undefined,
    reason: 'a key of a broken generator (CVE-2017-15361) has the right form; only the issuer knows its generator',
  },
  13: { comment: 'long_key', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  14: { comment: 'long_key', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
  15: { comment: 'long_key', code: 'ALGORITHM_NOT_ALLOWED', reason: HMAC },
};

/** The problem of each unsuitable key, by vector. */
const PROBLEMS: Record<number, string> = {
  6: 'is not for signatures (use)',
  8: 'is shorter than 2048 bits',
  9: 'has an unsafe exponent',
  19: 'fits no signature algorithm (kty, crv, alg)',
  20: 'fits no signature algorithm (kty, crv, alg)',
  21: 'is not for signatures (use)',
  22: 'cannot be read',
  23: 'fits no signature algorithm (kty, crv, alg)',
  24: 'fits no signature algorithm (kty, crv, alg)',
};

describe('Wycheproof, JSON Web Key', () => {
  it('has 26 vectors', () => {
    expect(vectors).toHaveLength(26);
    expect(file.numberOfTests).toBe(26);
  });

  it.each(vectors.filter(({ tcId }) => !(tcId in DIFFERENCES)))(
    'has the result $result for $tcId, $comment',
    ({ jws, result, group }) => {
      const code = codeOf(() => checkJws(jws, publishedKeys(group)));
      if (result === 'valid') expect(code).toBeUndefined();
      else expect(code).toBe(group.public === undefined ? 'ALGORITHM_NOT_ALLOWED' : 'KEY_UNSUITABLE');
    },
  );

  it.each(Object.entries(DIFFERENCES).map(([tcId, difference]) => ({ tcId: Number(tcId), ...difference })))(
    'has another result for $tcId, $comment: $reason',
    ({ tcId, comment, code }) => {
      const vector = vectors.find((candidate) => candidate.tcId === tcId);
      if (vector === undefined) throw new Error('is no vector');
      expect(vector).toMatchObject({ comment, result: code === undefined ? 'invalid' : 'valid' });
      expect(codeOf(() => checkJws(vector.jws, publishedKeys(vector.group)))).toBe(code);
    },
  );

  it.each(Object.entries(PROBLEMS))('rejects the key of %s because it %s', (tcId, problem) => {
    const vector = vectors.find((candidate) => candidate.tcId === Number(tcId));
    if (vector === undefined) throw new Error('is no vector');
    expect(publishedKeys(vector.group).map((jwk) => importVerificationKey(jwk).problem)).toEqual([problem]);
  });

  it('has a problem for each rejected key only', () => {
    const asymmetric = vectors.filter(({ group }) => group.public !== undefined).map(({ tcId }) => tcId);
    expect([5, 7, ...Object.keys(PROBLEMS).map(Number)].sort()).toEqual([...asymmetric].sort());
  });

  it('has no private key or secret that is accepted', () => {
    for (const { private: keys } of file.testGroups) {
      for (const jwk of keysOf(keys).filter((key) => 'd' in key || 'k' in key)) {
        const { inputs, problem } = importVerificationKey(jwk);
        expect(inputs.size).toBe(0);
        expect(problem).toBe('d' in jwk ? 'is a private key' : 'fits no signature algorithm (kty, crv, alg)');
      }
    }
  });
});
