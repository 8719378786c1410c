// Run by child.mjs: the clients. They take none of the servers' time, nor wait for each other's.
import { loadPeer } from '../../peers.mjs';

const autocannon = loadPeer('autocannon');
const BODY = '{"ok":true}';

process.on('disconnect', () => process.exit());
let connections;
/** Of each pool of tokens the share of each connection, and which one is the next. */
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
    // Going on where it stopped: from the start again, the last tokens of the run before could still be known.
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
    // It only ends at a multiple of this.
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
