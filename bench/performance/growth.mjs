// What a verification costs as things grow: issuers, their keys, the tokens, and how many of them there are. No network.
import { measureDistinctTokens } from './growth/distinct-tokens.mjs';
import { measureIssuersAndKeys } from './growth/issuers-and-keys.mjs';
import { measureTokenSizes } from './growth/token-size.mjs';
import { newKey } from './tokens.mjs';

export const title = 'What grows, and what does not';

const SIZES = [
  [1, 1],
  [10, 1],
  [50, 1],
  [200, 1],
  [1, 10],
  [1, 100],
  [200, 100],
];
const EXTREMES = [SIZES.at(0), SIZES.at(-1)];
const CACHE_ENTRIES = 10_000;
const MILLION = 1_000_000;
/** Of more tokens than this there is no time for a second whole pass. */
const MAX_WHOLE_PASSES = 100_000;

export async function measure({ isQuick, log }) {
  const sizes = isQuick
    ? { rounds: 5, tokens: 100, rsaKeys: 5, tokensOfSize: 25 }
    : { rounds: 15, tokens: 300, rsaKeys: 10, tokensOfSize: 80 };
  const { rsaKeys, tokensOfSize, ...perRound } = sizes;

  log('issuers and keys, ES256');
  const ES256 = await measureIssuersAndKeys(newKeys('ES256', 100), SIZES, perRound);
  log('issuers and keys, RS256');
  const rsa = newKeys('RS256', rsaKeys);
  const RS256 = await measureIssuersAndKeys(rsa, EXTREMES, perRound);
  log('token sizes');
  const tokenSizes = await measureTokenSizes(rsa[0], [1, 2, 4, 8, 16], { ...perRound, tokens: tokensOfSize });
  const counts = isQuick ? [10, 1_000, 10_000, 20_000] : [10, 1_000, 10_000, 100_000, MILLION];
  const distinct = await measureDistinctTokens(newKey('ES256'), counts, passesOf, log);

  return {
    sizes,
    issuersAndKeys: { ES256, RS256 },
    tokenSizes,
    distinct,
    tables: [
      issuersTable(ES256, 'ES256', 100),
      issuersTable(RS256, 'RS256', rsaKeys),
      sizesTable(tokenSizes),
      distinctTable(distinct),
    ],
    chart: chartOf(ES256),
    figures: figuresOf({ ES256, RS256, tokenSizes, distinct }),
  };
}

function newKeys(algorithm, count) {
  return Array.from({ length: count }, () => newKey(algorithm));
}

/** What fits into the cache is known from the third time on. */
function passesOf(size) {
  if (size <= CACHE_ENTRIES) return [size, size, size];
  return [size, size <= MAX_WHOLE_PASSES ? size : 2 * CACHE_ENTRIES];
}

const micros = (value) => `${value.toFixed(1)} µs`;
const times = (value) => `${value.toFixed(2)}×`;
const count = (value) => value.toLocaleString('en');
const percent = (value) => `${(100 * value).toFixed(1)} %`;
const MIB = 2 ** 20;

function issuersTable(results, algorithm, distinctKeys) {
  return {
    caption:
      `${algorithm}: issuers and the keys of each, in multiples of one issuer with one key. Every key has a name and an object ` +
      `of its own (${distinctKeys} distinct key pairs are used again by all issuers); the floor has as many objects`,
    head: [
      'issuers',
      'keys each',
      'start',
      'memory',
      'floor',
      '',
      'fresh',
      '',
      'over the floor',
      'p50',
      'p99',
      'again',
      '',
    ],
    rows: results.map((row) => [
      count(row.issuers),
      count(row.keys),
      `${row.startMs.toFixed(0)} ms`,
      `${(row.grown / MIB).toFixed(1)} MiB`,
      micros(row.floor),
      times(row.floorGrowth),
      micros(row.fresh),
      times(row.freshGrowth),
      times(row.freshGrowthOverFloor),
      micros(row.p50),
      micros(row.p99),
      micros(row.repeated),
      times(row.repeatedGrowth),
    ]),
  };
}

function sizesTable(results) {
  return {
    caption: 'The size of a token (RS256), with the ratio to the floor of that size',
    head: ['token', 'floor', 'fresh', '', 'p50', 'p99', 'again', '', 'memory, cached'],
    rows: results.map(({ kib, floor, fresh, freshRatio, p50, p99, repeated, repeatedRatio, bytesPerCachedToken }) => [
      `${kib} KiB`,
      micros(floor),
      micros(fresh),
      times(freshRatio),
      micros(p50),
      micros(p99),
      micros(repeated),
      times(repeatedRatio),
      `${(bytesPerCachedToken / 1024).toFixed(1)} KiB`,
    ]),
  };
}

function distinctTable({ results }) {
  return {
    caption:
      `Distinct tokens (ES256) that come in turn, through a cache of ${count(CACHE_ENTRIES)}. A token is kept from its second ` +
      'time on. A hit is what took less than half of the time of a signature; memory is heap and external after a collection',
    head: ['tokens', 'pass', 'p50', 'p99', 'hits', 'memory grew by'],
    rows: results.flatMap(({ size, grown, passes }) =>
      passes.map((pass, index) => [
        index === 0 ? count(size) : '',
        pass.count === size ? `${index + 1}` : `${index + 1}, the first ${count(pass.count)}`,
        micros(pass.p50),
        pass.count < 100 ? '–' : micros(pass.p99),
        percent(pass.hitRatio),
        index === passes.length - 1 ? `${(grown / MIB).toFixed(2)} MiB` : '',
      ]),
    ),
  };
}

function chartOf(results) {
  return {
    title: 'ES256, a fresh token',
    unit: '× one issuer with one key',
    bars: results.flatMap(({ issuers, keys, freshGrowth, floorGrowth }) => {
      const label = `${issuers} issuer${issuers === 1 ? '' : 's'}, ${keys} key${keys === 1 ? '' : 's'} each`;
      return [
        { label, value: freshGrowth, kind: 'ours' },
        { label: `${label}: crypto.verify alone`, value: floorGrowth, kind: 'base' },
      ];
    }),
  };
}

function figuresOf({ ES256, RS256, tokenSizes, distinct }) {
  const most = ES256.at(-1);
  const mostRsa = RS256.at(-1);
  const of = (size) => distinct.results.find((result) => result.size === size);
  const [few, full, largest] = [distinct.results[0], of(CACHE_ENTRIES), distinct.results.at(-1)];
  return {
    issuersAndKeysFresh: most.freshGrowth,
    issuersAndKeysFreshOverFloor: most.freshGrowthOverFloor,
    issuersAndKeysRepeated: most.repeatedGrowth,
    issuersAndKeysFreshRS256: mostRsa.freshGrowth,
    issuersAndKeysFreshOverFloorRS256: mostRsa.freshGrowthOverFloor,
    issuersAndKeysRepeatedRS256: mostRsa.repeatedGrowth,
    fresh16KiBOverFloor: tokenSizes.at(-1).freshRatio,
    repeated16KiBOverFloor: tokenSizes.at(-1).repeatedRatio,
    hitRatioOfFullCache: full.passes.at(-1).hitRatio,
    bytesPerCachedToken: (full.grown - few.grown) / (full.size - few.size),
    distinctTokensAtMost: largest.size,
    heapMiBAtMost: largest.grown / MIB,
    ...(largest.size === MILLION && { heapMiBAtMillion: largest.grown / MIB }),
  };
}
