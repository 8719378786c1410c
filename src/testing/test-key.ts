import { generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../keys/algorithms.js';

/** A key pair that signs with one algorithm. */
export class TestKey {
  /** The public key (RFC 7517 §4). */
  readonly jwk: Readonly<Record<string, unknown>>;
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor(
    readonly algorithm: SignatureAlgorithm,
    readonly kid: string = randomUUID(),
  ) {
    const { publicKey, privateKey } = generate(algorithm);
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm };
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /** Returns a JWS in compact serialization (RFC 7515 §7.1). */
  sign(header: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, unknown>>): string {
    const parts = [{ kid: this.kid, ...header, alg: this.algorithm }, claims];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const { hash } = ALGORITHMS[this.algorithm];
    return `${input}.${sign(hash, Buffer.from(input), this.inputFor(this.privateKey)).toString('base64url')}`;
  }

  verifies(token: string): boolean {
    const [input, signature] = [
      signingInputOf(token),
      Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url'),
    ];
    return verify(ALGORITHMS[this.algorithm].hash, Buffer.from(input), this.inputFor(this.publicKey), signature);
  }

  private inputFor(key: KeyObject) {
    const { hash: _hash, ...parameters } = ALGORITHMS[this.algorithm];
    return { ...parameters, key, dsaEncoding: 'ieee-p1363' as const };
  }
}

/** Returns what is signed (RFC 7515 §5.1). It identifies a token; the signature does not, because ECDSA has two for each token. */
export function signingInputOf(token: string): string {
  return token.slice(0, Math.max(0, token.lastIndexOf('.')));
}

function generate(algorithm: SignatureAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  const row = ALGORITHMS[algorithm];
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (row.kty === 'EC') return generateKeyPairSync('ec', { namedCurve: row.crv });
  // The types of older versions of Node do not know the names of ML-DSA.
  const type = row.kty === 'OKP' ? row.crv.toLowerCase() : algorithm.toLowerCase();
  return generateKeyPairSync(type as 'ed25519');
}
