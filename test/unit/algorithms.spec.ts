import { describe, expect, it } from '@jest/globals';
import { constants } from 'node:crypto';
import { ALGORITHM_NAMES, ALGORITHMS, isSignatureAlgorithm } from '../../src/keys/algorithms.js';

describe('ALGORITHMS', () => {
  const pkcs1 = { kty: 'RSA', padding: constants.RSA_PKCS1_PADDING };
  const pss = { kty: 'RSA', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

  it('contains the asymmetric algorithms of the standards', () => {
    expect(ALGORITHMS).toStrictEqual({
      RS256: { ...pkcs1, hash: 'sha256' },
      RS384: { ...pkcs1, hash: 'sha384' },
      RS512: { ...pkcs1, hash: 'sha512' },
      PS256: { ...pss, hash: 'sha256' },
      PS384: { ...pss, hash: 'sha384' },
      PS512: { ...pss, hash: 'sha512' },
      ES256: { kty: 'EC', crv: 'P-256', signatureLength: 64, hash: 'sha256' },
      ES384: { kty: 'EC', crv: 'P-384', signatureLength: 96, hash: 'sha384' },
      ES512: { kty: 'EC', crv: 'P-521', signatureLength: 132, hash: 'sha512' },
      EdDSA: { kty: 'OKP', crv: 'Ed25519', signatureLength: 64, hash: null },
      Ed25519: { kty: 'OKP', crv: 'Ed25519', signatureLength: 64, hash: null },
      ES256K: { kty: 'EC', crv: 'secp256k1', signatureLength: 64, hash: 'sha256', optIn: true },
      Ed448: { kty: 'OKP', crv: 'Ed448', signatureLength: 114, hash: null, optIn: true },
      'ML-DSA-44': { kty: 'AKP', signatureLength: 2420, hash: null, optIn: true },
      'ML-DSA-65': { kty: 'AKP', signatureLength: 3309, hash: null, optIn: true },
      'ML-DSA-87': { kty: 'AKP', signatureLength: 4627, hash: null, optIn: true },
    });
  });

  it('has its names in a frozen list', () => {
    expect(ALGORITHM_NAMES).toEqual(Object.keys(ALGORITHMS));
    expect(Object.isFrozen(ALGORITHM_NAMES)).toBe(true);
  });
});

describe('isSignatureAlgorithm', () => {
  it.each([...ALGORITHM_NAMES])('accepts %s', (name) => {
    expect(isSignatureAlgorithm(name)).toBe(true);
  });

  it.each([
    'none',
    'None',
    'NONE',
    'HS256',
    'HS384',
    'HS512',
    'rs256',
    'RS256 ',
    'ed448',
    'RSA-OAEP',
    '',
    'toString',
    'constructor',
    '__proto__',
    'hasOwnProperty',
    null,
    undefined,
    0,
    ['RS256'],
    { toString: () => 'RS256' },
    new String('RS256'),
  ])('rejects %p', (name) => {
    expect(isSignatureAlgorithm(name)).toBe(false);
  });
});
