// The load generator, started by servers.mjs. Sends requests at full speed or at a fixed rate.
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadPeer } from '../../peers.mjs';

const autocannon = loadPeer('autocannon');

process.on('disconnect', () => process.exit());
process.on('message', (request) => {
  const { url, token, connections, seconds, perSecond } = request;
  const options = { url, headers: { authorization: `Bearer ${token}` }, connections, seconds, perSecond };
  void (perSecond === undefined ? asFast(options) : paced(options)).then((result) => process.send(result));
});

async function asFast({ seconds, ...options }) {
  const result = await autocannon({ ...options, duration: seconds, sampleInt: 250 });
  return {
    answered: result['2xx'],
    bad: result.non2xx + result.errors,
    seconds: result.duration,
  };
}

const TICK_MS = 2;

/** Spreads the requests evenly over time and connections; autocannon would send the requests of a second in one burst. */
async function paced({ url, headers, connections, seconds, perSecond }) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  const result = { answered: 0, bad: 0 };
  const ask = async () => {
    try {
      const [response] = await once(get(url, { agent, headers }), 'response');
      await once(response.resume(), 'end');
      if (response.statusCode === 200) result.answered += 1;
      else result.bad += 1;
    } catch {
      result.bad += 1;
    }
  };
  const asked = [];
  const startedAt = performance.now();
  for (let ms = 0; ms < seconds * 1000; ms = performance.now() - startedAt) {
    for (const due = Math.floor((ms * perSecond) / 1000); asked.length < due;) asked.push(ask());
    await sleep(TICK_MS);
  }
  await Promise.all(asked);
  agent.destroy();
  return { ...result, seconds: (performance.now() - startedAt) / 1000 };
}
