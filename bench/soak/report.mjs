import { FAULTS } from './faults.mjs';
import { attemptsWithin, boundOf, explainBound, POLICY, sum } from './policy.mjs';

const MIB = 1024 * 1024;
/** Allowed heap growth: enough for compiled code and full caches, too little to store 20,000 kids. */
const MAX_HEAP_GROWTH = 4 * MIB;
/** Minimum duration to cover every fault. A shorter soak does not check this. */
const FULL_SECONDS = 60;

/** Prints the results. @returns the violated guarantees. */
export function report(result) {
  const facts = factsOf(result);
  printTable(rowsOf(facts));
  console.log(`\n${explainBound(facts.ranSeconds, facts.bounds)}`);
  const promises = { ...promisesOf(facts), ...happeningsOf(facts) };
  const broken = Object.keys(promises).filter((name) => !promises[name]);
  return [...broken, ...facts.issuers.flatMap(({ problems }) => [...problems])];
}

function factsOf(result) {
  const { ranSeconds, issuers, traffic, flood, marks } = result;
  const { counts, latencies, latenciesBesideFetch } = traffic;
  const bounds = issuers.map(({ outages }) => boundOf(ranSeconds, outages));
  const against = (kind) => ({
    counted: sum(issuers.map(({ calls }) => calls[kind])),
    bound: sum(bounds.map((bound) => bound[kind])),
  });
  const outages = issuers.flatMap((issuer) => issuer.outages);
  const heap = marks.map(({ heapUsed }) => heapUsed);
  const floodAnswers = (status) => flood.statuses[status] ?? 0;
  return {
    ...result,
    bounds,
    outages,
    requests: counts.good + counts.bad + flood.sent,
    wrongAdmissions: counts.wrongAdmissions + floodAnswers(200),
    odd: counts.odd + flood.sent - sum([200, 401, 503].map(floodAnswers)),
    keySets: against('keySets'),
    metadata: against('metadata'),
    inOutages: {
      counted: sum(outages.map(({ calls }) => calls)),
      bound: sum(outages.map(({ seconds }) => attemptsWithin(seconds))),
    },
    elsewhere: sum(issuers.map(({ calls }) => calls.elsewhere)),
    heap: { start: heap[0], end: heap.at(-1) - heap[0], peak: Math.max(...heap) - heap[0] },
    faultsMet: new Set(issuers.flatMap((issuer) => [...issuer.faultsMet])).size,
    rotations: issuers.map(({ rotations }) => rotations),
    calm: summary(latencies.calm),
    flooded: summary(latencies.flood),
    besideFetch: summary(latenciesBesideFetch),
    loopDelayIn: (phase) => Math.max(...marks.map((mark) => (mark.phase === phase ? mark.loopDelayMs : 0))),
  };
}

function rowsOf(facts) {
  const { requests, traffic, flood, heap, loopDelayIn } = facts;
  const { counts, lateAdmissions } = traffic;
  return [
    ['requests served', `${requests} (valid ${counts.good}, invalid ${counts.bad}, flood ${flood.sent})`],
    ['valid tokens rejected', counts.wrongRefusals],
    ['invalid tokens accepted', facts.wrongAdmissions],
    ['valid tokens answered with 5xx', counts.serverErrors],
    ['requests without an answer', counts.lost],
    ['invalid tokens: neither 401 nor 503 with Retry-After', facts.odd],
    ['flood: answers', answersOf(flood.statuses)],
    ['faults covered', `${facts.faultsMet} of ${FAULTS.length} kinds, ${facts.outages.length} outages`],
    ['rotations', sum(facts.rotations)],
    [
      'withdrawn keys accepted within the policy',
      `${lateAdmissions.count} times, at most ${(lateAdmissions.longestMs / 1000).toFixed(1)} s after the withdrawal`,
    ],
    ['calls to the issuers for key sets', `${facts.keySets.counted} (bound ${facts.keySets.bound})`],
    ['… during outages', `${facts.inOutages.counted} (bound ${facts.inOutages.bound})`],
    ['calls to the issuers for metadata', `${facts.metadata.counted} (bound ${facts.metadata.bound})`],
    [
      'heap growth of the app, after GC',
      `${mib(heap.end)} at the end, ${mib(heap.peak)} at the peak, from ${mib(heap.start)}`,
    ],
    ['event-loop delay of the app, max', `${ms(loopDelayIn('calm'))} in calm, ${ms(loopDelayIn('flood'))} in flood`],
    ['valid requests in calm', describe(facts.calm)],
    ['valid requests in flood', describe(facts.flooded)],
    ['… in both, during a call to their issuer', describe(facts.besideFetch)],
  ];
}

/** Checks the guarantees of the package. */
function promisesOf(facts) {
  const { counts } = facts.traffic;
  const isKept = ({ counted, bound }) => counted <= bound;
  const eachOutage = facts.outages.every(({ seconds, calls }) => calls <= attemptsWithin(seconds));
  return {
    'a valid token was rejected': counts.wrongRefusals === 0,
    'an invalid token was accepted': facts.wrongAdmissions === 0,
    'a valid token was answered with 5xx': counts.serverErrors === 0,
    'a request got no answer': counts.lost === 0,
    'an invalid token was answered with neither 401 nor 503 with Retry-After': facts.odd === 0,
    'the issuers received more key set requests than the policy allows': isKept(facts.keySets),
    'the issuers received more metadata requests than the policy allows': isKept(facts.metadata),
    'an issuer received more requests during an outage than the policy allows': eachOutage,
    'a redirect was followed': facts.elsewhere === 0,
    [`the heap grew by more than ${mib(MAX_HEAP_GROWTH)}`]: facts.heap.peak <= MAX_HEAP_GROWTH,
    // A request that waits for a hanging issuer waits for the rest of the timeout, on average half of it.
    'valid requests waited for an issuer': !(facts.besideFetch.p90 >= POLICY.timeoutMs / 2),
    'the process did not exit after the application was closed': facts.endedByItself,
  };
}

/** Checks that the soak exercised the guarantees. */
function happeningsOf({ seconds, flood, rotations, faultsMet }) {
  return {
    'the flood did not send all tokens': flood.sent === flood.count,
    'an issuer did not rotate its keys': rotations.every((count) => count > 0),
    'the application did not encounter every fault': seconds < FULL_SECONDS || faultsMet === FAULTS.length,
  };
}

function printTable(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log(rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n'));
}

function summary(values = []) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

function describe({ count, p50, p99, max }) {
  return count === 0 ? 'none' : `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)} (of ${count})`;
}

function answersOf(statuses) {
  return Object.entries(statuses)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ');
}

function mib(bytes) {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function ms(value) {
  return `${value.toFixed(1)} ms`;
}
