import { describe, expect, it, jest } from '@jest/globals';
import { constants, sign } from 'node:crypto';
import type { SignatureAlgorithm } from '../../../src/keys/algorithms.js';
import { AuthError } from '../../../src/model/errors.js';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import { decodeCompact } from '../../../src/token/jwt/compact.js';
import { checkSignature, checkSignatureByAny } from '../../../src/token/jwt/signature.js';
import { codeOf, refusalOf } from '../../support/catching.js';
import { newKey, signToken, type TestKey } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const nameless = { kid: undefined };
const setOf = (...keys: readonly TestKey[]) => new KeySet(keys.map(({ jwk }) => jwk));
const ed25519Keys = (count: number, members: Record<string, unknown> = {}) =>
  Array.from({ length: count }, () => newKey('ed25519', members));

function decodedBy(key: TestKey, header: Record<string, unknown> = {}, alg: SignatureAlgorithm = 'EdDSA') {
  return decodeCompact(signToken({ alg, ...header }, { sub: 'alice' }, key.privateKey));
}

const inputOf = ({ token }: { token: string }) => Buffer.from(token.slice(0, token.lastIndexOf('.')));

/** Hands out the sets one after another, the last one for ever, and notes what it was asked. */
class FakeSource implements KeySource {
  readonly asked: (readonly [string | undefined, KeySet | undefined])[] = [];

  constructor(private readonly sets: readonly KeySet[]) {}

  current(): undefined {
    return undefined;
  }

  keySetFor(kid: string | undefined, rejectedSet?: KeySet): KeySet {
    this.asked.push([kid, rejectedSet]);
    const set = this.sets[Math.min(this.asked.length, this.sets.length) - 1];
    if (set === undefined) throw new AuthError('KEYS_UNAVAILABLE');
    return set;
  }
}

describe('The keys that are tried', () => {
  const by = (key: TestKey | undefined, keys: readonly TestKey[]) =>
    codeOf(() =>
      checkSignatureByAny(decodedBy(key ?? newKey('ed25519')), 'EdDSA', setOf(...keys).candidates(undefined)),
    );

  it('are sixteen that fit, and no more (SIGNATURE_INVALID)', () => {
    const keys = ed25519Keys(17);
    expect(by(keys[0], keys)).toBeUndefined();
    expect(by(keys[15], keys)).toBeUndefined();
    expect(by(keys[16], keys)).toBe('SIGNATURE_INVALID');
  });

  it('are only those that fit: others do not count', () => {
    const others = Array.from({ length: 20 }, () => newKey('p-256'));
    const unsuitable = ed25519Keys(20, { use: 'enc' });
    const keys = ed25519Keys(17);
    expect(by(keys[15], [...others, ...unsuitable, ...keys])).toBeUndefined();
    expect(by(keys[16], [...others, ...unsuitable, ...keys])).toBe('SIGNATURE_INVALID');
  });

  it('are not those that were published for something else (KEY_UNSUITABLE)', () => {
    const key = newKey('ed25519', { kid: 'a', use: 'enc' });
    const candidates = setOf(key, newKey('p-256', { kid: 'a' })).candidates('a');
    const error = refusalOf(() => checkSignatureByAny(decodedBy(key, { kid: 'a' }), 'EdDSA', candidates));
    expect(error).toMatchObject({
      code: 'KEY_UNSUITABLE',
      detail: { kid: 'a', expected: 'EdDSA', reasons: ['is not for signatures (use)', 'is for ES256'] },
    });
  });

  it('are none where the issuer does not publish the one that is named (KEY_UNKNOWN)', () => {
    const error = refusalOf(() => checkSignatureByAny(decodedBy(newKey('ed25519'), { kid: 'a' }), 'EdDSA', []));
    expect(error).toMatchObject({ code: 'KEY_UNKNOWN', detail: { kid: 'a' } });
  });

  it('accept the signature over what was sent, and over nothing else (SIGNATURE_INVALID)', () => {
    const key = newKey('ed25519');
    const decoded = decodedBy(key);
    const candidates = setOf(key).candidates(undefined);
    expect(codeOf(() => checkSignatureByAny(decoded, 'EdDSA', candidates))).toBeUndefined();
    const [header, , signature] = decoded.token.split('.');
    const token = [header, Buffer.from('{"sub":"bob"}').toString('base64url'), signature].join('.');
    expect(codeOf(() => checkSignatureByAny({ ...decoded, token }, 'EdDSA', candidates))).toBe('SIGNATURE_INVALID');
  });
});

describe('A signature of the right key', () => {
  const rsa = newKey('rsa');
  const p256 = newKey('p-256');
  const { PS256, RS256, ES256 } = {
    PS256: decodedBy(rsa, {}, 'PS256'),
    RS256: decodedBy(rsa, {}, 'RS256'),
    ES256: decodedBy(p256, {}, 'ES256'),
  };
  const pss = { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING };

  it.each<[string, SignatureAlgorithm, TestKey, typeof PS256, Buffer]>([
    [
      'with a salt that is shorter than the hash',
      'PS256',
      rsa,
      PS256,
      sign('sha256', inputOf(PS256), { ...pss, saltLength: 20 }),
    ],
    ['without a salt', 'PS256', rsa, PS256, sign('sha256', inputOf(PS256), { ...pss, saltLength: 0 })],
    ['of PKCS #1 under PS256', 'PS256', rsa, PS256, sign('sha256', inputOf(PS256), rsa.privateKey)],
    ['of PSS under RS256', 'RS256', rsa, RS256, sign('sha256', inputOf(RS256), { ...pss, saltLength: -1 })],
    ['with another hash', 'RS256', rsa, RS256, sign('sha512', inputOf(RS256), rsa.privateKey)],
    ['in DER', 'ES256', p256, ES256, sign('sha256', inputOf(ES256), p256.privateKey)],
  ])('is refused that is %s (SIGNATURE_INVALID)', (_what, algorithm, key, decoded, signature) => {
    const candidates = setOf(key).candidates(undefined);
    expect(codeOf(() => checkSignatureByAny(decoded, algorithm, candidates))).toBeUndefined();
    const token = `${inputOf(decoded).toString()}.${signature.toString('base64url')}`;
    expect(codeOf(() => checkSignatureByAny({ ...decoded, token }, algorithm, candidates))).toBe('SIGNATURE_INVALID');
  });
});

describe('The source of the keys', () => {
  const old = newKey('ed25519', { kid: 'old' });
  const other = newKey('ed25519', { kid: 'other' });
  const oldNameless = newKey('ed25519', nameless);
  const newNameless = newKey('ed25519', nameless);
  const check = (key: TestKey, header: Record<string, unknown>, source: KeySource) =>
    outcomeOf((async () => checkSignature(decodedBy(key, header), 'EdDSA', source))());

  it('is asked once, with the kid, where its keys verify the token', async () => {
    const source = new FakeSource([setOf(old)]);
    expect(await check(old, { kid: 'old' }, source)).toBe('accepted');
    expect(await check(old, {}, source)).toBe('accepted');
    expect(source.asked).toStrictEqual([
      ['old', undefined],
      [undefined, undefined],
    ]);
  });

  it('may be waited for', async () => {
    const source: KeySource = { keySetFor: () => Promise.resolve(setOf(old)), current: () => undefined };
    expect(await check(old, { kid: 'old' }, source)).toBe('accepted');
    expect(await check(other, { kid: 'old' }, source)).toBe('SIGNATURE_INVALID');
  });

  it('is asked again, for a set rejectedSet the first, where a token without kid fits no key', async () => {
    const [first, second] = [setOf(old), setOf(old, other)];
    const source = new FakeSource([first, second]);
    expect(await check(other, {}, source)).toBe('accepted');
    expect(source.asked).toHaveLength(2);
    expect(source.asked[1]?.[0]).toBeUndefined();
    expect(source.asked[1]?.[1]).toBe(first);
  });

  it('is asked again where the token has a kid and no key has one', async () => {
    const first = setOf(oldNameless);
    const source = new FakeSource([first, setOf(newNameless)]);
    expect(await check(newNameless, { kid: 'any' }, source)).toBe('accepted');
    expect(source.asked).toHaveLength(2);
    expect(source.asked[1]?.[0]).toBe('any');
    expect(source.asked[1]?.[1]).toBe(first);
  });

  it('is asked again where no key fits the algorithm and none is named', async () => {
    const source = new FakeSource([setOf(newKey('p-256', nameless)), setOf(newNameless)]);
    expect(await check(newNameless, {}, source)).toBe('accepted');
  });

  it('is not asked again where the kid names a key, suitable or not', async () => {
    const source = new FakeSource([setOf(old, newKey('p-256', { kid: 'elliptic' })), setOf(other)]);
    expect(await check(other, { kid: 'old' }, source)).toBe('SIGNATURE_INVALID');
    expect(source.asked).toHaveLength(1);
    const unsuitable = new FakeSource([setOf(newKey('p-256', { kid: 'old' })), setOf(old)]);
    expect(await check(old, { kid: 'old' }, unsuitable)).toBe('KEY_UNSUITABLE');
    expect(unsuitable.asked).toHaveLength(1);
  });

  it('is not asked again where it does not know the kid: it has looked already', async () => {
    const source = new FakeSource([setOf(old), setOf(old, other)]);
    expect(await check(other, { kid: 'other' }, source)).toBe('KEY_UNKNOWN');
    expect(source.asked).toHaveLength(1);
  });

  it('that has no other set leaves the first refusal, without another try', async () => {
    const set = setOf(old);
    const candidates = jest.spyOn(set, 'candidates');
    const source = new FakeSource([set]);
    expect(await check(other, {}, source)).toBe('SIGNATURE_INVALID');
    expect(source.asked).toHaveLength(2);
    expect(candidates).toHaveBeenCalledTimes(1);
    const elliptic = new FakeSource([setOf(newKey('p-256', nameless))]);
    expect(await check(newNameless, {}, elliptic)).toBe('KEY_UNSUITABLE');
  });

  it('refuses with what the newer set says, and is not asked a third time', async () => {
    const source = new FakeSource([setOf(old), setOf(newKey('p-256')), setOf(other)]);
    expect(await check(other, {}, source)).toBe('KEY_UNSUITABLE');
    expect(source.asked).toHaveLength(2);
    const renamed = new FakeSource([setOf(oldNameless), setOf(old)]);
    expect(await check(newNameless, { kid: 'any' }, renamed)).toBe('KEY_UNKNOWN');
  });

  it('that has no keys at the moment is not the fault of the token (KEYS_UNAVAILABLE)', async () => {
    expect(await check(old, {}, new FakeSource([]))).toBe('KEYS_UNAVAILABLE');
  });

  it('that cannot look for newer keys says so, and not that the token is bad (KEYS_UNAVAILABLE)', async () => {
    const set = setOf(old);
    const source: KeySource = {
      current: () => undefined,
      keySetFor: (_kid, rejectedSet) =>
        rejectedSet === undefined ? set : Promise.reject(new AuthError('KEYS_UNAVAILABLE')),
    };
    expect(await check(other, {}, source)).toBe('KEYS_UNAVAILABLE');
  });

  it.each([[null], [1], [['old']], [{}]])('is not asked for the kid %j (TOKEN_MALFORMED)', async (kid) => {
    const source = new FakeSource([setOf(old)]);
    expect(await check(old, { kid }, source)).toBe('TOKEN_MALFORMED');
    expect(source.asked).toEqual([]);
  });
});
