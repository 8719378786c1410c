// What a verification, a guarded request, growth and a start cost: here, and with what else there is.
// Usage: npm run bench [-- --quick] [-- --only verification,http] [-- --write]
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { formatted, tableOf, writeBlocks } from './page.mjs';
import { installPeers, versions } from './peers.mjs';
import { chartOf } from './performance/chart.mjs';
import { fleetTable } from './performance/fleet.mjs';
import { targetsOf } from './performance/targets.mjs';

const PARTS = ['verification', 'http', 'growth', 'footprint', 'cluster'];
const PAGE = new URL('../docs/performance.md', import.meta.url);

const { isQuick, isWritten, names } = settingsOf(process.argv.slice(2));

const started = performance.now();
const log = (text) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);

installPeers();
const results = {};
for (const name of names) {
  const { title, measure } = await import(`./performance/${name}.mjs`);
  log(title);
  results[name] = await measure({ isQuick, log: (text) => log(`  ${text}`) });
  results[name].markdown = markdownOf(results[name].tables);
  console.log(await formatted(PAGE, `## ${title}\n\n${results[name].markdown}\n`));
}

const figures = Object.assign({}, ...names.map((name) => results[name].figures));
const targets = tableOf(['', 'wanted', 'measured', ''], targetsOf(figures));
console.log(await formatted(PAGE, `## What was wanted\n\n${targets}\n`));

const { verification, http } = results;
const fleet = verification && http && markdownOf([fleetTable(results)]);
if (fleet) console.log(await formatted(PAGE, `## A fleet\n\n${fleet}\n`));

const environment = `${versions()}; ${process.arch}, ${availableParallelism()} cores.`;
console.log(environment);

if (isWritten) {
  const blocks = { targets, environment, ...(fleet && { fleet }) };
  for (const name of names) {
    const { chart, markdown } = results[name];
    blocks[name] = chart ? `![${chart.title}](performance-${name}.svg)\n\n${markdown}` : markdown;
    if (chart) await writeFile(new URL(`performance-${name}.svg`, PAGE), chartOf(chart));
  }
  await writeBlocks(PAGE, blocks);
  const data = Object.fromEntries(names.map((name) => [name, withoutText(results[name])]));
  const file = new URL('performance.json', PAGE);
  await writeFile(file, await formatted(file, JSON.stringify({ environment, isQuick, figures, ...data }, rounded)));
}
log('done');

function settingsOf(args) {
  const { values } = parseArgs({
    args,
    options: { quick: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
  });
  const chosen = values.only?.split(',') ?? PARTS;
  const unknown = chosen.filter((name) => !PARTS.includes(name));
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}: the parts are ${PARTS.join(', ')}`);
  // What the page compares is from one run.
  if (values.write && (values.quick || values.only)) throw new Error('--write takes a whole run, and a full one');
  return {
    isQuick: Boolean(values.quick),
    isWritten: Boolean(values.write),
    names: PARTS.filter((name) => chosen.includes(name)),
  };
}

function markdownOf(tables) {
  return tables.map(({ caption, head, rows }) => `**${caption}**\n\n${tableOf(head, rows)}`).join('\n\n');
}

/** What only the page needs stands in the page. */
function withoutText(result) {
  const text = ['tables', 'markdown', 'chart', 'figures'];
  return Object.fromEntries(Object.entries(result).filter(([name]) => !text.includes(name)));
}

function rounded(_name, value) {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
