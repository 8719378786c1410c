// Measures verification with many issuers, and with many keys in each key set.
import { createPublicKey, verify } from 'node:crypto';
import { inRounds, median, microsecondsEach, ratioTo } from '../rounds.mjs';
import { ALGORITHMS, AUDIENCE, claimsOf, newToken } from '../tokens.mjs';
import { latencyOf } from './latency.mjs';
import { memory } from './memory.mjs';
import { startVerifier } from './verifier.mjs';

/** Number of individually timed verifications for the percentiles. */
const LATENCIES = 1_000;

/** @param sizes pairs of the number of issuers and the number of keys per issuer. The first pair is the baseline. */
export async function measureIssuersAndKeys(keys, sizes, { rounds, tokens }) {
  const stages = [];
  try {
    for (const [issuers, keysEach] of sizes) stages.push(await Stage.start(keys, issuers, keysEach));
    for (const stage of stages) await stage.warmUp(tokens);
    // Each round uses new tokens, because their position in memory affects such short measurements.
    const prepare = () => {
      for (const stage of stages) stage.items = stage.next(tokens);
    };
    const fresh = await inRounds(rounds, { ...floorsOf(stages), ...runsOf(stages) }, prepare);
    const again = await inRounds(rounds, repeatedRunsOf(stages), prepare);
    for (const stage of stages) {
      stage.latency = await latencyOf(stage.next(LATENCIES), ({ token }) => stage.verifier.verify(token));
    }
    return stages.map((stage) => stage.result(stages[0], fresh, again));
  } finally {
    for (const stage of stages) await stage.close();
  }
}

const timed = (stage, run) => () => microsecondsEach(stage.items, run);
const floorOf = ({ name }) => `${name}, floor`;

function runsOf(stages) {
  return Object.fromEntries(
    stages.map((stage) => [stage.name, timed(stage, ({ token }) => stage.verifier.verify(token))]),
  );
}

/** Only the third pass hits the cache. The passes run back to back, so that all sizes find the same processor cache. */
function repeatedRunsOf(stages) {
  const thrice = (run) => async () => {
    await run();
    await run();
    return run();
  };
  return Object.fromEntries(Object.entries(runsOf(stages)).map(([name, run]) => [name, thrice(run)]));
}

function floorsOf(stages) {
  return Object.fromEntries(stages.map((stage) => [floorOf(stage), timed(stage, ({ floor }) => floor())]));
}

function withSignature(signature, { algorithm, kid, publicKey }, issuer) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode({ alg: algorithm, typ: 'at+jwt', kid })}.${encode(claimsOf(issuer))}`;
  const { hash, options } = ALGORITHMS[algorithm];
  return {
    token: `${input}.${signature}`,
    floor: () => verify(hash, Buffer.from(input), { key: publicKey, ...options }, Buffer.from(signature, 'base64url')),
  };
}

/** A verifier for a number of issuers, and the tokens of these issuers. */
class Stage {
  items = [];
  #count = 0;

  static async start(keys, issuers, keysEach) {
    const names = Array.from({ length: issuers }, (_, index) => `https://tenant-${index}.example.com/`);
    // Every key has its own kid and its own OpenSSL object. The baseline uses separate objects too; otherwise only the
    // baseline would find its keys in the processor cache.
    const sets = names.map((_, issuer) =>
      Array.from({ length: keysEach }, (_, index) => {
        const key = keys[index % keys.length];
        const kid = `key-${issuer}-${index}`;
        const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' });
        return { ...key, kid, publicKey, jwk: { ...key.jwk, kid } };
      }),
    );
    const before = memory();
    const startedAt = performance.now();
    const started = await startVerifier({
      issuers: names.map((issuer, index) => ({
        issuer,
        audience: AUDIENCE,
        keys: { from: 'static', jwks: { keys: sets[index].map(({ jwk }) => jwk) } },
      })),
    });
    const startMs = performance.now() - startedAt;
    return new Stage(names, sets, keysEach, { startMs, grown: memory() - before }, started);
  }

  constructor(issuers, sets, keysEach, { startMs, grown }, { verifier, close }) {
    Object.assign(this, { issuers, sets, keysEach, startMs, grown, verifier, close });
    this.name = `${issuers.length}×${keysEach}`;
  }

  /** Creates the next tokens. Cycles through all issuers and all their keys. */
  next(count) {
    return Array.from({ length: count }, () => {
      const issuer = this.#count % this.issuers.length;
      const key = Math.floor(this.#count / this.issuers.length) % this.keysEach;
      this.#count += 1;
      return newToken(this.sets[issuer][key], claimsOf(this.issuers[issuer]));
    });
  }

  /**
   * Uses every key once, because OpenSSL prepares a key on first use. An invalid signature is sufficient for that and saves
   * the time for signing.
   */
  async warmUp(tokens) {
    const [{ token: good }] = this.next(1);
    const signature = good.slice(good.lastIndexOf('.') + 1);
    for (const [index, set] of this.sets.entries()) {
      for (const key of set) {
        const { token, floor } = withSignature(signature, key, this.issuers[index]);
        floor();
        await this.verifier.verify(token).catch(() => undefined);
      }
    }
    for (let time = 0; time < 3; time += 1) {
      for (const { token, floor } of this.next(tokens)) {
        floor();
        await this.verifier.verify(token);
      }
    }
  }

  result(first, fresh, again) {
    const floor = (stage) => fresh[floorOf(stage)];
    const overFloor = (stage) => fresh[stage.name].map((figure, round) => figure / floor(stage)[round]);
    return {
      issuers: this.issuers.length,
      keys: this.keysEach,
      startMs: this.startMs,
      grown: this.grown,
      ...this.latency,
      floor: median(floor(this)),
      fresh: median(fresh[this.name]),
      repeated: median(again[this.name]),
      floorGrowth: ratioTo(floor(first), floor(this)),
      freshGrowth: ratioTo(fresh[first.name], fresh[this.name]),
      freshGrowthOverFloor: ratioTo(overFloor(first), overFloor(this)),
      repeatedGrowth: ratioTo(again[first.name], again[this.name]),
    };
  }
}
