import { constants, createPublicKey } from 'node:crypto';

const pkcs1 = constants.RSA_PKCS1_PADDING;
const pss = constants.RSA_PKCS1_PSS_PADDING;
// RFC 7518 §3.5: the salt is as long as the hash.
const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;

/**
 * The parameters of each supported signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1, RFC 8812 §3.2, RFC 9864 §2.2, RFC 9964 §3).
 * `none` and the HMAC algorithms are not supported. The length of a signature is in bytes; that of RSA is the length of the modulus.
 * An algorithm with `optIn` is accepted only if the option `algorithms` lists it.
 */
export const ALGORITHMS = {
  RS256: { kty: 'RSA', hash: 'sha256', padding: pkcs1 },
  RS384: { kty: 'RSA', hash: 'sha384', padding: pkcs1 },
  RS512: { kty: 'RSA', hash: 'sha512', padding: pkcs1 },
  PS256: { kty: 'RSA', hash: 'sha256', padding: pss, saltLength },
  PS384: { kty: 'RSA', hash: 'sha384', padding: pss, saltLength },
  PS512: { kty: 'RSA', hash: 'sha512', padding: pss, saltLength },
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
} as const;

/** An asymmetric signature algorithm for access tokens. */
export type SignatureAlgorithm = keyof typeof ALGORITHMS;

export const ALGORITHM_NAMES = Object.freeze(Object.keys(ALGORITHMS) as SignatureAlgorithm[]);

/** The algorithms that are accepted unless the option `algorithms` lists others. */
export const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = Object.freeze(
  ALGORITHM_NAMES.filter((name) => !('optIn' in ALGORITHMS[name])),
);

/** The lengths of the public keys of ML-DSA in bytes (FIPS 204 §4). */
const ML_DSA_KEY_LENGTHS: Partial<Record<SignatureAlgorithm, number>> = {
  'ML-DSA-44': 1312,
  'ML-DSA-65': 1952,
  'ML-DSA-87': 2592,
};

/** Returns whether this version of Node has the algorithm: ML-DSA needs Node 24.6 with OpenSSL 3.5. */
export function isAvailable(alg: SignatureAlgorithm): boolean {
  const length = ML_DSA_KEY_LENGTHS[alg];
  if (length === undefined) return true;
  const pub = Buffer.alloc(length).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'AKP', alg, pub }, format: 'jwk' }).type === 'public';
  } catch {
    return false;
  }
}

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name);
}
