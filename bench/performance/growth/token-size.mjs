// Measures verification with large tokens, for example with a claim that lists every group of the user.
import { randomBytes } from 'node:crypto';
import { inRounds, median, microsecondsEach, ratioTo } from '../rounds.mjs';
import { claimsOf, ISSUER, newToken } from '../tokens.mjs';
import { latencyOf } from './latency.mjs';
import { memory } from './memory.mjs';
import { startVerifierOf } from './verifier.mjs';

const WARM_UP_ROUNDS = 10;

export async function measureTokenSizes(key, sizesKiB, { rounds, tokens }) {
  const { verifier, close } = await startVerifierOf(key);
  try {
    const items = {};
    const prepare = () => {
      for (const size of sizesKiB)
        items[size] = Array.from({ length: tokens }, () => newToken(key, paddedClaims(key, size)));
    };
    const ours = (size) => microsecondsEach(items[size], ({ token }) => verifier.verify(token));
    const floor = (size) => microsecondsEach(items[size], (item) => item.floor());
    prepare();
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
      for (const size of sizesKiB) {
        await floor(size);
        await ours(size);
      }
    }
    const runs = {};
    for (const size of sizesKiB) {
      runs[`${size}, floor`] = () => floor(size);
      runs[size] = () => ours(size);
    }
    const fresh = await inRounds(rounds, runs, prepare);
    // Repeats the tokens of the last round. The cache stores a token when it arrives for the second time.
    for (const size of sizesKiB) await ours(size);
    for (const size of sizesKiB) await ours(size);
    const again = await inRounds(rounds, runs);
    const more = {};
    for (const size of sizesKiB) more[size] = await latencyAndMemory(key, size);
    return sizesKiB.map((size) => ({
      ...more[size],
      kib: size,
      length: Math.round(median(items[size].map(({ token }) => token.length))),
      floor: median(fresh[`${size}, floor`]),
      fresh: median(fresh[size]),
      freshRatio: ratioTo(fresh[`${size}, floor`], fresh[size]),
      repeated: median(again[size]),
      repeatedRatio: ratioTo(again[`${size}, floor`], again[size]),
    }));
  } finally {
    await close();
  }
}

const SAMPLES = 500;

/** Measures the latency of single fresh tokens, and the bytes per cached token. */
async function latencyAndMemory(key, size) {
  const { verifier, close } = await startVerifierOf(key);
  const verifyAll = async () => {
    const tokens = Array.from({ length: SAMPLES }, () => newToken(key, paddedClaims(key, size)));
    const latency = await latencyOf(tokens, ({ token }) => verifier.verify(token));
    for (const { token } of tokens) await verifier.verify(token);
    return latency;
  };
  const before = memory();
  const latency = await verifyAll();
  const bytesPerCachedToken = (memory() - before) / SAMPLES;
  await close();
  return { ...latency, bytesPerCachedToken };
}

/** Returns claims for a token of approximately this size. */
function paddedClaims(key, kib) {
  const { permissions, 'https://example.com/tenant': tenant, ...few } = claimsOf(ISSUER);
  const claims = kib > 1 ? { ...few, permissions, 'https://example.com/tenant': tenant } : few;
  const bytes = (kib * 1024 - lengthWith(key, claims)) * (3 / 4);
  const groups = Array.from({ length: Math.max(0, Math.floor(bytes / GROUP_BYTES)) }, newGroup);
  return { ...claims, groups };
}

const newGroup = () => `group-${randomBytes(4).toString('hex')}`;
const GROUP_BYTES = JSON.stringify(newGroup()).length + 1;

const lengths = new Map();

/** Returns the length of a token with these claims and no groups. */
function lengthWith(key, claims) {
  const names = Object.keys(claims).join();
  if (!lengths.has(names)) lengths.set(names, newToken(key, { ...claims, groups: [] }).token.length);
  return lengths.get(names);
}
