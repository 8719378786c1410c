// Renders the recorded figures as the tables and charts of docs/performance.md. The page shows only what a reader needs for a
// decision; docs/performance.json contains the rest.

import { tableOf, withBlocks } from '../page.mjs';
import { chartOf } from './chart.mjs';

export const PAGE = new URL('../../docs/performance.md', import.meta.url);

const OURS = 'nestjs-resource-server';
const AGAIN = ', again';
const BASES = ['floor', 'unguarded', 'a guard that returns true'];
const BASELINE = 'baseline: crypto.verify, JSON.parse';
const MIB = 2 ** 20;

const count = (value) => Math.round(value).toLocaleString('en');
const times = (value) => (value === undefined ? '–' : `${value.toFixed(2)}×`);
const percent = (value, digits = 0) => `${(100 * value).toFixed(digits)} %`;
const inMib = (value) => (value / MIB).toFixed(1);
const micros = (value) => `${count(value)} µs`;

/** One function per part. Each receives all data of a run and returns `tables`, and optionally a `note` and a `chart`. */
export const RENDERERS = { summary, verification, http, growth, footprint, cluster, fleet };

/** Returns the page and its charts as files with their text. */
export async function filesOf(data) {
  const blocks = { environment: data.environment };
  const files = new Map();
  for (const [name, render] of Object.entries(RENDERERS)) {
    const { chart, ...text } = render(data);
    blocks[name] = markdownOf(text);
    if (!chart) continue;
    blocks[name] = `![${chart.title}](performance-${name}.svg)\n\n${blocks[name]}`;
    files.set(new URL(`performance-${name}.svg`, PAGE), chartOf(chart));
  }
  return files.set(PAGE, await withBlocks(PAGE, blocks));
}

export function markdownOf({ tables, note }) {
  const parts = tables.map(({ caption, head, rows }) => `**${caption}**\n\n${tableOf(head, rows)}`);
  return [...parts, ...(note ? [note] : [])].join('\n\n');
}

function summary({ verification: { algorithms } }) {
  const { [OURS]: fresh, [`${OURS}${AGAIN}`]: again } = algorithms.RS256;
  return {
    tables: [],
    note: `Verification of an RS256 token takes ${micros(fresh.microseconds)}, and ${micros(again.microseconds)} when the token is sent again. The tables compare the package with others.`,
  };
}

function verification({ verification: { algorithms } }) {
  const names = ['RS256', 'ES256', 'EdDSA'];
  // All contenders support RS256.
  const [floor, ...others] = Object.keys(algorithms.RS256);
  const labelOf = (name) => name.replace(AGAIN, ', repeated');
  return {
    tables: [
      {
        caption: 'Time of a verification, relative to the baseline',
        head: ['', ...names],
        rows: [
          ['baseline', ...names.map((algorithm) => micros(algorithms[algorithm][floor].microseconds))],
          ...others.map((name) => [
            labelOf(name),
            ...names.map((algorithm) => times(algorithms[algorithm][name]?.ratio)),
          ]),
        ],
      },
    ],
    chart: {
      title: 'RS256, time of a verification',
      unit: '× baseline',
      bars: Object.entries(algorithms.RS256)
        .map(([name, { ratio }]) => ({
          label: name === floor ? BASELINE : labelOf(name),
          value: ratio,
          kind: kindOf(name),
        }))
        .sort((a, b) => a.value - b.value),
    },
  };
}

function http({ http: { rows } }) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return {
    tables: groups.map((group) => ({
      caption: group,
      head: ['', 'requests/s', 'of unguarded', 'CPU (µs) per request'],
      rows: rows
        .filter((row) => row.group === group)
        .map(({ name, requestsPerSecond, ratio, cpuMicroseconds }) => [
          name,
          count(requestsPerSecond),
          percent(ratio),
          count(cpuMicroseconds),
        ]),
    })),
    chart: {
      title: 'Requests to a guarded route',
      unit: 'requests/s',
      bars: rows.map(({ name, group, requestsPerSecond }) => ({
        // The space for labels is limited.
        label: `${group.replace(' on ', '/')}: ${name}`,
        value: requestsPerSecond,
        kind: kindOf(name),
      })),
    },
  };
}

function growth({ growth: { issuersAndKeys, tokenSizes, distinct }, figures }) {
  const { ES256, RS256 } = issuersAndKeys;
  const shown = ES256.filter(({ issuers, keys }) => ['1, 1', '200, 1', '200, 100'].includes(`${issuers}, ${keys}`));
  const [most, mostRsa] = [ES256.at(-1), RS256.at(-1)];
  const largest = distinct.results.at(-1);
  return {
    tables: [
      {
        caption: 'ES256, by issuers and keys, relative to the first row',
        head: ['issuers', 'keys of each', 'start (ms)', 'memory (MiB)', 'fresh', 'repeated'],
        rows: shown.map(({ issuers, keys, startMs, grown, freshGrowth, repeatedGrowth }) => [
          `${issuers}`,
          `${keys}`,
          count(startMs),
          inMib(grown),
          times(freshGrowth),
          times(repeatedGrowth),
        ]),
      },
      {
        caption: 'RS256, by token size',
        head: ['token (KiB)', 'fresh (µs)', 'repeated (µs)', 'cache entry (KiB)'],
        rows: tokenSizes
          .filter(({ kib }) => [1, 4, 16].includes(kib))
          .map(({ kib, fresh, repeated, bytesPerCachedToken }) => [
            `${kib}`,
            count(fresh),
            count(repeated),
            (bytesPerCachedToken / 1024).toFixed(1),
          ]),
      },
    ],
    note: [
      `With RS256, fresh tokens take ${times(mostRsa.freshGrowth)} in the last row. So many keys do not fit in the cache of the processor:`,
      `\`crypto.verify\` alone takes ${times(most.floorGrowth)} (ES256) or ${times(mostRsa.floorGrowth)} (RS256). The token cache finds`,
      `${percent(figures.hitRatioOfFullCache, 1)} of 10,000 tokens that were sent twice before. With ${count(largest.size)} distinct tokens,`,
      `memory grows by ${inMib(largest.grown)} MiB.`,
    ].join(' '),
    chart: {
      title: 'ES256, time of a fresh token',
      unit: '× one issuer with one key',
      bars: shown.flatMap(({ issuers, keys, freshGrowth, floorGrowth }) => {
        const label = `${issuers} issuer${issuers === 1 ? '' : 's'}, ${keys} key${keys === 1 ? '' : 's'} each`;
        return [
          { label, value: freshGrowth, kind: 'ours' },
          { label: `${label}: crypto.verify alone`, value: floorGrowth, kind: 'base' },
        ];
      }),
    },
  };
}

function footprint({ footprint: { bases, results } }) {
  const started = results.filter(({ base }) => base === 'nest');
  return {
    tables: [],
    note: [
      `Each package adds to the ${count(bases.nest)} ms of Nest without a guard:\n`,
      ...started.map(({ label, startMs }) => `- ${label}: ${count(startMs)} ms`),
    ].join('\n'),
    chart: {
      title: 'Start-up time of an application context',
      unit: 'ms more than Nest alone',
      bars: started.map(({ label, startMs, kind }) => ({ label, value: startMs, kind })),
    },
  };
}

function cluster({ cluster: { loops, requests }, figures: { processes } }) {
  const { cpuGrowth } = requests.paced;
  return {
    tables: [],
    note:
      `${processes} processes verify ${times(loops.fresh.growth)} as many fresh tokens and ${times(loops.again.growth)} as many repeated tokens per second as one ` +
      `(RS256, without HTTP). In a guarded application on Fastify, ${processes} workers with ${processes}× the requests need ${times(cpuGrowth)} the CPU time per request of one.`,
  };
}

/** Cores for 100,000 requests per second, calculated from the figures of one process. */
function fleet({ verification: { algorithms }, http: { rows } }) {
  const recipe = 'passport-jwt and jwks-rsa';
  const results = algorithms.RS256;
  const cores = (microseconds) => ((microseconds * 100_000) / 1_000_000).toFixed(1);
  const cpuOf = (group, name) => rows.find((row) => row.group === group && row.name === name).cpuMicroseconds;
  const guardOn = (group, name) => cpuOf(group, name) - cpuOf(group, 'unguarded');
  const columns = [
    {
      fresh: results[OURS].microseconds,
      again: results[`${OURS}${AGAIN}`].microseconds,
      recipe: results[recipe].microseconds,
    },
    ...['Nest on Express', 'Nest on Fastify'].map((group) => ({
      fresh: guardOn(group, `${OURS}, fresh`),
      again: guardOn(group, OURS),
      recipe: guardOn(group, recipe),
    })),
  ];
  return {
    tables: [
      {
        caption: 'Cores for 100,000 requests per second (RS256), in addition to the unguarded application',
        head: ['', 'verification', 'guard on Express', 'guard on Fastify'],
        rows: [
          ...[0, 0.9, 0.99].map((hits) => [
            `${percent(hits)} repeated`,
            ...columns.map(({ fresh, again }) => cores(hits * again + (1 - hits) * fresh)),
          ]),
          [recipe, ...columns.map((column) => cores(column.recipe))],
        ],
      },
    ],
  };
}

function kindOf(name) {
  if (name.startsWith(OURS)) return 'ours';
  return BASES.includes(name) ? 'base' : 'peer';
}
