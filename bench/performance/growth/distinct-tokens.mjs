// Measures the latency and the memory with a growing number of distinct tokens and the default size of the token cache.
import { createECDH, hash, randomBytes } from 'node:crypto';
import { createHistogram } from 'node:perf_hooks';
import { median } from '../rounds.mjs';
import { claimsOf, newToken } from '../tokens.mjs';
import { memory } from './memory.mjs';
import { startVerifierOf } from './verifier.mjs';

/** Tokens are created in batches and released after use, so that only the memory of the verifier remains. */
const BATCH = 5_000;
const WARM_UP_TOKENS = 2_000;

/**
 * Each pass sends the tokens in the same order, the worst case for a cache that is too small.
 * @param passes returns the number of tokens in each pass for a size.
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
  // A hit is a call that takes less than half of the time of a signature verification.
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

/** A separate function, so that its tokens are unreachable when the memory is measured. */
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
  // Warms up the cached path too.
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
 * Returns a function that creates the same token for the same number, ten times as fast as `crypto.sign`. A million tokens
 * can be created again and need not be stored. The signatures are valid, but share one nonce: two of them reveal the private
 * key. That is acceptable here, because the key is only used in this benchmark.
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
    // A flat string, like a header from the network. Concatenation would create a rope that V8 flattens on first use.
    return Buffer.from(`${input}.${signature}`, 'latin1').toString('latin1');
  };
}

function toBigInt(hex) {
  return BigInt(`0x${hex}`);
}

/** Computes the modular inverse with Fermat's little theorem; the order is prime. */
function inverseOf(value) {
  let [result, base, exponent] = [1n, value % P256_ORDER, P256_ORDER - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P256_ORDER;
    base = (base * base) % P256_ORDER;
  }
  return result;
}
