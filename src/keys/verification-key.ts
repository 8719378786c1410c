import { createPublicKey, type KeyObject, type VerifyKeyObjectInput, X509Certificate } from 'node:crypto';
import { ALGORITHMS, ALGORITHM_NAMES, type SignatureAlgorithm } from './algorithms.js';

export interface VerificationKey {
  /** The `kid`, or the thumbprint of the certificate if there is none: issuers use it as the `kid` of their tokens. */
  readonly kid: string | undefined;
  /** The arguments for `crypto.verify`, for each algorithm that this key may verify. Empty for an unsuitable key. */
  readonly inputs: ReadonlyMap<SignatureAlgorithm, VerifyKeyObjectInput>;
  /** The length in bytes of every signature of this key. 0 for an unsuitable key. */
  readonly signatureLength: number;
  readonly problem?: string;
}

type Jwk = Readonly<Record<string, unknown>>;

/**
 * Imports a JSON Web Key (RFC 7517 §4). A key that was published for encryption, or for another algorithm, must not verify a
 * token (RFC 8725 §3.1, §3.2). An unsuitable key stays in its set, so that a token that names it is rejected for the right reason.
 *
 * **Not** checked: the validity and the issuer of a certificate (`x5c`).
 */
export function importVerificationKey(published: Jwk): VerificationKey {
  const jwk = presentMembers(published);
  const kid = keyId(jwk.kid) ?? keyId(jwk.x5t) ?? keyId(jwk['x5t#S256']);
  try {
    return { kid, ...usableKey(jwk) };
  } catch (error) {
    const problem = error instanceof UnsuitableKey ? error.message : 'cannot be read';
    return { kid, inputs: new Map(), signatureLength: 0, problem };
  }
}

/** Returns the key id; undefined if it is absent, empty or of another type. Some serializers write it as a number. */
export function keyId(kid: unknown): string | undefined {
  if (typeof kid === 'number') return String(kid);
  return typeof kid === 'string' && kid !== '' ? kid : undefined;
}

// RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2; RFC 9964 §4.
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

export function hasPrivateMembers(jwk: Jwk): boolean {
  return PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member) && !isEmpty(jwk[member]));
}

/** Serializers write members that are not set as `null`, as an empty text or as an empty list. */
function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Without a prototype, because a polluted one could make a key usable, or none. */
function presentMembers(published: Jwk): Jwk {
  const jwk = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(published)) {
    // An empty list of operations allows none.
    if (!isEmpty(value) || (name === 'key_ops' && Array.isArray(value))) jwk[name] = value;
  }
  return jwk;
}

class UnsuitableKey extends Error {}

function usableKey(published: Jwk): Pick<VerificationKey, 'inputs' | 'signatureLength'> {
  const hasParameters = ['n', 'x', 'pub'].some((member) => member in published);
  const jwk = hasParameters ? published : presentMembers({ ...certifiedKey(published.x5c), ...published });
  const { kty, use, alg } = jwk;
  // Anyone can sign with a private key that was published.
  if (kty !== 'oct' && hasPrivateMembers(jwk)) throw new UnsuitableKey('is a private key');
  if (use !== undefined && use !== 'sig') throw new UnsuitableKey('is not for signatures (use)');
  checkOperations(jwk.key_ops);
  const names = ALGORITHM_NAMES.filter((name) => {
    const row = ALGORITHMS[name];
    if (row.kty !== kty || (alg !== undefined && alg !== name)) return false;
    return row.kty === 'AKP' ? alg === name : row.kty === 'RSA' || row.crv === jwk.crv;
  });
  const [first] = names;
  if (first === undefined) throw new UnsuitableKey('fits no signature algorithm (kty, crv, alg)');
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  const row = ALGORITHMS[first];
  if (row.kty === 'RSA') checkRsaStrength(modulusLength, publicExponent);
  if (row.kty === 'OKP') checkEdwardsPoint(key, row.crv);
  return {
    inputs: new Map(names.map((name) => [name, { ...ALGORITHMS[name], key, dsaEncoding: 'ieee-p1363' }])),
    signatureLength: row.kty === 'RSA' ? Math.ceil(modulusLength / 8) : row.signatureLength,
  };
}

/** Returns the public key of a certificate chain (RFC 7517 §4.7), for a key that has no parameters of its own. */
function certifiedKey(chain: unknown): Jwk {
  const [certificate] = [chain].flat();
  if (typeof certificate !== 'string') return {};
  return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey.export({ format: 'jwk' });
}

function checkOperations(operations: unknown): void {
  if (operations === undefined) return;
  if (!(Array.isArray(operations) && operations.includes('verify')))
    throw new UnsuitableKey('is not for verifying (key_ops)');
  // RFC 7517 §4.3.
  if (new Set(operations).size < operations.length) throw new UnsuitableKey('has the same operation twice (key_ops)');
}

/** RFC 7518 §3.3 and §3.5 require at least 2048 bits. RSA is not secure with an even exponent or with 1. */
function checkRsaStrength(modulusLength: number, publicExponent: bigint): void {
  if (modulusLength < 2048) throw new UnsuitableKey('is shorter than 2048 bits');
  if (publicExponent < 3n || publicExponent % 2n === 0n) throw new UnsuitableKey('has an unsafe exponent');
}

const [PRIME_25519, PRIME_448] = [2n ** 255n - 19n, 2n ** 448n - 2n ** 224n - 1n];
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;

/** The length of an encoded point in bytes, and the y coordinates of the points whose order divides 8 (Ed25519) or 4 (Ed448). */
const EDWARDS_CURVES = {
  Ed25519: { length: 32, prime: PRIME_25519, smallOrder: [0n, 1n, PRIME_25519 - 1n, ORDER_8, PRIME_25519 - ORDER_8] },
  Ed448: { length: 57, prime: PRIME_448, smallOrder: [0n, 1n, PRIME_448 - 1n] },
} as const;

/**
 * Under a point of small order, OpenSSL accepts signatures that anyone can compute. RFC 8032 §5.1.3 and §5.2.3 do not allow a coordinate
 * that is not reduced, with which such a point has other encodings.
 */
function checkEdwardsPoint(key: KeyObject, curve: keyof typeof EDWARDS_CURVES): void {
  const { length, prime, smallOrder } = EDWARDS_CURVES[curve];
  // The key itself, at the end of the structure (RFC 8410 §4), is the coordinate in little-endian order and the sign of x.
  const encoded = key.export({ format: 'der', type: 'spki' }).subarray(-length).reverse();
  const y = BigInt(`0x${encoded.toString('hex')}`) % 2n ** (8n * BigInt(length) - 1n);
  if (y >= prime || (smallOrder as readonly bigint[]).includes(y))
    throw new UnsuitableKey('is not a safe point of its curve');
}
