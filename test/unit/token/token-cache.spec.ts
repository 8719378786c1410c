import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import type { AuthOptions, VerifiedAccessToken } from '../../../src/index.js';
import { KeySet } from '../../../src/keys/key-set.js';
import type { KeySource } from '../../../src/keys/key-source.js';
import { AuthError } from '../../../src/model/errors.js';
import { resolveOptions } from '../../../src/options/resolve-options.js';
import { AccessTokenVerifier } from '../../../src/token/access-token-verifier.js';
import { NO_DEMAND } from '../../../src/token/authenticator.js';
import { Authorities } from '../../../src/token/authorities.js';
import { SeenTokenFilter } from '../../../src/token/seen-token-filter.js';
import { TokenCache } from '../../../src/token/token-cache.js';
import { type TrustedIssuer, TrustedIssuers } from '../../../src/token/trusted-issuers.js';
import { newKey, signToken, AUDIENCE } from '../../support/local-issuer.js';
import { outcomeOf } from '../../support/verifier.js';

const ISSUER = 'https://issuer.example.com/';
const START = 1_700_000_000;
const key = newKey('ed25519', { kid: 'a' });

/** Counts how often a key is looked up, which is how often a signature is verified. */
class CountingKeySet extends KeySet {
  verified = 0;

  override candidates(kid: string | undefined) {
    this.verified += 1;
    return super.candidates(kid);
  }
}

let now: number;
let keySet: CountingKeySet;
let source: KeySource;

beforeEach(() => {
  now = START;
  keySet = new CountingKeySet([key.jwk]);
});

function verifierWith(options: Partial<AuthOptions> = {}): AccessTokenVerifier {
  const { issuers, clock, tokenCache } = resolveOptions({
    issuer: ISSUER,
    audience: AUDIENCE,
    keys: { from: 'jwks', uri: ISSUER },
    clock: () => now * 1000,
    ...options,
  } as AuthOptions);
  source = { keySetFor: () => keySet, current: () => keySet };
  const sources = { create: () => source, release: () => undefined };
  return new AccessTokenVerifier(new TrustedIssuers(issuers, sources), clock, tokenCache);
}

const tokenWith = (claims: Record<string, unknown> = {}, by = key) =>
  signToken({ alg: 'EdDSA', kid: 'a' }, { iss: ISSUER, aud: AUDIENCE, exp: START + 600, ...claims }, by.privateKey);

/** Verifies the token often enough that it is cached. */
async function cached(verifier: AccessTokenVerifier, token = tokenWith()): Promise<string> {
  for (let turn = 0; turn < 3; turn += 1) await verifier.verify(token);
  return token;
}

describe('A cached token', () => {
  it('has its signature verified twice only', async () => {
    const verifier = verifierWith();
    const token = tokenWith({ sub: 'alice', scope: 'a b' });
    for (let turn = 0; turn < 10; turn += 1)
      expect(await verifier.verify(token)).toMatchObject({ token, claims: { sub: 'alice' }, scopes: ['a', 'b'] });
    expect(keySet.verified).toBe(2);
  });

  it('has its signature verified each time with tokenCache: false', async () => {
    const verifier = verifierWith({ tokenCache: false });
    const token = tokenWith();
    for (let turn = 0; turn < 5; turn += 1) await verifier.verify(token);
    expect(keySet.verified).toBe(5);
  });

  it('has its signature verified again after `maxAgeSeconds`, even if it is in constant use', async () => {
    // A moment at which the token is still found by its text, which is forgotten after each ten seconds.
    const verifier = verifierWith({ tokenCache: { maxAgeSeconds: 63 } });
    const token = await cached(verifier);
    for (let second = 0; second < 63; second += 1) {
      now = START + second;
      await verifier.verify(token);
    }
    expect(keySet.verified).toBe(2);
    now = START + 63;
    await verifier.verify(token);
    expect(keySet.verified).toBe(3);
  });

  it('is rejected once it has expired or is too old, or the clock was set back', async () => {
    const verifier = verifierWith({ maxTokenAgeSeconds: 650, tokenCache: { maxAgeSeconds: 86_400 } });
    const token = await cached(verifier, tokenWith({ iat: START, nbf: START, exp: START + 700 }));
    const outcomeAt = (seconds: number) => {
      now = START + seconds;
      return outcomeOf(verifier.verify(token));
    };
    expect(await outcomeAt(655)).toBe('accepted');
    expect(await outcomeAt(656)).toBe('TOKEN_TOO_OLD');
    expect(await outcomeAt(705)).toBe('TOKEN_EXPIRED');
    expect(await outcomeAt(-6)).toBe('TOKEN_NOT_YET_VALID');
  });

  it('is verified again by a new key set, and rejected if its key was withdrawn or replaced', async () => {
    const verifier = verifierWith();
    const token = await cached(verifier);
    keySet = new CountingKeySet([key.jwk]);
    for (let turn = 0; turn < 2; turn += 1) expect(await outcomeOf(verifier.verify(token))).toBe('accepted');
    expect(keySet.verified).toBe(1);
    keySet = new CountingKeySet([newKey('ed25519', { kid: 'b' }).jwk]);
    expect(await outcomeOf(verifier.verify(token))).toBe('KEY_UNKNOWN');
    keySet = new CountingKeySet([newKey('ed25519', { kid: 'a' }).jwk]);
    expect(await outcomeOf(verifier.verify(token))).toBe('SIGNATURE_INVALID');
  });

  it('is rejected once its tenant is gone, or has other options', async () => {
    let options: object | undefined = { issuer: ISSUER, audience: AUDIENCE, keys: { from: 'jwks', uri: ISSUER } };
    const unset = { issuer: undefined, audience: undefined, keys: undefined };
    const verifier = verifierWith({ ...unset, issuers: () => options as never });
    const token = await cached(verifier, tokenWith({ groups: ['staff'] }));
    options = { ...options, claimPaths: { roles: ['groups'] } };
    expect((await verifier.verify(token)).roles).toEqual(['staff']);
    options = { ...options, audience: 'other' };
    expect(await outcomeOf(verifier.verify(token))).toBe('AUDIENCE_MISMATCH');
    options = { ...options, audience: AUDIENCE, algorithms: ['RS256'] };
    expect(await outcomeOf(verifier.verify(token))).toBe('ALGORITHM_NOT_ALLOWED');
    options = undefined;
    expect(await outcomeOf(verifier.verify(token))).toBe('ISSUER_UNTRUSTED');
  });

  it('is rejected without an unhandled rejection if the keys cannot be obtained (KEYS_UNAVAILABLE)', async () => {
    const unhandled: unknown[] = [];
    const record = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', record);
    const verifier = verifierWith();
    const token = await cached(verifier);
    const failing = jest
      .spyOn(source, 'keySetFor')
      .mockImplementation(() => Promise.reject(new AuthError('KEYS_UNAVAILABLE')));
    expect(await outcomeOf(verifier.verify(token))).toBe('KEYS_UNAVAILABLE');
    await new Promise(setImmediate);
    process.off('unhandledRejection', record);
    expect([unhandled, failing.mock.calls.length]).toEqual([[], 2]);
  });

  it('is passed to `validate` each time', async () => {
    let isLocked = false;
    const verifier = verifierWith({
      validate: () => {
        if (isLocked) throw new AuthError('POLICY_DENIED');
        return true;
      },
    });
    const token = await cached(verifier);
    isLocked = true;
    expect(await outcomeOf(verifier.verify(token))).toBe('POLICY_DENIED');
  });
});

describe('A rejected token', () => {
  it('is never cached, and evicts no cached token', async () => {
    const verifier = verifierWith({ tokenCache: { maxEntries: 1 } });
    const token = await cached(verifier);
    const before = keySet.verified;
    const misdirected = tokenWith({ aud: 'other' });
    for (let index = 0; index < 25; index += 1) {
      const forged = tokenWith({ jti: String(index) }, newKey('ed25519'));
      expect(await outcomeOf(verifier.verify(forged))).toBe('SIGNATURE_INVALID');
      expect(await outcomeOf(verifier.verify(misdirected))).toBe('AUDIENCE_MISMATCH');
    }
    await verifier.verify(token);
    expect(keySet.verified).toBe(before + 50);
  });
});

describe('TokenCache', () => {
  const claims = { sub: 'alice' };
  const authorities = new Authorities({
    claimPaths: { scopes: [], roles: [], permissions: [] },
    scopeImplications: new Map(),
  });
  const entry = { header: { alg: 'RS256' }, claims, keySet: new KeySet([]), authorities, verifiedAt: START };
  const remember = (cache: TokenCache, token: string, times = 2) => {
    for (let turn = 0; turn < times; turn += 1) cache.remember(token, entry);
  };
  const digest = (index: number) => createHash('sha256').update(String(index)).digest('hex');

  it('finds no other token with the same end', () => {
    const cache = new TokenCache({ maxEntries: 10, maxAgeSeconds: 60 });
    const token = `${'a'.repeat(100)}.${'b'.repeat(100)}.${'c'.repeat(86)}`;
    remember(cache, token);
    expect(cache.find(token, START)).toBe(entry);
    for (const other of [`b${token.slice(1)}`, token.slice(1), `${token} `, token.toUpperCase(), ''])
      expect(cache.find(other, START)).toBeUndefined();
  });

  it('finds nothing if the clock returns NaN', () => {
    const cache = new TokenCache({ maxEntries: 10, maxAgeSeconds: 60 });
    remember(cache, 'token');
    expect(cache.find('token', NaN)).toBeUndefined();
  });

  it('evicts the least recently used token, and stores no token that is used once', () => {
    const cache = new TokenCache({ maxEntries: 3, maxAgeSeconds: 60 });
    for (const token of ['a', 'b', 'c']) remember(cache, token);
    remember(cache, 'once', 1);
    cache.find('a', START);
    remember(cache, 'd');
    const found = ['a', 'b', 'c', 'd', 'once'].filter((token) => cache.find(token, START) !== undefined);
    expect(found).toEqual(['a', 'c', 'd']);
  });

  it('stores `maxEntries` tokens that are used in turn', () => {
    const cache = new TokenCache({ maxEntries: 1_000, maxAgeSeconds: 60 });
    const tokens = Array.from({ length: 1_000 }, (_value, index) => digest(index));
    for (let turn = 0; turn < 3; turn += 1)
      for (const token of tokens) if (cache.find(token, START) === undefined) cache.remember(token, entry);
    expect(tokens.filter((token) => cache.find(token, START) === undefined)).toEqual([]);
  });

  // The bytes that V8 needs for such claims, of 24,000 characters of JSON, measured with Node 20.
  it.each([
    ['empty objects, the largest for their text', 512_000, 8_000, () => ({})],
    ['arrays in arrays', 556_000, 2_400, () => [[[[1]]]]],
    ['objects with names of their own', 372_000, 2_000, (index: number) => ({ [`x${String(index)}`]: 1 })],
    ['objects with numbers as names', 480_000, 3_000, () => ({ 9: 1 })],
    ['a list of groups', 43_000, 600, (index: number) => digest(index).slice(0, 36)],
    ['one text', 24_000, 1, () => 'x'.repeat(24_000)],
    ['a list of scopes, which is split', 280_000, 1, () => 'ab '.repeat(8_000)],
  ])('stores 6 KiB of memory per entry on average: fewer tokens with %s', (_what, bytes, items, item) => {
    const cache = new TokenCache({ maxEntries: 1_000, maxAgeSeconds: 60 });
    const large = { ...entry, claims: { list: Array.from({ length: items }, (_value, index) => item(index)) } };
    const fitting = (1_000 * 6 * 1024) / bytes;
    const tokens = Array.from({ length: 3 * fitting }, (_value, index) => digest(index));
    for (const token of tokens) for (let turn = 0; turn < 2; turn += 1) cache.remember(token, large);
    const found = tokens.filter((token) => cache.find(token, START) !== undefined);
    expect(found.length).toBeLessThanOrEqual(fitting);
    expect(found.length).toBeGreaterThan(fitting / 4);
    expect(found.at(-1)).toBe(tokens.at(-1));
  });

  it('limits what it stores of headers as well', () => {
    const cache = new TokenCache({ maxEntries: 10, maxAgeSeconds: 60 });
    const large = { ...entry, header: { alg: 'RS256', list: Array.from({ length: 8_000 }, () => ({})) } };
    for (let index = 0; index < 20; index += 1)
      for (let turn = 0; turn < 2; turn += 1) cache.remember(digest(index), large);
    const found = Array.from({ length: 20 }, (_value, index) => cache.find(digest(index), START) !== undefined);
    expect(found.filter(Boolean).length).toBeLessThan(10);
  });

  it('keeps the texts and claims of recent tokens within 16 MiB', () => {
    const cache = new TokenCache({ maxEntries: 10_000, maxAgeSeconds: 60 });
    const claimsOf = () => ({ iss: ISSUER, list: Array.from({ length: 8_000 }, () => ({})) });
    const large = { ...entry, claims: claimsOf(), issuer: {} as TrustedIssuer, demand: NO_DEMAND };
    const tokens = Array.from({ length: 100 }, (_value, index) => digest(index));
    cache.findRecent('none', START);
    for (const token of tokens) cache.rememberRecent({ ...large, verified: { token } as VerifiedAccessToken });
    const found = tokens.filter((token) => cache.findRecent(token, START) !== undefined);
    expect(found.length).toBeGreaterThan(10);
    expect(found.length).toBeLessThan(32);
  });

  it('removes tokens that are too old or expired when another token is received, although nobody sends them', () => {
    const cache = new TokenCache({ maxEntries: 10_000, maxAgeSeconds: 3_600 });
    const { entries } = cache as unknown as { entries: Map<string, unknown> };
    const at = (seconds: number) => START + seconds * 1000;
    const short = { ...entry, claims: { exp: START / 1000 + 60 } };
    for (let index = 0; index < 100; index += 1) remember(cache, digest(index));
    for (let index = 100; index < 150; index += 1)
      for (let turn = 0; turn < 2; turn += 1) cache.remember(digest(index), short);
    // Two searches of all entries, because one may be in progress.
    const sizeAfter = (seconds: number) => {
      for (let more = 0; more <= 200; more += 5) cache.findRecent('another', at(seconds + more));
      return entries.size;
    };
    expect(sizeAfter(100)).toBe(150);
    expect(sizeAfter(360)).toBe(100);
    expect(sizeAfter(3_390)).toBe(100);
    expect(sizeAfter(3_600)).toBe(0);
  });

  it('contains no token in memory', () => {
    const cache = new TokenCache({ maxEntries: 10, maxAgeSeconds: 60 });
    const token = randomUUID();
    remember(cache, token);
    const { entries } = cache as unknown as { entries: { dump(): unknown } };
    expect(JSON.stringify(entries.dump())).not.toContain(token);
  });
});

describe('SeenTokenFilter', () => {
  it.each([1, 3, 100, 10_000_000])(
    'with %d entries remembers a token, and forgets it after many others',
    (maxEntries) => {
      const filter = new SeenTokenFilter(maxEntries);
      filter.add('first');
      expect([filter.has('first'), filter.has('second')]).toEqual([true, false]);
      if (maxEntries > 100) return;
      for (let index = 0; index < 6 * maxEntries; index += 1) filter.add(`${'x'.repeat(20)}${String(index)}`);
      expect(filter.has('first')).toBe(false);
    },
  );

  it.each([
    [100, 4096],
    [1_000, 32_768],
    [10_000_000, 67_108_864],
  ])('has for %d entries %d bits, so that false positives are rare', (maxEntries, bits) => {
    const filter = new SeenTokenFilter(maxEntries) as unknown as { current: Uint8Array };
    expect(filter.current.length * 8).toBe(bits);
  });
});
