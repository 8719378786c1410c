// Compares how packages behave when the issuer fails, rotates its keys or is flooded. Each contender is an HTTP server.
// Usage: npm run bench:resilience [-- --quick] [-- --write]
import { formatted, tableOf, writeBlocks } from './page.mjs';
import { installPeers, versions } from './peers.mjs';
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

const PACKAGES = ['passport-jwt', 'jwks-rsa', 'express-oauth2-jwt-bearer', 'aws-jwt-verify', 'express'];

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

/** Runs all scenarios. @returns the cells of each contender for each scenario. */
async function seen() {
  const cells = new Map();
  const runAtOnce = async (scenario) => {
    cells.set(scenario, await Promise.all(CONTENDERS.map((contender) => cellsOf(scenario, contender))));
  };
  const of = (name) => scenarios.filter(({ phase }) => phase === name);
  console.error('Timed scenarios, one contender at a time ...');
  for (const scenario of of('alone')) {
    // An untimed run warms up the code of this process; otherwise the first contender would be slower.
    await cellsOf(scenario, CONTENDERS[0]);
    const columns = [];
    for (const contender of CONTENDERS) columns.push(await cellsOf(scenario, contender));
    cells.set(scenario, columns);
  }
  console.error('Short scenarios ...');
  for (const scenario of of('short')) await runAtOnce(scenario);
  console.error('Long scenarios, about a minute ...');
  await Promise.all(of('long').map(runAtOnce));
  return scenarios.map((scenario) => cells.get(scenario));
}

function comparisonOf(results) {
  const rows = scenarios.flatMap(({ rows: titles }, index) =>
    titles.map((title, row) => [title, ...results[index].map((cells) => cells[row])]),
  );
  // Omits rows with the same result for all contenders.
  const different = rows.filter(([, ...cells]) => new Set(cells).size > 1);
  return tableOf(['', ...CONTENDERS.map(({ title }) => title)], different);
}

installPeers();
const comparison = `${comparisonOf(await seen())}\n\n${versions(PACKAGES)}.\n`;
console.log(await formatted(DOCUMENT, comparison));
if (process.argv.includes('--write')) await writeBlocks(DOCUMENT, { comparison });
