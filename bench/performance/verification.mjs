// Measures the verification of fresh and of repeated tokens, compared with a baseline: the signature and parsing the
// claims.
import { createServer } from 'node:http';
import { inRounds, median, microsecondsEach, ratioTo } from './rounds.mjs';
import { ALGORITHMS, newKey, newToken, newTokens } from './tokens.mjs';
import { CONTENDERS } from './verification/contenders.mjs';

export const title = 'Verification';

export async function measure({ isQuick, log }) {
  const sizes = isQuick ? { rounds: 9, tokens: 100, warmUp: 250 } : { rounds: 31, tokens: 200, warmUp: 1_000 };
  const algorithms = {};
  for (const algorithm of Object.keys(ALGORITHMS)) {
    log(algorithm);
    // The first algorithm needs a longer warm-up, because it also compiles the code shared by all algorithms.
    const warmUp = Object.keys(algorithms).length === 0 ? 10 * sizes.warmUp : sizes.warmUp;
    algorithms[algorithm] = await measureOne(newKey(algorithm), { ...sizes, warmUp });
  }
  return {
    sizes,
    algorithms,
    figures: figuresOf(algorithms),
  };
}

async function measureOne(key, { rounds, tokens, warmUp }) {
  const server = await serveKeys(key);
  try {
    const contenders = [];
    for (const contender of CONTENDERS) {
      const { algorithms = [key.algorithm], start } = contender;
      if (!algorithms.includes(key.algorithm)) continue;
      const verify = await start(key, { jwksUri: `http://127.0.0.1:${server.address().port}/` });
      await mustRefuse(contender, verify, key);
      contenders.push({ ...contender, verify });
    }
    return await compare(contenders, { key, rounds, tokens, warmUp });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function compare(contenders, { key, rounds, tokens, warmUp }) {
  // Warms up with fresh tokens, because repeated tokens use a different code path.
  const some = newTokens(key, warmUp);
  for (const { floor } of some) floor();
  for (const { verify } of contenders) await microsecondsEach(some, ({ token }) => verify(token));
  let items = [];
  const timed = (run) => () => {
    for (const { touch } of items) touch();
    // Collects the garbage of the previous contender before the next one is timed.
    globalThis.gc?.({ type: 'minor' });
    return microsecondsEach(items, run);
  };
  const runs = { floor: timed(({ floor }) => floor()) };
  for (const { name, verify, again } of contenders) {
    const run = timed(({ token }) => verify(token));
    runs[name] = run;
    if (!again) continue;
    runs[againOf(name)] = async () => {
      // The cache stores a token when it arrives for the second time, so only the third pass is timed.
      await run();
      await run();
      return run();
    };
  }
  // Fresh and repeated tokens are measured separately; otherwise one run would fill the cache for the other.
  const fresh = Object.fromEntries(Object.entries(runs).filter(([name]) => !isAgain(name)));
  const again = Object.fromEntries(Object.entries(runs).filter(([name]) => isAgain(name) || name === 'floor'));
  const prepare = () => {
    items = newTokens(key, tokens);
  };
  return { ...summary(await inRounds(rounds, fresh, prepare)), ...onlyAgain(await inRounds(rounds, again, prepare)) };
}

const AGAIN = ', again';
const againOf = (name) => `${name}${AGAIN}`;
const isAgain = (name) => name.endsWith(AGAIN);

function summary(figures) {
  const { floor } = figures;
  return Object.fromEntries(
    Object.entries(figures).map(([name, rounds]) => [
      name,
      { microseconds: median(rounds), ratio: ratioTo(floor, rounds) },
    ]),
  );
}

const onlyAgain = (figures) => Object.fromEntries(Object.entries(summary(figures)).filter(([name]) => isAgain(name)));

/** Throws if a contender accepts a token with a wrong signature. */
async function mustRefuse({ name }, verify, key) {
  const stranger = newToken({ ...newKey(key.algorithm), kid: key.kid });
  const taken = await new Promise((resolve) => resolve(verify(stranger.token))).then(
    () => true,
    () => false,
  );
  if (taken) throw new Error(`${name} accepts a token signed with a wrong key`);
}

async function serveKeys({ jwk }) {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function figuresOf({ RS256, ES256, EdDSA }) {
  const ours = 'nestjs-resource-server';
  return {
    freshRS256: RS256[ours].ratio,
    freshES256: ES256[ours].ratio,
    freshEdDSA: EdDSA[ours].ratio,
    againRS256: RS256[againOf(ours)].ratio,
    fastJwtFreshRS256: RS256['fast-jwt'].ratio,
    awsJwtVerifyFreshRS256: RS256['aws-jwt-verify'].ratio,
    fastJwtCacheRS256: RS256[againOf('fast-jwt with its cache')].ratio,
  };
}
