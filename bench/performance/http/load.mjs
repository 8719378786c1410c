// The load generator, started by child.mjs. Runs in its own process, so that it does not use CPU time of the servers.
import { loadPeer } from '../../peers.mjs';

const autocannon = loadPeer('autocannon');
const BODY = '{"ok":true}';

process.on('disconnect', () => process.exit());
let connections;
/** The tokens of each connection in each pool, and the index of the next token. */
let shares;

process.on('message', async (question) =>
  process.send('pools' in question ? takePools(question) : await run(question)),
);

function takePools({ pools, connections: count }) {
  connections = count;
  shares = Object.fromEntries(Object.entries(pools).map(([name, tokens]) => [name, shared(tokens)]));
  return 'ready';
}

function shared(tokens) {
  const share = (first) => tokens.filter((_token, index) => index % connections === first);
  return Array.from({ length: connections }, (_none, connection) => ({
    tokens: tokens.length < connections ? tokens : share(connection),
    next: 0,
  }));
}

async function run({ port, pool, seconds }) {
  let connection = 0;
  let [answers, first, last] = [0, undefined, undefined];
  const setupClient = (client) => {
    const share = shares[pool][connection++];
    // Continues with the next token. After a restart from the first token, the cache could still contain recent tokens.
    const { tokens, next } = share;
    client.setRequests([...tokens.slice(next), ...tokens.slice(0, next)].map(requestWith));
    client.on('request', () => {
      share.next = (share.next + 1) % tokens.length;
    });
    client.on('response', () => {
      last = performance.now();
      first ??= last;
      answers += 1;
    });
  };
  const { errors, timeouts, non2xx, mismatches } = await autocannon({
    url: `http://127.0.0.1:${port}/`,
    connections,
    duration: seconds,
    // autocannon stops only at a multiple of this interval.
    sampleInt: 100,
    expectBody: BODY,
    setupClient,
  });
  const problems = Object.entries({ errors, timeouts, non2xx, mismatches }).filter(([, count]) => count > 0);
  return { answers, elapsedMs: last - first, problems: problems.map(([name, count]) => `${count} ${name}`) };
}

function requestWith(token) {
  return { headers: { authorization: `Bearer ${token}` } };
}
