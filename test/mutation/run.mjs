// Mutation testing with Stryker: which changes of the code does no test notice?
//   npm run mutation                          all folders whose promises must hold (takes hours)
//   npm run mutation -- src/token src/access  some folders or files
//   npm run mutation -- --changed [BASE]      files that changed since BASE (default: main), the short form
//   npm run mutation -- --sample 8 src/nest   about one in eight mutants: every eighth window of twelve lines
// Prints the score of each folder and every survivor. Exits with 1 if a score is below its minimum. A mutant that times out counts as
// killed by Stryker, so look at these as well. Only the specs of `FOLDERS` run, because the whole suite takes too long for each
// mutant: the scores are lower bounds.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import jestConfig from '../../jest.config.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** For each folder: the lowest score that a whole run may have, in percent, and the specs that test it. */
const FOLDERS = {
  access: { minimum: 93, specs: ['unit/access', 'unit/nest', 'e2e/requirements', 'e2e/report-only'] },
  keys: { minimum: 91, specs: ['unit/keys', 'unit/algorithms', 'unit/token/signature', 'unit/remote/issuer-keys'] },
  token: {
    minimum: 93,
    specs: ['unit/token', 'vectors'],
  },
  remote: {
    minimum: 86,
    specs: ['unit/remote', 'e2e/keys', 'e2e/key-health', 'e2e/warm-up'],
  },
  nest: { minimum: 77, specs: ['unit/nest', 'e2e/'] },
  mcp: { minimum: 80, specs: ['e2e/mcp'] },
};

/** So that a test that fails, fails at once. */
const QUICK = {
  testTimeout: 3_000,
  // Stryker can only extend the environments of Jest.
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/mutation/no-shrinking.mjs'],
};

const WINDOW_LINES = 12;
const { values: flags, positionals } = parseArgs({
  options: { changed: { type: 'boolean' }, sample: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const files = filesToMutate();
const work = mkdtempSync(join(tmpdir(), 'mutation-'));
let isEnough = true;
for (const folder of Object.keys(FOLDERS)) {
  const mutated = files.filter((file) => file.startsWith(`src/${folder}/`));
  if (mutated.length > 0 && !run(folder, mutated)) isEnough = false;
}
rmSync(work, { recursive: true });
process.exit(isEnough ? 0 : 1);

function run(folder, mutated) {
  const report = join(work, 'report.json');
  const configuration = join(work, 'stryker.config.json');
  writeFileSync(
    configuration,
    JSON.stringify(configurationFor(folder, flags.sample === '1' ? mutated : sampleOf(mutated), report)),
  );
  const stryker = ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run', configuration];
  const { status } = spawnSync(process.execPath, stryker, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  return printScore(folder, JSON.parse(readFileSync(report, 'utf8')));
}

function filesToMutate() {
  const isCode = (file) => new RegExp(`^src/(?:${Object.keys(FOLDERS).join('|')})/.*\\.ts$`).test(file);
  const git = (...parameters) => execFileSync('git', parameters, { cwd: ROOT, encoding: 'utf8' }).split('\n');
  if (flags.changed)
    return git('diff', '--name-only', '--diff-filter=AM', positionals[0] ?? 'main', '--', 'src').filter(isCode);
  const paths = positionals.length > 0 ? positionals : Object.keys(FOLDERS).map((name) => `src/${name}`);
  return git('ls-files', '--', ...paths).filter(isCode);
}

/** Returns every nth window of lines, counted over all files. A mutant is part of the sample if it is completely in a window. */
function sampleOf(paths) {
  const windows = paths.flatMap((path) => {
    const count = readFileSync(join(ROOT, path), 'utf8').split('\n').length;
    const starts = Array.from({ length: Math.ceil(count / WINDOW_LINES) }, (_, index) => index * WINDOW_LINES + 1);
    return starts.map((start) => `${path}:${start}-${Math.min(start + WINDOW_LINES - 1, count)}`);
  });
  return windows.filter((_, index) => index % Number(flags.sample) === 0);
}

function configurationFor(folder, mutate, fileName) {
  const testRegex = FOLDERS[folder].specs.map((spec) => `test/${spec}.*\\.spec\\.ts$`);
  return {
    packageManager: 'npm',
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
    jest: { projectType: 'custom', config: { ...jestConfig, ...QUICK, testRegex }, enableFindRelatedTests: false },
    coverageAnalysis: 'perTest',
    mutate,
    // A message may change without breaking a promise.
    mutator: { excludedMutations: ['StringLiteral', 'Regex'] },
    ignoreStatic: true,
    // Most of the time is spent on mutants whose tests wait for something that never happens.
    concurrency: 3,
    timeoutMS: 5_000,
    tempDirName: '.stryker-tmp',
    cleanTempDir: 'always',
    reporters: ['clear-text', 'json', 'progress-append-only'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    jsonReporter: { fileName },
  };
}

function printScore(folder, { files: mutated }) {
  const results = Object.values(mutated).flatMap(({ mutants }) => mutants.map(({ status }) => status));
  const count = (...statuses) => results.filter((status) => statuses.includes(status)).length;
  const [caught, timedOut, missed] = [count('Killed'), count('Timeout'), count('Survived', 'NoCoverage')];
  const all = caught + timedOut + missed;
  const score = all === 0 ? 100 : (100 * (caught + timedOut)) / all;
  const { minimum } = FOLDERS[folder];
  console.log(`${folder}: ${score.toFixed(1)} % of ${all} mutants (${timedOut} timed out), minimum ${minimum} %`);
  return score >= minimum;
}
