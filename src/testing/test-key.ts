import { generateKeyPairSync, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { ALGORITHMS, type SignatureAlgorithm } from '../keys/algorithms.js';

/** A real key pair, for one algorithm. */
export class TestKey {
  readonly kid = randomUUID();
  /** The public half, as an issuer publishes it (RFC 7517 §4). */
  readonly jwk: Readonly<Record<string, unknown>>;
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;

  constructor(readonly algorithm: SignatureAlgorithm) {
    const { publicKey, privateKey } = generate(algorithm);
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid: this.kid, use: 'sig', alg: algorithm };
    this.privateKey = privateKey;
    this.publicKey = publicKey;
  }

  /** A JWS in compact serialization (RFC 7515 §7.1). */
  sign(header: Readonly<Record<string, unknown>>, claims: Readonly<Record<string, unknown>>): string {
    const input = [{ ...header, alg: this.algorithm }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const { hash } = ALGORITHMS[this.algorithm];
    return `${input}.${sign(hash, Buffer.from(input), this.with(this.privateKey)).toString('base64url')}`;
  }

  hasSigned(token: string): boolean {
    const [header = '', payload = '', signature = ''] = token.split('.');
    const { hash } = ALGORITHMS[this.algorithm];
    const input = Buffer.from(`${header}.${payload}`);
    return verify(hash, input, this.with(this.publicKey), Buffer.from(signature, 'base64url'));
  }

  private with(key: KeyObject) {
    const { padding, saltLength } = ALGORITHMS[this.algorithm] as { padding?: number; saltLength?: number };
    return { key, padding, saltLength, dsaEncoding: 'ieee-p1363' as const };
  }
}

function generate(algorithm: SignatureAlgorithm): { publicKey: KeyObject; privateKey: KeyObject } {
  const row = ALGORITHMS[algorithm];
  if (row.kty === 'RSA') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (row.kty === 'OKP') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('ec', { namedCurve: row.crv });
}
