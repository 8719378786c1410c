// Runs the tests on other versions of Nest than the installed ones, in a temporary folder:
//   npm run test:nest                                      the lowest supported versions, as in CI
//   npm run test:nest -- 11.2.7 12.0.4                     some of the versions below
//   npm run test:nest -- 11.0.0 test/e2e/guard -t header   some tests of them, with the arguments of Jest
// Prints one line for each version, and the sum. Exits with 1 if a test fails. The newest Nest 12 is the installed one: `npm test`.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The packages that have the version of Nest, unless a set names another. */
const PACKAGES_OF_NEST = [
  ...['common', 'core', 'testing', 'platform-express', 'platform-fastify'],
  ...['websockets', 'platform-socket.io', 'platform-ws', 'microservices'],
];
const LOWEST_11 = {
  'platform-fastify': '11.2.4',
  graphql: '13.0.0',
  apollo: '13.2.0', // the first for @apollo/server 5
  mercurius: '13.2.0',
  swagger: '11.0.0',
  terminus: '11.0.0',
  config: '4.0.0',
  passport: '11.0.5',
};
const NEWEST_11 = {
  graphql: '13.4.5',
  apollo: '13.4.5',
  mercurius: '13.4.5',
  swagger: '11.4.7',
  terminus: '11.1.1',
  config: '4.0.4',
  passport: '11.0.5',
};
const LOWEST_12 = {
  graphql: '14.0.0',
  apollo: '14.0.0',
  mercurius: '14.0.0',
  swagger: '12.0.0',
  terminus: '12.0.0',
  config: '12.0.0',
  passport: '12.0.0',
};
const LAST_OF_11_2 = {
  testing: '11.2.6',
  'platform-fastify': '11.2.6',
  websockets: '11.2.6',
  'platform-socket.io': '11.2.6',
  'platform-ws': '11.2.6',
  microservices: '11.2.6',
};
const FIRST_OF_12 = {
  'platform-fastify': '12.0.2',
  websockets: '12.0.1',
  'platform-socket.io': '12.0.1',
  'platform-ws': '12.0.1',
  microservices: '12.0.1',
};

/** By the version of Nest: the packages of `@nestjs` that have another version. Not every package is published with each version. */
const SETS = {
  '11.0.0': { ...LOWEST_11, 'platform-ws': '11.0.5' },
  '11.1.29': { ...NEWEST_11, 'platform-fastify': '11.2.4' },
  '11.2.4': NEWEST_11,
  '11.2.7': { ...NEWEST_11, ...LAST_OF_11_2 },
  '11.2.10': { ...NEWEST_11, ...LAST_OF_11_2, 'platform-fastify': '11.2.8' },
  '12.0.0': { ...LOWEST_12, ...FIRST_OF_12 },
  '12.0.4': LOWEST_12,
};
const SETS_OF_CI = ['11.0.0', '12.0.0'];
const TESTS = ['test/e2e', 'test/unit/nest', 'test/unit/swagger', 'test/unit/testing'];
/** Tests of issuers, keys, tokens and the command line, which do not depend on the version of Nest. */
const LEFT_OUT = [
  '/node_modules/',
  '/e2e/(attacks|authorization-server|custom-fetch|demo|doctor|faults|issuers|keys|real-issuers)',
];

const [versions, jestArguments] = readArguments(process.argv.slice(2));
const work = realpathSync(mkdtempSync(join(tmpdir(), 'nest-versions-')));
const project = join(work, 'project');
const sum = { failed: 0, passed: 0 };
try {
  copyProject();
  for (const version of versions) test(version);
} finally {
  rmSync(work, { recursive: true });
}
console.log(`Tests: ${sum.failed} failed, ${sum.passed} passed, ${sum.failed + sum.passed} total`);
process.exit(sum.failed === 0 ? 0 : 1);

function readArguments(given) {
  const first = given.findIndex((each) => !/^\d/.test(each));
  const count = first === -1 ? given.length : first;
  const unknown = given.slice(0, count).filter((version) => !Object.hasOwn(SETS, version));
  if (unknown.length > 0) {
    console.error(`No such version: ${unknown.join(', ')}. There are ${Object.keys(SETS).join(', ')}`);
    process.exit(1);
  }
  const tests = first === -1 ? [...TESTS, '--testPathIgnorePatterns', ...LEFT_OUT] : given.slice(first);
  return [count > 0 ? given.slice(0, count) : SETS_OF_CI, tests];
}

function copyProject() {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', list, { cwd: ROOT, encoding: 'utf8' }).split('\0');
  for (const file of files.filter((each) => each !== '' && existsSync(join(ROOT, each))))
    cpSync(join(ROOT, file), join(project, file), { recursive: true });
}

function test(version) {
  const startedAt = Date.now();
  installPackages(version);
  const report = join(work, 'report.json');
  rmSync(report, { force: true });
  const options = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  const jest = [...options, '--json', `--outputFile=${report}`, ...jestArguments];
  spawnSync(process.execPath, jest, { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  const { numFailedTests, numPassedTests, success } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : {};
  // A file that cannot be loaded has no failed test.
  const failed = success === true ? 0 : Math.max(1, numFailedTests ?? 0);
  const passed = numPassedTests ?? 0;
  sum.failed += failed;
  sum.passed += passed;
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.log(`Nest ${version}: ${passed} passed, ${failed} failed, ${seconds} s`);
}

/** Installs the packages of the set, and links all others to those of the repository. */
function installPackages(version) {
  const folder = join(work, 'packages');
  const ofNest = Object.fromEntries(PACKAGES_OF_NEST.map((name) => [name, version]));
  const names = Object.entries({ ...ofNest, ...SETS[version] }).map(([name, exact]) => [`@nestjs/${name}`, exact]);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ dependencies: Object.fromEntries(names) }));
  // Peers are those of the repository.
  const npm = ['install', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', npm, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(join(project, 'node_modules'), { recursive: true, force: true });
  renameSync(join(folder, 'node_modules'), join(project, 'node_modules'));
  rmSync(folder, { recursive: true });
  for (const name of packagesOf(join(ROOT, 'node_modules'))) {
    const link = join(project, 'node_modules', name);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), link, 'dir');
  }
}

function packagesOf(folder) {
  const names = readdirSync(folder).filter((name) => !name.startsWith('.'));
  return names.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(folder, name)).map((inner) => `${name}/${inner}`) : [name],
  );
}
