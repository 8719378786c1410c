// What happens on an issuer's worst days: here, and with what else there is. Each contender is a real HTTP server.
// Usage: npm run bench:resilience [-- --quick] [-- --write]
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { installPeers, versions } from './resilience/peers.mjs';
import { SCENARIOS } from './resilience/scenarios.mjs';
import { Stage } from './resilience/stage.mjs';

const isQuick = process.argv.includes('--quick');
const DOCUMENT = new URL('../docs/resilience.md', import.meta.url);

const CONTENDERS = [
  { name: 'ours', title: 'nestjs-resource-server', canOutlast: true, hasKeyStore: true },
  { name: 'recipe', title: 'passport-jwt and jwks-rsa', canOutlast: true },
  { name: 'express-oauth2-jwt-bearer', title: 'express-oauth2-jwt-bearer' },
  { name: 'aws-jwt-verify', title: 'aws-jwt-verify' },
];

async function cellsOf(scenario, contender) {
  const stage = new Stage(contender);
  try {
    return await scenario.run(stage);
  } catch (error) {
    throw new Error(`${contender.name}, ${scenario.rows[0]}: ${error.message}`, { cause: error });
  } finally {
    await stage.clear();
  }
}

const scenarios = SCENARIOS.filter(({ phase }) => !(isQuick && phase === 'long'));

/** @returns for each scenario the cells of each contender. */
async function seen() {
  const cells = new Map();
  const runAtOnce = async (scenario) => {
    cells.set(scenario, await Promise.all(CONTENDERS.map((contender) => cellsOf(scenario, contender))));
  };
  const of = (name) => scenarios.filter(({ phase }) => phase === name);
  console.error('What is timed, one contender after the other ...');
  for (const scenario of of('alone')) {
    // So that the first one does not pay for what is not compiled here yet.
    await cellsOf(scenario, CONTENDERS[0]);
    const columns = [];
    for (const contender of CONTENDERS) columns.push(await cellsOf(scenario, contender));
    cells.set(scenario, columns);
  }
  console.error('What takes seconds ...');
  for (const scenario of of('short')) await runAtOnce(scenario);
  console.error('What takes a minute of waiting ...');
  await Promise.all(of('long').map(runAtOnce));
  return scenarios.map((scenario) => cells.get(scenario));
}

function tableOf(results) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...CONTENDERS.map(({ title }) => title)]),
    line(['---', ...CONTENDERS.map(() => '---')]),
    ...scenarios.flatMap(({ rows }, index) =>
      rows.map((row, rowIndex) => line([row, ...results[index].map((cells) => cells[rowIndex])])),
    ),
  ].join('\n');
}

installPeers();
const table = `${tableOf(await seen())}\n\n${versions()}.\n`;
const options = { ...(await resolveConfig(DOCUMENT)), parser: 'markdown' };
console.log(await format(table, options));
if (process.argv.includes('--write')) {
  const [start, end] = ['<!-- comparison -->', '<!-- /comparison -->'];
  const text = await readFile(DOCUMENT, 'utf8');
  const [before, after] = [text.indexOf(start), text.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`docs/resilience.md has no ${start} … ${end}`);
  const written = `${text.slice(0, before + start.length)}\n\n${table}\n${text.slice(after)}`;
  await writeFile(DOCUMENT, await format(written, options));
}
