// Compares one node:cluster worker with one worker per processor core. The workers share no state.
import { availableParallelism } from 'node:os';
import { Load, Servers } from './cluster/servers.mjs';
import { inRounds, median, ratioTo } from './rounds.mjs';
import { newKey, newToken } from './tokens.mjs';

export const title = 'Several processes';

const CONNECTIONS = 32;
/** Connections per worker. */
const CONNECTIONS_PACED = 8;
const PER_SECOND_PACED = 2_000;
const KINDS = ['floor', 'fresh', 'again'];

export async function measure({ isQuick, log }) {
  const sizes = isQuick
    ? { rounds: 3, seconds: 0.5, loopRounds: 3, loopMs: 100 }
    : { rounds: 5, seconds: 1.5, loopRounds: 7, loopMs: 300 };
  const most = Math.max(2, availableParallelism());
  const key = newKey('RS256');
  const clusters = [];
  const load = new Load();
  try {
    log('start');
    for (const workers of [1, most]) clusters.push(await Servers.start(workers, key));
    log('verifications without HTTP');
    const loops = await loopsOf(clusters, sizes);
    log('requests');
    const requests = await requestsOf(clusters, load, newToken(key).token, sizes);
    return {
      sizes,
      loops,
      requests,
      figures: {
        processes: most,
        verificationsGrowth: loops.fresh.growth,
        repeatedVerificationsGrowth: loops.again.growth,
        floorGrowth: loops.floor.growth,
        verificationsPerCpuGrowth: loops.fresh.perCpuGrowth,
        cpuPerRequestGrowth: requests.paced.cpuGrowth,
        throughputGrowth: requests.fast.growth,
        requestsPerCpuSecond: 1e6 / requests.fast.one.cpuMicros,
      },
    };
  } finally {
    await Promise.allSettled([load, ...clusters].map((process) => process.stop()));
  }
}

/** Measures verifications without HTTP, so that the load generator does not compete for the cores. */
async function loopsOf([one, many], { loopRounds, loopMs }) {
  const runs = {};
  for (const kind of KINDS) {
    runs[`${kind}, one`] = () => one.verify(kind, loopMs);
    runs[`${kind}, many`] = () => many.verify(kind, loopMs);
  }
  // Warms up the JIT compiler.
  await inRounds(2, runs);
  const figures = await inRounds(loopRounds, runs);
  const result = (kind) => {
    const all = (name, figure) => figures[`${kind}, ${name}`].map((round) => round[figure]);
    const [one, many] = [all('one', 'perSecond'), all('many', 'perSecond')];
    return {
      one: median(one),
      many: median(many),
      growth: ratioTo(one, many),
      perCpuSecond: median(all('many', 'perCpuSecond')),
      perCpuGrowth: ratioTo(all('one', 'perCpuSecond'), all('many', 'perCpuSecond')),
    };
  };
  return Object.fromEntries(KINDS.map((kind) => [kind, result(kind)]));
}

/**
 * Measures requests at full speed, and at a fixed rate per worker. Only the fixed rate allows a comparison of the CPU time
 * per request: a worker below its capacity processes fewer requests per wake-up, so that each request costs more.
 */
async function requestsOf(clusters, load, token, { rounds, seconds }) {
  const cpuOf = async (servers, request) => {
    const before = await servers.cpuSeconds();
    const { answered, seconds: took } = await load.run({ url: servers.url, token, seconds, ...request });
    const cpu = (await servers.cpuSeconds()) - before;
    return { perSecond: answered / took, cpuMicros: (cpu * 1e6) / answered, processors: cpu / took };
  };
  const runs = {};
  for (const servers of clusters) {
    const { workers } = servers;
    runs[`fast, ${workers}`] = () => cpuOf(servers, { connections: CONNECTIONS });
    const paced = { connections: CONNECTIONS_PACED * workers, perSecond: PER_SECOND_PACED * workers };
    runs[`paced, ${workers}`] = () => cpuOf(servers, paced);
  }
  await inRounds(1, runs);
  const figures = await inRounds(rounds, runs);
  const all = (name, figure) => figures[name].map((round) => round[figure]);
  const [one, many] = clusters.map(({ workers }) => workers);
  const compare = (load) => ({
    ...Object.fromEntries(
      Object.entries({ one: `${load}, ${one}`, many: `${load}, ${many}` }).map(([name, run]) => [
        name,
        {
          perSecond: median(all(run, 'perSecond')),
          cpuMicros: median(all(run, 'cpuMicros')),
          processors: median(all(run, 'processors')),
        },
      ]),
    ),
    growth: ratioTo(all(`${load}, ${one}`, 'perSecond'), all(`${load}, ${many}`, 'perSecond')),
    cpuGrowth: ratioTo(all(`${load}, ${one}`, 'cpuMicros'), all(`${load}, ${many}`, 'cpuMicros')),
  });
  return { fast: compare('fast'), paced: compare('paced') };
}
