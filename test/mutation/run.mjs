// Mutation testing with Stryker: which changes of the code does no test notice?
//   npm run mutation                          all folders whose promises must hold (takes hours)
//   npm run mutation -- src/token src/access  some folders or files
//   npm run mutation -- --changed [BASE]      files that changed since BASE (default: main), the short form
// Prints the score of each folder and every survivor. Exits with 1 if a score is below its minimum. A mutant that times out counts as
// killed by Stryker, so look at these as well.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The folders, with the lowest score that a whole run may have, in percent. */
const MINIMUM = { token: 93, access: 93, keys: 91, remote: 86, nest: 77 };

const files = filesToMutate(process.argv.slice(2));
if (files.length === 0) {
  console.log('No file to mutate.');
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'mutation-'));
const report = join(folder, 'report.json');
const configuration = join(folder, 'stryker.config.json');
writeFileSync(configuration, JSON.stringify(configurationFor(files, report)));
const { status } = spawnSync(
  process.execPath,
  ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', configuration],
  {
    cwd: ROOT,
    stdio: 'inherit',
  },
);
if (status !== 0) process.exit(status ?? 1);
const isEnough = printScores(JSON.parse(readFileSync(report, 'utf8')));
rmSync(folder, { recursive: true });
process.exit(isEnough ? 0 : 1);

function filesToMutate(args) {
  const isCode = (file) => /^src\/(?:token|access|keys|remote|nest)\/.*\.ts$/.test(file);
  const git = (...parameters) => execFileSync('git', parameters, { cwd: ROOT, encoding: 'utf8' }).split('\n');
  if (args[0] === '--changed')
    return git('diff', '--name-only', '--diff-filter=AM', args[1] ?? 'main', '--', 'src').filter(isCode);
  const paths = args.length > 0 ? args : Object.keys(MINIMUM).map((name) => `src/${name}`);
  return git('ls-files', '--', ...paths).filter(isCode);
}

function configurationFor(mutate, fileName) {
  return {
    packageManager: 'npm',
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    jest: { projectType: 'custom', configFile: 'jest.config.mjs', enableFindRelatedTests: true },
    coverageAnalysis: 'perTest',
    mutate,
    // A message may change without breaking a promise.
    mutator: { excludedMutations: ['StringLiteral', 'Regex'] },
    ignoreStatic: true,
    concurrency: 2,
    timeoutMS: 20_000,
    tempDirName: '.stryker-tmp',
    cleanTempDir: 'always',
    reporters: ['clear-text', 'json'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    jsonReporter: { fileName },
  };
}

function printScores({ files: mutated }) {
  const folders = new Map();
  for (const [file, { mutants }] of Object.entries(mutated)) {
    const name = file.split('/')[1];
    const counts = folders.get(name) ?? { killed: 0, timedOut: 0, all: 0 };
    for (const { status: result } of mutants) {
      if (!['Killed', 'Survived', 'NoCoverage', 'Timeout'].includes(result)) continue;
      counts.all += 1;
      if (result === 'Killed') counts.killed += 1;
      if (result === 'Timeout') counts.timedOut += 1;
    }
    folders.set(name, counts);
  }
  let isEnough = true;
  for (const [name, { killed, timedOut, all }] of folders) {
    const score = all === 0 ? 100 : (100 * (killed + timedOut)) / all;
    if (score < MINIMUM[name]) isEnough = false;
    console.log(`${name}: ${score.toFixed(1)} % of ${all} mutants (${timedOut} timed out), minimum ${MINIMUM[name]} %`);
  }
  return isEnough;
}
