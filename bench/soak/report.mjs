import { FAULTS } from './faults.mjs';
import { attemptsWithin, boundOf, explainBound, POLICY, sum } from './policy.mjs';

const MIB = 1024 * 1024;
/** What a process may take more after two minutes: compiled code and full caches, but not what 20,000 kids take. */
const MAX_HEAP_GROWTH = 4 * MIB;
/** From here on there is time for all of it; a short soak shows what it comes to. */
const FULL_SECONDS = 60;

/** Prints what was measured. @returns what was promised, and did not hold. */
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
    ['requests served', `${requests} (good ${counts.good}, bad ${counts.bad}, flood ${flood.sent})`],
    ['wrong refusals', counts.wrongRefusals],
    ['wrong admissions', facts.wrongAdmissions],
    ['5xx for good tokens', counts.serverErrors],
    ['without an answer', counts.lost],
    ['bad tokens: neither 401, nor 503 with Retry-After', facts.odd],
    ['flood: answers', answersOf(flood.statuses)],
    ['faults met', `${facts.faultsMet} of ${FAULTS.length} kinds, ${facts.outages.length} outages`],
    ['rotations', sum(facts.rotations)],
    [
      'withdrawn keys accepted, as the policy allows',
      `${lateAdmissions.count} times, the last ${(lateAdmissions.longestMs / 1000).toFixed(1)} s after`,
    ],
    ['calls to the issuers for key sets', `${facts.keySets.counted} (bound ${facts.keySets.bound})`],
    ['… of these in outages', `${facts.inOutages.counted} (bound ${facts.inOutages.bound})`],
    ['calls to the issuers for metadata', `${facts.metadata.counted} (bound ${facts.metadata.bound})`],
    [
      'heap growth of the app, after GC',
      `${mib(heap.end)} at the end, ${mib(heap.peak)} at its peak, on ${mib(heap.start)}`,
    ],
    ['event-loop delay of the app, max', `${ms(loopDelayIn('calm'))} in calm, ${ms(loopDelayIn('flood'))} in flood`],
    ['good requests in calm', describe(facts.calm)],
    ['good requests in flood', describe(facts.flooded)],
    ['… of both, while their issuer was being asked', describe(facts.besideFetch)],
  ];
}

/** What the package promises. */
function promisesOf(facts) {
  const { counts } = facts.traffic;
  const isKept = ({ counted, bound }) => counted <= bound;
  const eachOutage = facts.outages.every(({ seconds, calls }) => calls <= attemptsWithin(seconds));
  return {
    'a good token was refused': counts.wrongRefusals === 0,
    'a bad token was admitted': facts.wrongAdmissions === 0,
    'a good token was answered with 5xx': counts.serverErrors === 0,
    'a request got no answer': counts.lost === 0,
    'a bad token got an answer that is neither 401, nor 503 with Retry-After': facts.odd === 0,
    'the issuers were asked for keys more often than the policy allows': isKept(facts.keySets),
    'the issuers were asked for metadata more often than the policy allows': isKept(facts.metadata),
    'in an outage an issuer was asked more often than the policy allows': eachOutage,
    'a redirect was followed': facts.elsewhere === 0,
    [`the heap grew by more than ${mib(MAX_HEAP_GROWTH)}`]: facts.heap.peak <= MAX_HEAP_GROWTH,
    // Who waits for an issuer that does not answer waits until its time is over: on average half of it.
    'good requests waited for an issuer': !(facts.besideFetch.p90 >= POLICY.timeoutMs / 2),
    'the application did not end by itself when it was closed': facts.endedByItself,
  };
}

/** What must have happened, for the promises to have been tried. */
function happeningsOf({ seconds, flood, rotations, faultsMet }) {
  return {
    'the flood was cut short': flood.sent === flood.count,
    'an issuer did not rotate its keys': rotations.every((count) => count > 0),
    'not every fault was met': seconds < FULL_SECONDS || faultsMet === FAULTS.length,
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
