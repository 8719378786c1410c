// Measures verification with more issuers, more keys, larger tokens and more distinct tokens, without network access.
import { measureDistinctTokens } from './growth/distinct-tokens.mjs';
import { measureIssuersAndKeys } from './growth/issuers-and-keys.mjs';
import { measureTokenSizes } from './growth/token-size.mjs';
import { newKey } from './tokens.mjs';

export const title = 'Growth';

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
/** With more tokens, the second pass is shorter, to limit the duration of the benchmark. */
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
    figures: figuresOf({ ES256, RS256, tokenSizes, distinct }),
  };
}

function newKeys(algorithm, count) {
  return Array.from({ length: count }, () => newKey(algorithm));
}

/** The cache stores a token when it arrives for the second time. Tokens that fit are hits from the third pass on. */
function passesOf(size) {
  if (size <= CACHE_ENTRIES) return [size, size, size];
  return [size, size <= MAX_WHOLE_PASSES ? size : 2 * CACHE_ENTRIES];
}

const MIB = 2 ** 20;

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
