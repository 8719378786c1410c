// Measures the throughput and the CPU time of guarded and unguarded routes. Each contender and the load generator run in
// separate processes. This process is idle during a measurement.
import { setTimeout as sleep } from 'node:timers/promises';
import { check } from './http/check.mjs';
import { Child } from './http/child.mjs';
import { contendersFor } from './http/contenders.mjs';
import { Issuer } from './http/issuer.mjs';
import { inRounds, median, ratioTo } from './rounds.mjs';
import { AUDIENCE, newKey } from './tokens.mjs';

export const title = 'Requests to a guarded route';

const CONNECTIONS = 20;

export async function measure({ isQuick, log }) {
  const sizes = isQuick
    ? { rounds: 2, seconds: 0.8, warmUpSeconds: 0.6, tokens: 1_500 }
    : { rounds: 5, seconds: 4, warmUpSeconds: 3, tokens: 12_000 };
  const key = newKey('RS256');
  const issuer = await Issuer.start(key);
  const children = [];
  const startChild = (script, args) => {
    const child = new Child(script, args);
    children.push(child);
    return child;
  };
  try {
    log(`signing ${sizes.tokens} tokens`);
    const pools = { repeated: issuer.newTokens(1), fresh: issuer.newTokens(sizes.tokens) };
    const load = startChild('load.mjs');
    await load.ask({ pools, connections: CONNECTIONS });
    log('starting the servers');
    const settings = { issuer: issuer.url, jwksUri: issuer.jwksUri, audience: AUDIENCE, jwk: key.jwk };
    const contenders = await Promise.all(
      contendersFor(sizes.tokens).map(async (contender) => {
        const server = startChild('server.mjs', [contender.file, { ...settings, ...contender.settings }]);
        return { ...contender, server, port: await server.ask('port') };
      }),
    );
    const figures = await compare(contenders, { issuer, load, pools, ...sizes, log });
    return { sizes, ...resultsOf(contenders, figures) };
  } finally {
    await Promise.all(children.map((child) => child.kill()));
    issuer.stop();
  }
}

async function compare(contenders, { issuer, load, pools, rounds, seconds, warmUpSeconds, log }) {
  log('checking and warming up');
  for (const contender of contenders) {
    await check(contender, { good: pools[contender.pool][0], stranger: issuer.strangersToken() });
    await underLoad(contender, load, warmUpSeconds);
  }
  const { calls } = issuer;
  let round = 0;
  const runs = Object.fromEntries(
    contenders.map((contender) => [contender.id, () => underLoad(contender, load, seconds)]),
  );
  const figures = await inRounds(rounds, runs, () => {
    round += 1;
    log(`round ${round} of ${rounds}`);
  });
  // A fetch of keys during a measurement would distort the result.
  if (issuer.calls !== calls) throw new Error('A contender fetched keys during the measurement');
  return figures;
}

async function underLoad({ id, server, port, pool }, load, seconds) {
  const before = await server.ask('cpu');
  const { answers, elapsedMs, problems } = await load.ask({ port, pool, seconds });
  const cpuMicroseconds = (await server.ask('cpu')) - before;
  if (problems.length > 0 || answers === 0)
    throw new Error(`${id} failed under load: ${problems.join(', ') || 'no answer'}`);
  // Waits until the server has finished the last requests, so that the next run starts idle.
  await sleep(20);
  return {
    requestsPerSecond: (answers * 1000) / elapsedMs,
    cpuMicroseconds: cpuMicroseconds / answers,
    busyCores: cpuMicroseconds / 1000 / elapsedMs,
  };
}

function resultsOf(contenders, figures) {
  const all = (id, figure) => figures[id].map((ofRound) => ofRound[figure]);
  const medianOf = (id, figure) => median(all(id, figure));
  const rows = contenders.map(({ id, name, group }) => {
    const base = contenders.find((other) => other.group === group && other.kind === 'base').id;
    return {
      name,
      group,
      requestsPerSecond: medianOf(id, 'requestsPerSecond'),
      cpuMicroseconds: medianOf(id, 'cpuMicroseconds'),
      ratio: ratioTo(all(base, 'requestsPerSecond'), all(id, 'requestsPerSecond')),
      // Requests per core are inversely proportional to the CPU time per request.
      cpuRatio: ratioTo(all(id, 'cpuMicroseconds'), all(base, 'cpuMicroseconds')),
      // Cores used by the server. Below 1, the load generator was the limit; above 1, other threads worked too.
      busyCores: medianOf(id, 'busyCores'),
    };
  });
  const cpu = (id) => all(id, 'cpuMicroseconds');
  const rowOf = (wanted) => rows[contenders.findIndex(({ id }) => id === wanted)];
  const [express, fastify] = [rowOf('nest-express/ours'), rowOf('nest-fastify/ours')];
  return {
    rows,
    figures: {
      expressRepeated: express.ratio,
      fastifyRepeated: fastify.ratio,
      expressOverTrivialGuard: ratioTo(cpu('nest-express/ours'), cpu('nest-express/trivial')),
      fastifyOverTrivialGuard: ratioTo(cpu('nest-fastify/ours'), cpu('nest-fastify/trivial')),
      expressRepeatedCpu: express.cpuRatio,
      fastifyRepeatedCpu: fastify.cpuRatio,
      expressFreshToRecipe: ratioTo(
        all('nest-express/recipe', 'requestsPerSecond'),
        all('nest-express/ours-fresh', 'requestsPerSecond'),
      ),
    },
  };
}
