// What a verification, and the memory, cost with ever more distinct tokens, while the cache keeps as many as it does by default.
import { createECDH, hash, randomBytes } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { median } from '../rounds.mjs';
import { claimsOf, newToken } from '../tokens.mjs';
import { memory } from './memory.mjs';
import { startVerifierOf } from './verifier.mjs';

/** Tokens are made in batches, and forgotten after their turn: what stays in memory is the verifier's. */
const BATCH = 5_000;
const WARM_UP_TOKENS = 2_000;

/**
 * All tokens of a size come in the same order in each pass, which is the worst that can happen to a cache that is too small.
 * @param passes for a size how many of its tokens come in each pass.
 */
export async function measureDistinctTokens(key, sizes, passes, log) {
  const tokenAt = numberedTokens(key);
  const floorMicros = await warmUp(key, tokenAt);
  const results = [];
  for (const size of sizes) {
    log(`${size} distinct tokens`);
    results.push({ size, ...(await measureSize(key, tokenAt, passes(size), floorMicros)) });
  }
  return { floorMicros, results };
}

async function measureSize(key, tokenAt, passes, floorMicros) {
  const seen = passes.map((count) => ({ count, hits: 0, histogram: createHistogram() }));
  const before = memory();
  const { verifier, close } = await startVerifierOf(key);
  // Whatever takes less than half of what its signature alone would take was not verified again.
  const hitNanoseconds = (floorMicros * 1000) / 2;
  try {
    for (const pass of seen) {
      for (let from = 0; from < pass.count; from += BATCH) {
        await verifyBatch(verifier, tokenAt, from, Math.min(BATCH, pass.count - from), pass, hitNanoseconds);
      }
    }
    const grown = memory() - before;
    return { grown, passes: seen.map(summary) };
  } finally {
    await close();
  }
}

/** A function of its own, so that nothing of it is still alive when the memory is measured. */
async function verifyBatch(verifier, tokenAt, from, count, pass, hitNanoseconds) {
  const tokens = Array.from({ length: count }, (_, index) => tokenAt(from + index));
  for (const token of tokens) {
    const start = process.hrtime.bigint();
    await verifier.verify(token);
    const nanoseconds = Number(process.hrtime.bigint() - start);
    pass.histogram.record(nanoseconds);
    if (nanoseconds < hitNanoseconds) pass.hits += 1;
  }
}

function summary({ count, hits, histogram }) {
  const micros = (percentile) => histogram.percentile(percentile) / 1000;
  return { count, p50: micros(50), p99: micros(99), hitRatio: hits / count };
}

async function warmUp(key, tokenAt) {
  const { verifier, close } = await startVerifierOf(key);
  for (let index = 0; index < WARM_UP_TOKENS; index += 1) await verifier.verify(tokenAt(index));
  // Compiled as it will run: with some that are known, too.
  for (let time = 0; time < 20; time += 1)
    for (let index = 0; index < 100; index += 1) await verifier.verify(tokenAt(index));
  await close();
  const floors = Array.from({ length: 200 }, () => {
    const { floor } = newToken(key);
    const start = process.hrtime.bigint();
    floor();
    return Number(process.hrtime.bigint() - start) / 1000;
  });
  return median(floors);
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Makes of a number a token, always the same one, and ten times as fast as `crypto.sign`: so a million of them need not be kept,
 * but can be made again. The signatures are good ones, with one nonce for all of them. Whoever sees two of them can work out the
 * private key: which here is nobody's.
 */
function numberedTokens({ kid, privateKey }) {
  const { d } = privateKey.export({ format: 'jwk' });
  const secret = toBigInt(Buffer.from(d, 'base64url').toString('hex'));
  const nonce = randomBytes(32).fill(1, 0, 1);
  const point = createECDH('prime256v1');
  point.setPrivateKey(nonce);
  const r = point.getPublicKey('hex', 'uncompressed').slice(2, 66);
  const inverse = inverseOf(toBigInt(nonce.toString('hex')));
  const rTimesSecret = (toBigInt(r) * secret) % P256_ORDER;

  const encode = (text) => Buffer.from(text, 'latin1').toString('base64url');
  const header = encode(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }));
  const place = 'the-number';
  const [start, end] = JSON.stringify(claimsOf(undefined, { jti: place })).split(place);
  return (number) => {
    const input = `${header}.${encode(`${start}${String(number).padStart(36, '0')}${end}`)}`;
    const s = (inverse * (toBigInt(hash('sha256', input, 'hex')) + rTimesSecret)) % P256_ORDER;
    const signature = Buffer.from(`${r}${s.toString(16).padStart(64, '0')}`, 'hex').toString('base64url');
    // One flat string, as it comes from the network.
    return Buffer.from(`${input}.${signature}`, 'latin1').toString('latin1');
  };
}

function toBigInt(hex) {
  return BigInt(`0x${hex}`);
}

/** By Fermat: the order is a prime. */
function inverseOf(value) {
  let [result, base, exponent] = [1n, value % P256_ORDER, P256_ORDER - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P256_ORDER;
    base = (base * base) % P256_ORDER;
  }
  return result;
}
