import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix, relative } from 'node:path';
import ts from 'typescript';
import { readExamples, readPages } from './pages.js';

const root = process.cwd();
const pages = readPages();

const complete = pages.filter(({ files }) => files.length > 0);

function testsOf(name: string): string[] {
  const files = pages.find((page) => page.name === name)?.files ?? [];
  return files.map(({ path }) => path).filter((path) => path.endsWith('spec.ts'));
}

/** The paths of the tests that import Vitest instead of Jest. */
const vitestPaths = complete.flatMap(({ name, files }) =>
  files.filter(({ code }) => /^import .* from 'vitest';$/m.test(code)).map(({ path }) => join(name, path)),
);

const examples = readExamples();

describe('The code of the README, of docs and of doc comments', () => {
  it('compiles', () => {
    const files = new Map([
      ...pages.flatMap(({ name, blocks, files }) => [
        ...blocks
          .filter(({ path }) => path?.endsWith('.ts') !== true)
          .map(({ path = 'index.ts', code }, index) => [join(root, 'pages', name, String(index), path), code] as const),
        ...files.map(({ path, code }) => [join(root, 'pages', name, path), code] as const),
      ]),
      ...Array.from(examples, ([path, code]) => [join(root, 'examples', path), code] as const),
    ]);
    const host = compilerHostWith(files);
    // A block that augments the types of the package affects its whole program, so compile it separately.
    const augments = (path: string) => files.get(path)?.includes('declare module') === true;
    const paths = [...files.keys()];
    const programs = [paths.filter((path) => !augments(path)), ...paths.filter(augments).map((path) => [path])];
    for (const names of programs) {
      const program = ts.createProgram(names, host.options, host);
      const diagnostics = names.flatMap((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name)));
      expect(diagnostics.map(({ file, messageText }) => [file?.fileName, messageText])).toEqual([]);
    }
    expect(pages).not.toEqual([]);
    expect(examples.size).toBeGreaterThan(8);
  }, 120_000);
});

/** A compiler host in which these files exist, and the name of the package means its source. */
function compilerHostWith(files: ReadonlyMap<string, string>): ts.CompilerHost & { options: ts.CompilerOptions } {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(config.config, ts.sys, root).options,
    noEmit: true,
    allowJs: true,
    checkJs: true,
    paths: {
      'nestjs-resource-server': [join(root, 'src/index.ts')],
      'nestjs-resource-server/*': [join(root, 'src/*.ts')],
    },
  };
  const host = ts.createCompilerHost(options);
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  // The programs share the parsed sources.
  const sources = new Map<string, ts.SourceFile | undefined>();
  return {
    ...host,
    options,
    fileExists: (path) => files.has(path) || host.fileExists(path),
    directoryExists: (path) => folders.has(path) || ts.sys.directoryExists(path),
    readFile: (path) => files.get(path) ?? host.readFile(path),
    getSourceFile: (path, version, ...rest) => {
      const code = files.get(path);
      if (code !== undefined) return ts.createSourceFile(path, code, version);
      if (!sources.has(path)) sources.set(path, host.getSourceFile(path, version, ...rest));
      return sources.get(path);
    },
  };
}

describe('The complete files of a page', () => {
  it.each(complete)('have different paths, and a test imports each of them: $name', ({ name, files }) => {
    const sources = new Map(files.map(({ path, code }) => [path, code]));
    expect(sources.size).toBe(files.length);
    expect(testsOf(name)).not.toEqual([]);
    const imported = new Set<string>();
    const follow = (path: string) => {
      if (imported.has(path)) return;
      imported.add(path);
      for (const [, file = ''] of (sources.get(path) ?? '').matchAll(/(?:from |import |import\()'(\.[^']+)\.js'/g))
        follow(posix.join(posix.dirname(path), `${file}.ts`));
    };
    testsOf(name).forEach(follow);
    const unused = [...sources.keys()].filter((path) => !imported.has(path));
    expect(unused).toEqual([]);
  });
});

/** The part of Jest's report about one test file. */
interface SuiteReport {
  readonly name: string;
  readonly status: string;
  /** Why the file could not be loaded, or why its tests failed. */
  readonly message?: string;
  readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
}

describe('The tests of a page', () => {
  let folder: string;
  let suites: readonly SuiteReport[];

  // One run for all pages, because the start of Jest takes longer than most of the tests.
  beforeAll(async () => {
    // In the root of the repository, where imports find the installed packages.
    folder = await mkdtemp(join(root, '.docs-check-'));
    for (const { name, files } of complete) {
      for (const { path, code } of files) {
        await mkdir(dirname(join(folder, name, path)), { recursive: true });
        await writeFile(join(folder, name, path), code);
      }
    }
    suites = [...(await runJest(folder)), ...(vitestPaths.length === 0 ? [] : await runVitest(folder))];
  }, 450_000);

  afterAll(() => rm(folder, { recursive: true }));

  it.each(complete.map(({ name }) => name))('pass: %s', (name) => {
    const ofPage = suites.flatMap((suite) =>
      testsOf(name)
        .filter((path) => relative(folder, suite.name) === join(name, path))
        .map((path) => ({ suite, path })),
    );
    expect(ofPage.map(({ path }) => path).sort()).toEqual(testsOf(name).sort());
    for (const { suite } of ofPage) {
      expect([suite.message ?? '', suite.status]).toEqual(['', 'passed']);
      expect(suite.assertionResults.filter(({ status }) => status !== 'passed')).toEqual([]);
      expect(suite.assertionResults).not.toEqual([]);
    }
  });
});

async function runJest(folder: string): Promise<readonly SuiteReport[]> {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const ignored = vitestPaths.map((path) => `--testPathIgnorePatterns=/${path}$`);
  const options = [
    `--roots=${folder}`,
    '--testRegex=spec.ts$',
    ...ignored,
    '--testTimeout=30000',
    '--silent',
    '--json',
  ];
  return runTests(join(folder, 'jest.json'), [...flags, 'node_modules/jest/bin/jest.js', ...options]);
}

async function runVitest(folder: string): Promise<readonly SuiteReport[]> {
  const aliases = [
    { find: 'nestjs-resource-server/testing', replacement: join(root, 'src/testing.ts') },
    { find: 'nestjs-resource-server', replacement: join(root, 'src/index.ts') },
  ];
  const config = { root: folder, resolve: { alias: aliases }, test: { include: vitestPaths, testTimeout: 30_000 } };
  await writeFile(join(folder, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};`);
  // Vite reads the options of decorators from the configuration that includes a file.
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json', include: ['**/*.ts'] }));
  const options = ['run', '--config', join(folder, 'vitest.config.mjs'), '--reporter=json'];
  return runTests(join(folder, 'vitest.json'), ['node_modules/vitest/vitest.mjs', ...options]);
}

/** Runs a command of Jest or Vitest, which write the same kind of report. */
async function runTests(report: string, args: readonly string[]): Promise<readonly SuiteReport[]> {
  const stderr = await new Promise<string>((resolve) => {
    // A failed test makes the command exit with 1, which is not an error here: the report has the results.
    execFile(
      process.execPath,
      [...args, `--outputFile=${report}`],
      { maxBuffer: 2 ** 24, timeout: 400_000 },
      (_error, _stdout, text) => {
        resolve(text);
      },
    );
  });
  const text = await readFile(report, 'utf8').catch(() => {
    throw new Error(`There is no report of the tests: ${stderr}`);
  });
  return (JSON.parse(text) as { testResults: readonly SuiteReport[] }).testResults;
}
