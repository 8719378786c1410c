import { describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { KeySet } from '../../../src/keys/key-set.js';
import { Authorities } from '../../../src/token/authorities.js';
import { TokenCache } from '../../../src/token/token-cache.js';

const keySet = new KeySet([]);
const claims = { sub: 'alice' };
const grants = new Authorities(claims, { scopes: [], roles: [], permissions: [] });
const entryAt = (verifiedAt: number) => ({ header: { alg: 'RS256' }, claims, keySet, grants, verifiedAt });
const NOW = 1_000_000;

function cacheOf(maxEntries = 10, maxAgeSeconds = 60) {
  return new TokenCache({ maxEntries, maxAgeSeconds });
}

/** Verified twice: from then on it is remembered. */
function rememberTwice(cache: TokenCache, token: string, verifiedAt = NOW): void {
  cache.remember(token, entryAt(verifiedAt));
  cache.remember(token, entryAt(verifiedAt));
}

describe('TokenCache', () => {
  it('knows a token from the second time on that it was verified, so that what comes once costs nothing', () => {
    const cache = cacheOf();
    expect(cache.find('token', NOW)).toBeUndefined();
    cache.remember('token', entryAt(NOW));
    expect(cache.find('token', NOW)).toBeUndefined();
    cache.remember('token', entryAt(NOW));
    expect(cache.find('token', NOW)).toEqual(entryAt(NOW));
  });

  it('knows no other token, however alike', () => {
    const cache = cacheOf();
    const token = `${'a'.repeat(100)}.${'b'.repeat(100)}.${'c'.repeat(86)}`;
    rememberTwice(cache, token);
    // The same end, which is all that the first glance looks at.
    for (const other of [`b${token.slice(1)}`, token.slice(1), `${token} `, token.toUpperCase(), '']) {
      expect(cache.find(other, NOW)).toBeUndefined();
    }
  });

  it('keeps an entry for maxAgeSeconds since it was verified, and not when the clock was set back', () => {
    const cache = cacheOf(10, 60);
    rememberTwice(cache, 'token');
    expect(cache.find('token', NOW + 59_999)).toBeDefined();
    expect(cache.find('token', NOW + 60_000)).toBeUndefined();
    expect(cache.find('token', NOW - 1)).toBeUndefined();
    expect(cache.find('token', NaN)).toBeUndefined();
  });

  it('keeps maxEntries, and drops what was used least', () => {
    const cache = cacheOf(3);
    const tokens = ['a', 'b', 'c', 'd'] as const;
    for (const token of tokens.slice(0, 3)) rememberTwice(cache, token);
    cache.find(tokens[0], NOW);
    rememberTwice(cache, tokens[3]);
    expect(tokens.map((token) => cache.find(token, NOW) !== undefined)).toEqual([true, false, true, true]);
  });

  it('keeps as many as it may, also when each is used in turn with all others', () => {
    const cache = cacheOf(1_000);
    const tokens = Array.from({ length: 1_000 }, (_value, index) =>
      createHash('sha256').update(String(index)).digest('hex'),
    );
    for (let turn = 0; turn < 3; turn += 1) {
      for (const token of tokens) if (cache.find(token, NOW) === undefined) cache.remember(token, entryAt(NOW));
    }
    expect(tokens.filter((token) => cache.find(token, NOW) === undefined)).toEqual([]);
  });

  it('is not filled by tokens that come once, however many there are', () => {
    const cache = cacheOf(10);
    rememberTwice(cache, 'token that comes again');
    let stored = 0;
    for (let index = 0; index < 10_000; index += 1) {
      const token = createHash('sha256').update(String(index)).digest('hex');
      cache.remember(token, entryAt(NOW));
      if (cache.find(token, NOW) !== undefined) stored += 1;
      cache.find('token that comes again', NOW);
    }
    // A few are taken for others that were seen before.
    expect(stored).toBeLessThan(2_500);
  });

  it.each([1, 2, 3, 10_000_000])(
    'has a table of sightings for %d entries that is neither empty nor without end',
    (size) => {
      const cache = cacheOf(size);
      rememberTwice(cache, 'token');
      expect(cache.find('token', NOW)).toBeDefined();
    },
  );

  it('holds no token: neither as a key nor as a value', () => {
    const cache = cacheOf();
    const token = randomUUID();
    rememberTwice(cache, token);
    const { entries } = cache as unknown as { entries: { dump(): unknown } };
    expect(JSON.stringify(entries.dump())).not.toContain(token);
  });

  it.each([undefined, null, 7, {}, 'x'.repeat(32_769)])('knows nothing of what is no token', (token) => {
    expect(cacheOf().find(token as string, NOW)).toBeUndefined();
  });
});
