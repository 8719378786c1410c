import { createPublicKey, type KeyObject, type VerifyKeyObjectInput } from 'node:crypto';
import { ALGORITHMS, ALGORITHM_NAMES, type SignatureAlgorithm } from './algorithms.js';

export interface VerificationKey {
  readonly kid: string | undefined;
  /** The arguments for `crypto.verify`, for each algorithm that this key may verify. Empty for an unsuitable key. */
  readonly inputs: ReadonlyMap<SignatureAlgorithm, VerifyKeyObjectInput>;
  /** The length in bytes of every signature of this key. 0 for an unsuitable key. */
  readonly signatureLength: number;
  readonly problem?: string;
}

/**
 * Imports a JSON Web Key (RFC 7517 §4). A key that was published for encryption, or for another algorithm, must not verify a
 * token (RFC 8725 §3.1, §3.2). An unsuitable key stays in its set, so that a token that names it is rejected for the right reason.
 */
export function importVerificationKey(published: Readonly<Record<string, unknown>>): VerificationKey {
  // Without a prototype, because a polluted one could make a key usable, or none.
  const jwk = Object.assign(Object.create(null) as Record<string, unknown>, published);
  const kid = typeof jwk.kid === 'string' && jwk.kid !== '' ? jwk.kid : undefined;
  try {
    return { kid, ...usableKey(jwk) };
  } catch (error) {
    const problem = error instanceof UnsuitableKey ? error.message : 'cannot be read';
    return { kid, inputs: new Map(), signatureLength: 0, problem };
  }
}

// RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2.
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export function hasPrivateMembers(jwk: Readonly<Record<string, unknown>>): boolean {
  return PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member));
}

class UnsuitableKey extends Error {}

function usableKey(jwk: Readonly<Record<string, unknown>>): Pick<VerificationKey, 'inputs' | 'signatureLength'> {
  const { kty, use, key_ops: operations, alg } = jwk;
  // Anyone can sign with a private key that was published.
  if (kty !== 'oct' && hasPrivateMembers(jwk)) throw new UnsuitableKey('is a private key');
  if (use !== undefined && use !== 'sig') throw new UnsuitableKey('is not for signatures (use)');
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    throw new UnsuitableKey('is not for verifying (key_ops)');
  }
  const names = ALGORITHM_NAMES.filter((name) => {
    const row = ALGORITHMS[name];
    return row.kty === kty && (row.kty === 'RSA' || row.crv === jwk.crv) && (alg === undefined || alg === name);
  });
  const [first] = names;
  if (first === undefined) throw new UnsuitableKey('fits no signature algorithm (kty, crv, alg)');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (kty === 'RSA') checkRsaStrength(modulusLength, publicExponent);
  if (kty === 'OKP') checkEd25519Point(key);
  const row = ALGORITHMS[first];
  return {
    inputs: new Map(names.map((name) => [name, { ...ALGORITHMS[name], key, dsaEncoding: 'ieee-p1363' }])),
    signatureLength: row.kty === 'RSA' ? Math.ceil(modulusLength / 8) : row.signatureLength,
  };
}

/** RFC 7518 §3.3 and §3.5 require at least 2048 bits. RSA is not secure with an even exponent or with 1. */
function checkRsaStrength(modulusLength: number, publicExponent: bigint): void {
  if (modulusLength < 2048) throw new UnsuitableKey('is shorter than 2048 bits');
  if (publicExponent < 3n || publicExponent % 2n === 0n) throw new UnsuitableKey('has an unsafe exponent');
}

const ED25519_PRIME = 2n ** 255n - 19n;
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
/** The y coordinates of the eight points whose order divides 8. */
const SMALL_ORDER = new Set([0n, 1n, ED25519_PRIME - 1n, ORDER_8, ED25519_PRIME - ORDER_8]);

/**
 * Under a point of small order, OpenSSL accepts signatures that anyone can compute. RFC 8032 §5.1.3 does not allow a coordinate that is
 * not reduced, with which such a point has other encodings.
 */
function checkEd25519Point(key: KeyObject): void {
  // The key itself, at the end of the structure (RFC 8410 §4), is the coordinate in little-endian order and the sign of x.
  const encoded = key.export({ format: 'der', type: 'spki' }).subarray(-32).reverse();
  const y = BigInt(`0x${encoded.toString('hex')}`) % 2n ** 255n;
  if (y >= ED25519_PRIME || SMALL_ORDER.has(y)) throw new UnsuitableKey('is not a safe point of its curve');
}
