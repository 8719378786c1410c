// Runs in a separate thread, so that signing tokens does not appear as latency of the application.
import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { Client } from './client.mjs';
import { Pace } from './pace.mjs';
import { createKey, signToken } from './tokens.mjs';

const { url, issuers, count, perSecond, maxSeconds } = workerData;

/** Every fifth token has an unknown kid that was used before; the others have random kids. */
const RETURNING_EVERY = 5;

const client = new Client(url, 8);
const key = await createKey('ES256', 'flood');
const pace = new Pace();
const statuses = {};
// Unknown kids that arrive repeatedly. A budget limits the calls for all of them together.
const returning = Array.from({ length: 49 }, () => randomUUID());
const limit = setTimeout(() => pace.stop(), maxSeconds * 1000);

const sent = await pace.run({ perSecond, count, maxOpen: 64 }, async (index) => {
  const turn = Math.floor(index / issuers.length);
  const kid = turn % RETURNING_EVERY === 0 ? returning[turn % returning.length] : randomUUID();
  const token = signToken(key, { iss: issuers[index % issuers.length] }, { kid });
  const { status, retryAfter } = await client.get(token);
  const name = status === 503 && retryAfter === undefined ? '503 without Retry-After' : String(status);
  statuses[name] = (statuses[name] ?? 0) + 1;
});

clearTimeout(limit);
client.close();
parentPort.postMessage({ sent, statuses });
