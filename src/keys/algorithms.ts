import { constants } from 'node:crypto';

const pkcs1 = constants.RSA_PKCS1_PADDING;
const pss = constants.RSA_PKCS1_PSS_PADDING;
// RFC 7518 §3.5: the salt is as long as the hash.
const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;

/**
 * The parameters of each supported signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). `none` and the HMAC
 * algorithms are not supported. The length of a signature is in bytes; that of RSA is the length of the modulus.
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
} as const;

/** An asymmetric signature algorithm for access tokens. */
export type SignatureAlgorithm = keyof typeof ALGORITHMS;

export const ALGORITHM_NAMES = Object.freeze(Object.keys(ALGORITHMS) as SignatureAlgorithm[]);

export function isSignatureAlgorithm(name: unknown): name is SignatureAlgorithm {
  return typeof name === 'string' && Object.hasOwn(ALGORITHMS, name);
}
