import { describe, expect, it } from '@jest/globals';
import { createECDH, createPrivateKey, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { ALGORITHM_NAMES, type SignatureAlgorithm } from '../../../src/keys/algorithms.js';
import { importVerificationKey } from '../../../src/keys/verification-key.js';
import { polluted } from '../../support/polluted.js';
import { unicodeText } from '../../support/unicode-text.js';
import { newKey } from '../../support/local-issuer.js';
import { selfSigned } from '../../support/self-signed.js';

type Jwk = Record<string, unknown>;

const publicJwk = (kind: Parameters<typeof newKey>[0]): Jwk => newKey(kind, { kid: 'a' }).jwk;
const KEYS = {
  rsa: publicJwk('rsa'),
  p256: publicJwk('p-256'),
  p384: publicJwk('p-384'),
  p521: publicJwk('p-521'),
  ed25519: publicJwk('ed25519'),
  secp256k1: publicJwk('secp256k1'),
  ed448: publicJwk('ed448'),
};
const FITTING: Record<keyof typeof KEYS, readonly SignatureAlgorithm[]> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  p256: ['ES256'],
  p384: ['ES384'],
  p521: ['ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
  secp256k1: ['ES256K'],
  ed448: ['Ed448'],
};
const KINDS = Object.keys(KEYS) as (keyof typeof KEYS)[];
const verifiableAlgorithms = (jwk: Jwk) => [...importVerificationKey(jwk).inputs.keys()];
const problemOf = (jwk: Jwk) => importVerificationKey(jwk).problem;

/** Expects a key that keeps its kid, has a problem and verifies nothing. */
function expectUnsuitable(jwk: Jwk, problem: string | RegExp): void {
  const key = importVerificationKey(jwk);
  expect(key.problem).toMatch(problem);
  expect(key.inputs.size).toBe(0);
  expect(key.kid).toBe(jwk.kid);
}

describe.each(KINDS)('A key of kind %s', (kind) => {
  const jwk = KEYS[kind];

  it('verifies only the algorithms that match its type', () => {
    expect(verifiableAlgorithms(jwk)).toEqual(FITTING[kind]);
    expect(problemOf(jwk)).toBeUndefined();
  });

  it.each([...ALGORITHM_NAMES])('with alg %s verifies only that algorithm or nothing', (alg) => {
    if (FITTING[kind].includes(alg)) expect(verifiableAlgorithms({ ...jwk, alg })).toEqual([alg]);
    else expectUnsuitable({ ...jwk, alg }, 'fits no signature algorithm (kty, crv, alg)');
  });

  it.each([
    'none',
    'HS256',
    'RSA-OAEP',
    'RSA1_5',
    'ECDH-ES',
    'ES521',
    'rs256',
    'toString',
    '__proto__',
    1,
    ['RS256'],
    {},
  ])('with alg %j verifies nothing', (alg) => {
    expectUnsuitable({ ...jwk, alg }, 'fits no signature algorithm (kty, crv, alg)');
  });

  it('verifies with use sig or without use', () => {
    expect(verifiableAlgorithms({ ...jwk, use: 'sig' })).toEqual(FITTING[kind]);
    expect(verifiableAlgorithms({ ...jwk, use: undefined })).toEqual(FITTING[kind]);
  });

  it.each(['enc', 'SIG', 'sig ', 'tls', 1, ['sig'], {}])('with use %j verifies nothing', (use) => {
    expectUnsuitable({ ...jwk, use }, 'is not for signatures (use)');
  });

  it.each([[['verify']], [['sign', 'verify']], [['encrypt', 'verify']], [undefined]])(
    'verifies with key_ops %j',
    (operations) => {
      expect(verifiableAlgorithms({ ...jwk, key_ops: operations })).toEqual(FITTING[kind]);
    },
  );

  it.each([
    [[]],
    [['sign']],
    [['encrypt', 'wrapKey']],
    [['Verify']],
    [[['verify']]],
    ['verify'],
    [{ 0: 'verify' }],
    [1],
  ])('with key_ops %j verifies nothing', (operations) => {
    expectUnsuitable({ ...jwk, key_ops: operations }, 'is not for verifying (key_ops)');
  });

  it('with a private member verifies nothing', () => {
    expectUnsuitable({ ...jwk, d: 'c2VjcmV0' }, 'is a private key');
  });

  it('with the same operation twice verifies nothing', () => {
    expectUnsuitable({ ...jwk, key_ops: ['verify', 'verify'] }, 'has the same operation twice (key_ops)');
  });

  it('verifies although a serializer wrote absent members as null or empty', () => {
    const absent = { d: null, p: '', oth: [], k: undefined, use: null, alg: '', key_ops: null, x5c: [], x5t: '' };
    expect(verifiableAlgorithms({ ...jwk, ...absent })).toEqual(FITTING[kind]);
  });

  it.each(['RSA', 'EC', 'OKP', 'oct', 'rsa', 'ec', 'AKP', '', undefined, null, 1, ['RSA']])(
    'with another kty, %j, verifies nothing',
    (kty) => {
      if (kty === jwk.kty) return;
      const key = importVerificationKey({ ...jwk, kty });
      expect(key.inputs.size).toBe(0);
      expect(key.problem).toMatch(/^(fits no signature algorithm|cannot be read)/);
    },
  );

  it.each([undefined, null, '', true, {}, ['a']])('with kid %j has no kid', (kid) => {
    expect(importVerificationKey({ ...jwk, kid }).kid).toBeUndefined();
    expect(verifiableAlgorithms({ ...jwk, kid })).toEqual(FITTING[kind]);
  });

  it('has a number as its kid, or a thumbprint if it has none', () => {
    expect(importVerificationKey({ ...jwk, kid: 7 }).kid).toBe('7');
    const thumbprints = { x5t: 'sha1', 'x5t#S256': 'sha256' };
    expect(importVerificationKey({ ...jwk, ...thumbprints }).kid).toBe('a');
    expect(importVerificationKey({ ...jwk, ...thumbprints, kid: null }).kid).toBe('sha1');
    expect(importVerificationKey({ ...jwk, 'x5t#S256': 'sha256', kid: '' }).kid).toBe('sha256');
  });

  it('may have unknown members and certificates', () => {
    expect(verifiableAlgorithms({ ...jwk, x5c: ['!'], x5t: 1, 'x5t#S256': null, iat: 1, vendor: {} })).toEqual(
      FITTING[kind],
    );
  });
});

describe('An elliptic key', () => {
  it.each([
    ['P-256', 'P-384'],
    ['P-256', 'P-521'],
    ['P-384', 'P-256'],
    ['P-256', 'secp256k1'],
    ['P-256', 'Ed448'],
    ['P-256', 'p-256'],
    ['P-256', 'prime256v1'],
    ['P-256', 'Ed25519'],
    ['P-256', undefined],
    ['P-256', null],
  ])('of %s with crv %s verifies nothing', (of, crv) => {
    const jwk = of === 'P-256' ? KEYS.p256 : KEYS.p384;
    const key = importVerificationKey({ ...jwk, crv });
    expect(key.inputs.size).toBe(0);
    expect(key.problem).toMatch(/^(fits no signature algorithm|cannot be read)/);
  });

  it.each(['X25519', 'X448', 'P-256'])('of Ed25519 with crv %s verifies nothing', (crv) => {
    expectUnsuitable({ ...KEYS.ed25519, crv }, 'fits no signature algorithm (kty, crv, alg)');
  });

  it.each([
    ['x is missing', { x: undefined }],
    ['y is missing', { y: undefined }],
    ['x is a number', { x: 1 }],
    ['x is empty', { x: '' }],
    ['x and y are swapped', { x: KEYS.p256.y, y: KEYS.p256.x }],
    ['y is that of another point', { y: KEYS.p256.x }],
    ['x and y are zero', { x: 'AA', y: 'AA' }],
    ['x is too long', { x: String(KEYS.p384.x) }],
  ])('verifies nothing if %s', (_what, members) => {
    expectUnsuitable({ ...KEYS.p256, ...members }, 'cannot be read');
  });

  it.each([
    ['x is missing', undefined],
    ['x is empty', ''],
    ['x is too short', 'AAAA'],
    ['x is too long', `${String(KEYS.ed25519.x)}AAAA`],
    ['x is a list', [KEYS.ed25519.x]],
  ])('of Ed25519 cannot be read if %s', (_what, x) => {
    expectUnsuitable({ ...KEYS.ed25519, x }, 'cannot be read');
  });

  // The little-endian y coordinates of the points of order 1, 2, 4 and 8; p, p + 1 and others are not reduced (RFC 8032 §5.1.3).
  const PRIME = 2n ** 255n - 19n;
  const Y8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
  const UNSAFE = [0n, 1n, PRIME - 1n, Y8, PRIME - Y8, PRIME, PRIME + 1n, PRIME + 2n, PRIME + 18n];
  it.each(UNSAFE.flatMap((y) => [y, y + 2n ** 255n]))(
    'of Ed25519 with the unsafe point %d verifies nothing',
    (point) => {
      const x = Buffer.from(point.toString(16).padStart(64, '0'), 'hex').reverse().toString('base64url');
      expectUnsuitable({ ...KEYS.ed25519, x }, 'is not a safe point of its curve');
    },
  );

  // The points of order 1, 2 and 4, and coordinates that are not reduced (RFC 8032 §5.2.3).
  const PRIME_448 = 2n ** 448n - 2n ** 224n - 1n;
  const UNSAFE_448 = [0n, 1n, PRIME_448 - 1n, PRIME_448, PRIME_448 + 1n, 2n ** 449n];
  it.each(UNSAFE_448.flatMap((y) => [y, y + 2n ** 455n]))(
    'of Ed448 with the unsafe point %d verifies nothing',
    (point) => {
      const x = Buffer.from(point.toString(16).padStart(114, '0'), 'hex').reverse().toString('base64url');
      expectUnsuitable({ ...KEYS.ed448, x }, 'is not a safe point of its curve');
    },
  );

  it('of Ed25519 with a point of small order does not accept the signature that anyone can compute', () => {
    // The neutral element as the key and as R, and S = 0: OpenSSL before 3.5 accepts it for every text.
    const neutral = Buffer.concat([Buffer.of(1), Buffer.alloc(31)]);
    const jwk = { ...KEYS.ed25519, x: neutral.toString('base64url') };
    expect(importVerificationKey(jwk).inputs.size).toBe(0);
  });

  it.each(['x', 'y'])('may lack the leading zero byte of its %s, as with some issuers', (name) => {
    const short = shortCoordinate(name as 'x' | 'y');
    expect(Buffer.from(String(short.jwk[name]), 'base64url')).toHaveLength(31);
    const input = importVerificationKey(short.jwk).inputs.get('ES256');
    if (input === undefined) throw new Error('is unsuitable');
    const signature = sign('sha256', Buffer.from('text'), { key: short.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(verify('sha256', Buffer.from('text'), input, signature)).toBe(true);
    expect(verify('sha256', Buffer.from('other'), input, signature)).toBe(false);
  });
});

describe('An RSA key', () => {
  const n = Buffer.from(String(KEYS.rsa.n), 'base64url');

  it('of 1024 bits verifies nothing', () => {
    expectUnsuitable(publicJwk('rsa-1024'), 'is shorter than 2048 bits');
  });

  it('of 2047 bits verifies nothing', () => {
    const shorter = Buffer.from(n);
    shorter[0] = 0x7f;
    expectUnsuitable({ ...KEYS.rsa, n: shorter.toString('base64url') }, 'is shorter than 2048 bits');
  });

  it('is not longer with leading zeros', () => {
    const zeros = Buffer.concat([Buffer.alloc(128), n.subarray(0, 128)]);
    expectUnsuitable({ ...KEYS.rsa, n: zeros.toString('base64url') }, 'is shorter than 2048 bits');
    expect(problemOf({ ...KEYS.rsa, n: Buffer.concat([Buffer.alloc(1), n]).toString('base64url') })).toBeUndefined();
  });

  it.each([
    ['0', 'AA'],
    ['1', 'AQ'],
    ['1 with leading zeros', 'AAAB'],
    ['2', 'Ag'],
    ['4', 'BA'],
    ['65536', 'AQAA'],
  ])('with the exponent %s verifies nothing', (_what, e) => {
    expectUnsuitable({ ...KEYS.rsa, e }, 'has an unsafe exponent');
  });

  it.each([
    ['3', 'Aw'],
    ['17', 'EQ'],
    ['65537', 'AQAB'],
    ['65537 with a leading zero', 'AAEAAQ'],
  ])('may have the exponent %s', (_what, e) => {
    expect(verifiableAlgorithms({ ...KEYS.rsa, e })).toEqual(FITTING.rsa);
  });

  it.each([
    ['n is missing', { n: undefined }],
    ['e is missing', { e: undefined }],
    ['n is a number', { n: 1 }],
    ['e is empty', { e: '' }],
    ['e is a number, as with some issuers', { e: 65_537 }],
  ])('cannot be read if %s', (_what, members) => {
    expectUnsuitable({ ...KEYS.rsa, ...members }, 'cannot be read');
  });
});

describe('A key that is only a certificate', () => {
  const { cert } = selfSigned('127.0.0.1');
  const [x5c] = [[cert.replace(/-----[A-Z ]+-----|\s/g, '')]];

  it('has the key of the certificate', () => {
    for (const jwk of [{ x5c }, { kty: 'EC', x5c }, { x5c: x5c[0] }, { kty: 'EC', x: null, y: '', x5c }])
      expect(verifiableAlgorithms({ ...jwk, kid: 'a' })).toEqual(['ES256']);
  });

  it('verifies nothing if the certificate cannot be read, or its key is another one than `kty` states', () => {
    expectUnsuitable({ x5c: ['AAAA'], kid: 'a' }, 'cannot be read');
    expectUnsuitable({ kty: 'RSA', x5c, kid: 'a' }, 'cannot be read');
    expectUnsuitable({ x5c, use: 'enc', kid: 'a' }, 'is not for signatures (use)');
  });
});

describe('A key that is not a signature key', () => {
  it.each([
    ['a secret', { kty: 'oct', k: 'c2VjcmV0', kid: 'a', alg: 'HS256' }],
    ['a secret with an asymmetric algorithm', { kty: 'oct', k: 'c2VjcmV0', kid: 'a', alg: 'RS256' }],
    ['a secret without an algorithm', { kty: 'oct', k: 'c2VjcmV0', kid: 'a' }],
    ['a kid only', { kid: 'a' }],
  ])('verifies nothing: %s', (_what, jwk) => {
    expectUnsuitable(jwk, 'fits no signature algorithm (kty, crv, alg)');
  });

  it('has a problem without its members', () => {
    for (const jwk of [
      { ...KEYS.rsa, d: 'c2VjcmV0' },
      { kty: 'RSA', n: 'c2VjcmV0', e: 'c2VjcmV0' },
      { kty: 'oct', k: 'c2VjcmV0' },
    ]) {
      expect(problemOf(jwk)).not.toContain('c2VjcmV0');
    }
  });
});

describe('importVerificationKey', () => {
  it.each(Object.entries({ use: 'enc', key_ops: [], alg: 'RS512', kid: 'x', d: 'x', k: 'x', kty: 'RSA', n: 'AQAB' }))(
    'reads no member of a polluted prototype: %s',
    async (name, value) => {
      const read = () =>
        [...Object.values(KEYS), {}].map((jwk) => {
          const { kid, inputs, problem } = importVerificationKey(jwk);
          return [kid, [...inputs.keys()], problem];
        });
      const expected = read();
      expect(await polluted({ [name]: value }, read)).toEqual(expected);
    },
  );

  it('never throws: a key with any members verifies something or has a problem', () => {
    const name = fc.constantFrom('kty', 'crv', 'n', 'e', 'x', 'y', 'd', 'k', 'use', 'key_ops', 'alg', 'kid');
    const value = fc.oneof(
      fc.constantFrom<unknown>('RSA', 'EC', 'OKP', 'P-256', 'Ed25519', 'sig', ['verify'], 'RS256', 'ES256', undefined),
      fc.constantFrom<unknown>(...Object.values(KEYS).flatMap((jwk) => Object.values(jwk))),
      fc.jsonValue(),
      unicodeText(),
    );
    const base = fc.constantFrom<Jwk>({}, ...Object.values(KEYS));
    fc.assert(
      fc.property(base, fc.dictionary(name, value, { maxKeys: 4 }), (jwk, members) => {
        const key = importVerificationKey({ ...jwk, ...members });
        expect(key.inputs.size > 0).toBe(key.problem === undefined);
      }),
      { numRuns: 100 },
    );
  });
});

/** Returns the first of the P-256 keys 1, 2, 3, … with a leading zero byte in a coordinate, without that byte. */
function shortCoordinate(name: 'x' | 'y') {
  const ecdh = createECDH('prime256v1');
  for (let number = 1; ; number += 1) {
    const secret = Buffer.alloc(32);
    secret.writeUInt32BE(number, 28);
    ecdh.setPrivateKey(secret);
    const point = ecdh.getPublicKey();
    const coordinates = { x: point.subarray(1, 33), y: point.subarray(33) };
    if (coordinates[name][0] !== 0 || coordinates[name][1] === 0) continue;
    const whole = { kty: 'EC', crv: 'P-256', x: encode(coordinates.x), y: encode(coordinates.y) };
    const privateKey = createPrivateKey({ key: { ...whole, d: encode(secret) }, format: 'jwk' });
    return { jwk: { ...whole, [name]: encode(coordinates[name].subarray(1)) } as Jwk, privateKey };
  }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
