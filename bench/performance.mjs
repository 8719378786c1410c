// Measures verification, guarded requests, growth and start-up time of this package and of others.
// Usage: npm run bench [-- --quick] [-- --only verification,http] [-- --write | --render]
// `--render` writes docs/performance.md from the figures that docs/performance.json already contains.
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { formatted, tableOf } from './page.mjs';
import { installPeers, versions } from './peers.mjs';
import { filesOf, markdownOf, PAGE, RENDERERS } from './performance/render.mjs';
import { targetsOf } from './performance/targets.mjs';

const PARTS = ['verification', 'http', 'growth', 'footprint', 'cluster'];
const DATA = new URL('performance.json', PAGE);

const { isQuick, isRendered, isWritten, names } = settingsOf(process.argv.slice(2));

const started = performance.now();
const log = (text) => console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${text}`);
const print = async (title, markdown) => console.log(await formatted(PAGE, `## ${title}\n\n${markdown}\n`));

if (!isRendered) {
  const data = await measureAll();
  if (isWritten) await writeFile(DATA, await formatted(DATA, JSON.stringify(data, rounded)));
}
// The recorded figures are rounded, so that `--render` writes the same bytes as `--write`.
if (isWritten || isRendered)
  for (const [file, text] of await filesOf(JSON.parse(await readFile(DATA, 'utf8')))) await writeFile(file, text);
log('done');

async function measureAll() {
  installPeers();
  const data = {
    environment: `${versions()}; ${process.arch}, ${availableParallelism()} cores.`,
    isQuick,
    figures: {},
  };
  for (const name of names) {
    const { title, measure } = await import(`./performance/${name}.mjs`);
    log(title);
    const { figures, ...result } = await measure({ isQuick, log: (text) => log(`  ${text}`) });
    Object.assign(data.figures, figures);
    data[name] = result;
    await print(title, markdownOf(RENDERERS[name](data)));
  }
  await print('Targets', tableOf(['', 'target', 'measured', ''], targetsOf(data.figures)));
  if (data.verification && data.http) await print('Several servers', markdownOf(RENDERERS.fleet(data)));
  console.log(data.environment);
  return data;
}

function settingsOf(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean' },
      write: { type: 'boolean' },
      render: { type: 'boolean' },
      only: { type: 'string' },
    },
  });
  const chosen = values.only?.split(',') ?? PARTS;
  const unknown = chosen.filter((name) => !PARTS.includes(name));
  if (unknown.length > 0) throw new Error(`Unknown part: ${unknown.join(', ')}. Use ${PARTS.join(', ')}.`);
  // All figures of the page must come from the same run.
  if (values.write && (values.quick || values.only))
    throw new Error('--write requires a full run. Omit --quick and --only.');
  return {
    isQuick: Boolean(values.quick),
    isRendered: Boolean(values.render),
    isWritten: Boolean(values.write),
    names: PARTS.filter((name) => chosen.includes(name)),
  };
}

function rounded(_name, value) {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
