import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative, sep } from 'node:path';
import { ERRORS } from '../../src/model/errors.js';
import { pages } from '../support/pages.js';

const root = process.cwd();

/** The pages whose complete files make an application with tests. */
const RUN = [
  'README',
  'authorization',
  'errors',
  'migration',
  'observability',
  'providers',
  'resilience',
  'security',
  'swagger',
  'tenants',
  'testing',
  'transports',
];

/** What a team has before: it is there to be taken away. */
const NOT_RUN = /^migration\/[^/]+\/before\//;

interface Suite {
  /** Of the file. */
  readonly name: string;
  readonly status: string;
  /** Of the file as a whole, where it could not be loaded, or of its tests. */
  readonly message: string;
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

const complete = pages().map(({ name, files }) => ({
  name,
  files: files.flatMap(({ path, code }) => (path === undefined ? [] : [{ path, code }])),
}));
const testsOf = (name: string) =>
  (complete.find((page) => page.name === name)?.files ?? [])
    .map(({ path }) => path)
    .filter((path) => path.endsWith('spec.ts'));

describe('The complete files of a page', () => {
  it.each(complete)('have each a path of their own: $name', ({ files }) => {
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual([...new Set(paths)]);
  });

  it('are run, of each page that has any', () => {
    expect(complete.flatMap(({ name, files }) => (files.length > 0 ? [name] : [])).sort()).toEqual(RUN);
    expect(RUN.filter((name) => testsOf(name).length === 0)).toEqual([]);
  });

  it.each(complete)('are imported by a test, or by what it imports: $name', ({ name, files }) => {
    const sources = new Map(files.map(({ path, code }) => [path, code]));
    const reached = new Set<string>();
    const reach = (path: string) => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const [, file = ''] of (sources.get(path) ?? '').matchAll(/(?:from |import |import\()'(\.[^']+)\.js'/g))
        reach(posix.join(posix.dirname(path), `${file}.ts`));
    };
    testsOf(name).forEach(reach);
    expect([...sources.keys()].filter((path) => !reached.has(path) && !NOT_RUN.test(`${name}/${path}`))).toEqual([]);
  });
});

describe('The tests of a page', () => {
  let folder: string;
  let suites: readonly Suite[];

  // One run for all: to start Jest takes longer than most of the tests.
  beforeAll(async () => {
    // In this folder, where the packages are found.
    folder = await mkdtemp(join(root, '.docs-check-'));
    for (const { name, files } of complete) {
      for (const { path, code } of files) {
        await mkdir(dirname(join(folder, name, path)), { recursive: true });
        await writeFile(join(folder, name, path), code);
      }
    }
    suites = await runJest(folder);
  }, 150_000);

  afterAll(() => rm(folder, { recursive: true }));

  it.each(RUN)('pass: %s', (name) => {
    const run = suites
      .map((suite) => ({ suite, path: relative(folder, suite.name).split(sep) }))
      .filter(({ path: [page] }) => page === name);
    expect(run.map(({ path }) => path.slice(1).join('/')).sort()).toEqual(testsOf(name).sort());
    for (const { suite } of run) {
      expect([suite.message, suite.status]).toEqual(['', 'passed']);
      const states = suite.assertionResults.map(({ fullName, status }) => [fullName, status]);
      expect(states).toEqual(suite.assertionResults.map(({ fullName }) => [fullName, 'passed']));
      expect(states).not.toEqual([]);
    }
  });
});

async function runJest(folder: string): Promise<readonly Suite[]> {
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const report = join(folder, 'report.json');
  const options = [`--roots=${folder}`, '--testRegex=spec.ts$', '--silent', '--json', `--outputFile=${report}`];
  const stderr = await new Promise<string>((resolve) => {
    // A test that fails makes it exit with 1; the report says which.
    execFile(
      process.execPath,
      [...flags, jest, ...options],
      { maxBuffer: 2 ** 24, timeout: 140_000 },
      (_error, _stdout, text) => {
        resolve(text);
      },
    );
  });
  const text = await readFile(report, 'utf8').catch(() => {
    throw new Error(`Jest has made no report: ${stderr}`);
  });
  return (JSON.parse(text) as { testResults: readonly Suite[] }).testResults;
}

describe('docs/errors.md', () => {
  const page = readFileSync('docs/errors.md', 'utf8');
  const sections = new Map(
    page.split(/^#{2,3} /m).map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
  );
  const reserved = sections.get('Codes that are not raised yet') ?? '';

  it.each(Object.entries(ERRORS))('says what %s means, why it happens and how to mend it', (code, { status }) => {
    const section = sections.get(code);
    if (section === undefined) {
      // Of those that nothing raises a row will do: the code, what it means, the mend.
      expect(reserved).toMatch(new RegExp(`^\\| \`${code}\` ${String(status)} +\\| \\S.*\\| \\S.*\\|$`, 'm'));
      return;
    }
    const [meaning = '', ...causes] = section.split(/^(?=[-|] )/m);
    expect(meaning).toContain(`**${String(status)}**`);
    expect(meaning.split(/\s+/).length).toBeGreaterThan(8);
    expect(causes.length).toBeGreaterThan(1);
    expect(page).toContain(`[${code}](#${code.toLowerCase()})`);
  });
});
