// The simulated failures of an issuer.
import { clearInterval, setInterval } from 'node:timers';

const DRIP_MS = 50;
const SLOW_MS = 150;
const TEN_MIB = 10 * 1024 * 1024;

/**
 * - `answer`: answers a request to any URL. The body contains attacker keys, which the application must not use.
 * - `keys`: returns the key set that replaces `good`.
 * - `minCalls`: the minimum number of requests. The first may be for an unknown kid, the second refreshes the key set.
 * - `delayMs`: the delay of the response.
 * - `isHarmless`: the response contains the valid keys, so this is not an outage.
 */
export const FAULTS = [
  { name: 'connection dropped', answer: (response) => response.socket.destroy() },
  // The application must time out.
  { name: 'no answer', answer: () => undefined, minCalls: 2 },
  { name: 'drip', answer: drip, minCalls: 2 },
  { name: 'reset in the body', answer: resetInBody },
  { name: 'status 500', answer: (response, bait) => send(response, bait, { status: 500 }) },
  { name: 'status 429', answer: (response, bait) => send(response, bait, { status: 429, 'retry-after': '2' }) },
  { name: 'redirect', answer: (response, bait) => send(response, bait, { status: 302, location: '/elsewhere' }) },
  // The content type of JSON does not matter, so the keys are inside of a page.
  {
    name: 'HTML',
    answer: (response, bait) => send(response, `<html>${bait}</html>`, { 'content-type': 'text/html' }),
  },
  { name: 'half a body', answer: (response, bait) => send(response, bait.slice(0, bait.length / 2)) },
  { name: '10 MiB', answer: (response, bait) => send(response, padded(bait)) },
  { name: 'other JSON', answer: (response) => send(response, '{"keys":"none"}') },
  { name: 'empty set', keys: () => [] },
  { name: 'only oct keys', keys: ({ oct }) => [oct] },
  // The delay is below the timeout. Requests with many kids wait for the same response.
  { name: 'slow', keys: ({ good }) => good, delayMs: SLOW_MS, isHarmless: true },
  { name: 'a private key', keys: ({ good, leaked }) => [leaked.privateJwk, ...good], isHarmless: true },
  {
    name: 'duplicate kids',
    keys: ({ good, twin }) => [...good.flatMap((key) => [twinOf(key, twin), key])],
    isHarmless: true,
  },
];

export function send(response, body, { status = 200, ...headers } = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

function drip(response, bait) {
  response.writeHead(200, { 'content-type': 'application/json' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bait.slice(sent, sent + 1));
    sent += 1;
    if (sent === bait.length) response.end();
  }, DRIP_MS);
  response.once('close', () => clearInterval(timer));
}

function resetInBody(response, bait) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(bait.length) });
  response.write(bait.slice(0, bait.length / 2), () => response.socket?.resetAndDestroy());
}

let padding;
function padded(bait) {
  padding ??= 'x'.repeat(TEN_MIB);
  return `${bait.slice(0, -1)},"padding":"${padding}"}`;
}

/** Returns another key with the same kid. No token is signed with it. */
function twinOf({ kid, alg }, twin) {
  return { ...twin[alg].publicJwk, kid };
}
