import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../keys/algorithms.js';

/** A key pair that signs with one algorithm. */
export class TestKey {
  /** The public key (RFC 7517 §4). */
  readonly jwk: Readonly<Record<string, unknown>>;
  private readonly privateKey: KeyObject;

  constructor(
    readonly algorithm: SignatureAlgorithm,
    readonly kid: string = randomUUID(),
  ) {
    const { publicKey, privateKey } = generate(algorithm);
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: algorithm };
    this.privateKey = privateKey;
  }

  /** Returns a JWS in compact serialization (RFC 7515 §7.1). */
  sign(header: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, unknown>>): string {
    const parts = [{ kid: this.kid, ...header, alg: this.algorithm }, claims];
    const input = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const { hash, ...parameters } = ALGORITHMS[this.algorithm];
    const key = { ...parameters, key: this.privateKey, dsaEncoding: 'ieee-p1363' as const };
    return `${input}.${sign(hash, Buffer.from(input), key).toString('base64url')}`;
  }
}

function generate(algorithm: SignatureAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  const row = ALGORITHMS[algorithm];
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (row.kty === 'OKP') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: row.crv });
}
