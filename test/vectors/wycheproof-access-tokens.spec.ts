import { describe, expect, it } from '@jest/globals';
import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  sign,
} from 'node:crypto';
import type { JsonWebKey as PublishedKey } from '../../src/index.js';
import { newKey, signText, signToken } from '../support/local-issuer.js';
import { outcomeOf, verifierOf } from '../support/verifier.js';
import { type Group, type Jwk, keysOf, publishedKeys, readWycheproof } from '../support/wycheproof.js';

/**
 * The payloads of Wycheproof are not claims, so its vectors are not access tokens. Here its keys sign a realistic access token,
 * and its attacks are repeated on that token.
 */
const NOW = 1_700_000_000;
const ISSUER = 'https://issuer.example.com/realms/orders';
const AUDIENCE = 'https://api.example.com';
const CLAIMS = {
  iss: ISSUER,
  aud: [AUDIENCE, 'account'],
  sub: '5ba552d67',
  client_id: 's6BhdRkqt3',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 300,
  jti: 'dbe39bf3a3ba4238a513f51d6e1691c4',
  scope: 'openid read:orders write:orders',
  realm_access: { roles: ['manager'] },
};
const spare = newKey('p-256', { kid: 'spare' });
const spareRsa = newKey('rsa');

function verify(token: string, ...jwks: readonly Jwk[]) {
  // A set without any usable key is a configuration error.
  const keys = [...jwks, spare.jwk] as unknown as readonly PublishedKey[];
  const verifier = verifierOf({
    issuer: ISSUER,
    audience: AUDIENCE,
    tokenTypes: ['at+jwt'],
    claimPaths: { roles: ['realm_access.roles'] },
    keys: { from: 'static', jwks: { keys } },
    clock: () => NOW * 1000,
  });
  return verifier.verify(token);
}

const outcome = (token: string, ...jwks: readonly Jwk[]) => outcomeOf(verify(token, ...jwks));

const signatureGroups = readWycheproof('json_web_signature_test').testGroups;
const keyGroups = readWycheproof('json_web_key_test').testGroups;

interface SigningKey {
  /** The number of the group's first vector. */
  readonly tcId: number;
  readonly comment: string;
  readonly alg: string;
  readonly jwk: Jwk;
  readonly privateKey: KeyObject;
}

/** The algorithm to sign with: the one that the key names, or one that fits its type. */
function algorithmOf({ alg, kty, crv }: Jwk): string {
  if (typeof alg === 'string' && /^([RP]S(256|384|512)|ES(256|384|512))$/.test(alg)) return alg;
  if (kty === 'EC') return crv === 'P-521' ? 'ES512' : 'ES256';
  return 'RS256';
}

function signingKey(group: Group): SigningKey {
  const [secret = {}] = keysOf(group.private);
  const [jwk = {}] = publishedKeys(group);
  const alg = algorithmOf(secret);
  const tcId = group.tests[0]?.tcId ?? 0;
  return { tcId, comment: group.comment, alg, jwk, privateKey: importable(secret, alg) };
}

/** A broken key cannot sign. Another key of the same type signs instead, so that only the published key is wrong. */
function importable(secret: Jwk, alg: string): KeyObject {
  try {
    const key = createPrivateKey({ key: secret as JsonWebKey, format: 'jwk' });
    signToken({ alg }, {}, key);
    return key;
  } catch {
    return alg.startsWith('ES') ? spare.privateKey : spareRsa.privateKey;
  }
}

const asymmetric = (groups: readonly Group[]) => groups.filter((group) => group.public !== undefined).map(signingKey);
const fromSignatures = asymmetric(signatureGroups);
const fromKeys = asymmetric(keyGroups);

const headerFor = ({ alg, jwk }: SigningKey) => ({ alg, typ: 'at+jwt', kid: jwk.kid });
const tokenOf = (key: SigningKey) => signToken(headerFor(key), CLAIMS, key.privateKey);

// The tests of the vectors state the reasons.
const UNSUITABLE = { signatures: [347, 351, 353, 354, 355, 356], keys: [6, 8, 9, 19, 20, 21, 22, 23, 24] };

const isGood = (list: readonly number[]) => (key: SigningKey) => !list.includes(key.tcId);
const good = [...fromSignatures.filter(isGood(UNSUITABLE.signatures)), ...fromKeys.filter(isGood(UNSUITABLE.keys))];
const unsuitable = [
  ...fromSignatures.filter(({ tcId }) => UNSUITABLE.signatures.includes(tcId)),
  ...fromKeys.filter(({ tcId }) => UNSUITABLE.keys.includes(tcId)),
];

describe('An access token that a key of Wycheproof signed', () => {
  it('exists for every asymmetric key of both files', () => {
    expect(fromSignatures).toHaveLength(signatureGroups.filter((group) => group.public !== undefined).length);
    expect([good.length, unsuitable.length]).toEqual([15, 15]);
    expect(new Set(good.map(({ alg }) => alg))).toEqual(
      new Set(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256']),
    );
  });

  it.each(good)('is accepted: $alg, $comment of vector $tcId', async (key) => {
    const token = await verify(tokenOf(key), key.jwk);
    expect(token.claims).toEqual(CLAIMS);
    expect(token).toMatchObject({
      issuer: ISSUER,
      scopes: ['openid', 'read:orders', 'write:orders'],
      roles: ['manager'],
      header: { alg: key.alg, kid: key.jwk.kid },
    });
  });

  it.each(unsuitable)('is rejected (KEY_UNSUITABLE): $alg, $comment of vector $tcId', async (key) => {
    expect(await outcome(tokenOf(key), key.jwk)).toBe('KEY_UNSUITABLE');
  });

  it('is rejected with a valid signature if the exponent is 1, because everyone can sign (KEY_UNSUITABLE)', async () => {
    const key = fromKeys.find(({ tcId }) => tcId === 9);
    if (key === undefined) throw new Error('no such key');
    // With the exponent 1 the padded hash is its own signature.
    const input = tokenOf(key).split('.').slice(0, 2).join('.');
    const info = Buffer.from('3031300d060960864801650304020105000420', 'hex');
    const hash = Buffer.concat([info, createHash('sha256').update(input).digest()]);
    const padded = Buffer.concat([
      Buffer.from([0, 1]),
      Buffer.alloc(256 - 3 - hash.length, 0xff),
      Buffer.from([0]),
      hash,
    ]);
    expect(await outcome(`${input}.${padded.toString('base64url')}`, key.jwk)).toBe('KEY_UNSUITABLE');
  });
});

/** The attacks of Wycheproof, on a real token. */
describe.each(good)('A token of $alg, $comment of vector $tcId', (key) => {
  const { alg, jwk, privateKey } = key;
  const token = tokenOf(key);
  const [header = '', payload = '', signature = ''] = token.split('.');
  const encode = (value: string | object) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const bytes = Buffer.from(signature, 'base64url');
  const signedBy = (other: Uint8Array) => `${header}.${payload}.${Buffer.from(other).toString('base64url')}`;

  it.each([
    ['with a modified signature', () => signedBy(bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte)))],
    [
      'with the last bit of its signature flipped',
      () => signedBy(bytes.map((byte, at, all) => (at === all.length - 1 ? byte ^ 1 : byte))),
    ],
    ['without a signature', () => `${header}.${payload}.`],
    ['with a signature of zeros', () => signedBy(Buffer.alloc(bytes.length))],
    ['with a signature of ones', () => signedBy(Buffer.alloc(bytes.length, 0xff))],
    ['with a truncated signature', () => signedBy(bytes.subarray(0, -1))],
    ['with zeros behind its signature', () => signedBy(Buffer.concat([bytes, Buffer.alloc(1)]))],
    ['with zeros before its signature', () => signedBy(Buffer.concat([Buffer.alloc(1), bytes]))],
    ['with its signature twice', () => signedBy(Buffer.concat([bytes, bytes]))],
    ['with a modified payload', () => `${header}.${encode({ ...CLAIMS, sub: 'admin' })}.${signature}`],
    ['with another header', () => `${encode({ ...headerFor(key), a: 1 })}.${payload}.${signature}`],
    [
      "with the attacker's own key in the header",
      () => {
        const attacker = alg.startsWith('ES') ? spare : spareRsa;
        return signToken(
          { ...headerFor(key), jwk: { ...attacker.jwk, kid: jwk.kid, alg } },
          CLAIMS,
          attacker.privateKey,
        );
      },
    ],
  ])('is rejected %s (SIGNATURE_INVALID)', async (_how, make) => {
    expect(await outcome(make(), jwk)).toBe('SIGNATURE_INVALID');
  });

  it.each([
    ['none', ''],
    ['NONE', ''],
    ['None', signature],
  ])('is rejected with the algorithm %s (ALGORITHM_NOT_ALLOWED)', async (none, left) => {
    expect(await outcome(`${encode({ ...headerFor(key), alg: none })}.${payload}.${left}`, jwk)).toBe(
      'ALGORITHM_NOT_ALLOWED',
    );
  });

  it('is rejected with HS256 and any public value as the secret (ALGORITHM_NOT_ALLOWED)', async () => {
    const publicKey = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(jwk),
      Buffer.from(String(jwk.n ?? jwk.x), 'base64url'),
      String(jwk.n ?? jwk.x),
      '\0',
    ];
    for (const secret of secrets) {
      const input = `${encode({ ...headerFor(key), alg: 'HS256' })}.${payload}`;
      const mac = createHmac('sha256', secret).update(input).digest('base64url');
      expect(await outcome(`${input}.${mac}`, jwk)).toBe('ALGORITHM_NOT_ALLOWED');
    }
  });

  it('is rejected if it names another key (KEY_UNKNOWN)', async () => {
    expect(await outcome(signToken({ ...headerFor(key), kid: `X${String(jwk.kid)}` }, CLAIMS, privateKey), jwk)).toBe(
      'KEY_UNKNOWN',
    );
  });

  if (!alg.startsWith('ES')) {
    const others = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].filter((name) => name !== alg);

    it.each(others)('is rejected if it is signed with %s instead (SIGNATURE_INVALID)', async (other) => {
      const wrong = signText(JSON.stringify(headerFor(key)), JSON.stringify(CLAIMS), other, privateKey);
      expect(await outcome(wrong, jwk)).toBe('SIGNATURE_INVALID');
    });

    it.each(others)('is rejected if it names and uses %s (KEY_UNSUITABLE)', async (other) => {
      expect(await outcome(signToken({ ...headerFor(key), alg: other }, CLAIMS, privateKey), jwk)).toBe(
        'KEY_UNSUITABLE',
      );
    });

    it.each(others)('is accepted if it names and uses %s and the key names no algorithm', async (other) => {
      const { alg: _alg, ...silent } = jwk;
      expect(await outcome(signToken({ ...headerFor(key), alg: other }, CLAIMS, privateKey), silent)).toBe('accepted');
    });
  }

  if (alg.startsWith('PS')) {
    it.each([0, 1, 8, 20, 190])('is rejected with a salt of %d bytes (SIGNATURE_INVALID)', async (saltLength) => {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const hash = `sha${alg.slice(2)}`;
      const salted = (length: number) =>
        signedBy(sign(hash, Buffer.from(`${header}.${payload}`), { key: privateKey, padding, saltLength: length }));
      expect(await outcome(salted(saltLength), jwk)).toBe('SIGNATURE_INVALID');
      expect(await outcome(salted(Number(alg.slice(2)) / 8), jwk)).toBe('accepted');
    });
  }

  if (alg.startsWith('ES')) {
    it('is rejected with a signature in DER (SIGNATURE_INVALID)', async () => {
      const der = sign('sha256', Buffer.from(`${header}.${payload}`), { key: privateKey, dsaEncoding: 'der' });
      expect(await outcome(signedBy(der), jwk)).toBe('SIGNATURE_INVALID');
    });
  }
});

describe('The modified paddings of PKCS #1 v1.5, on a real token', () => {
  const group = signatureGroups.find(({ comment, tests }) => comment === 'rs256' && tests.length > 200);
  if (group === undefined) throw new Error('no such group');
  const key = signingKey(group);
  const publicKey = createPublicKey({ key: key.jwk as JsonWebKey, format: 'jwk' });
  const input = tokenOf(key).split('.').slice(0, 2).join('.');
  const padding = constants.RSA_NO_PADDING;
  const sha256 = (text: string) => createHash('sha256').update(text).digest();

  /** Decrypts the signature of a vector, replaces the hash by that of our token, and encrypts it again. */
  function forged(jws: string): string | undefined {
    const at = jws.lastIndexOf('.');
    const padded = publicDecrypt({ key: publicKey, padding }, Buffer.from(jws.slice(at + 1), 'base64url'));
    const place = padded.indexOf(sha256(jws.slice(0, at)));
    if (place === -1) return undefined;
    sha256(input).copy(padded, place);
    return `${input}.${privateEncrypt({ key: key.privateKey, padding }, padded).toString('base64url')}`;
  }

  const attacks = group.tests
    .filter(({ flags }) => flags.includes('ModifiedPadding'))
    .map((vector) => ({ ...vector, token: forged(vector.jws) }));
  const repeated = attacks.filter(({ token }) => token !== undefined);

  it('include the valid vector, whose token is accepted', async () => {
    const valid = group.tests.find(({ result }) => result === 'valid');
    expect(await outcome(forged(valid?.jws ?? '') ?? '', key.jwk)).toBe('accepted');
  });

  it('are repeated for each vector that contains the whole hash', () => {
    expect(attacks).toHaveLength(213);
    expect(repeated.length).toBeGreaterThan(150);
  });

  it.each(repeated)('are rejected: $tcId, $comment (SIGNATURE_INVALID)', async ({ token = '' }) => {
    expect(await outcome(token, key.jwk)).toBe('SIGNATURE_INVALID');
  });
});
