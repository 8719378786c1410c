import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { ERRORS } from '../../src/model/errors.js';
import type { AuthOptions } from '../../src/index.js';
import { REMOTE_KEY_DEFAULTS } from '../../src/options/defaults.js';
import type { ResolvedKeys } from '../../src/options/resolve-keys.js';
import { OPTION_NAMES, resolveOptions } from '../../src/options/resolve-options.js';
import { pages } from '../support/pages.js';

const root = process.cwd();
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The rows of the table under these headings, cells trimmed, backticks and escapes taken off. */
function tableUnder(...headings: string[]): string[][] {
  const lines = readme.split('\n');
  const isHeading = (line: string) =>
    headings.every((heading, index) => line.split('|').map((cell) => cell.trim())[index + 1] === heading);
  const start = lines.findIndex(isHeading);
  const rows = lines.slice(start + 2);
  return rows
    .slice(
      0,
      rows.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const bare = (cell = '') => cell.replaceAll('`', '').replace(/\s*\\?\*$/, '');

describe("the README's error table", () => {
  const rows = tableUnder('code', 'status', '`error`', 'description');

  it('is the table of the source, row by row', () => {
    expect(rows.map((row) => row.map(bare))).toEqual(
      Object.entries(ERRORS).map(([code, row]: [string, { status: number; error?: string; description: string }]) => [
        code,
        String(row.status),
        row.error ?? '',
        row.description,
      ]),
    );
  });
});

describe("the README's options table", () => {
  const rows = tableUnder('option', 'default', 'meaning');
  const names = rows.map(([name]) => bare(name));
  const defaults = new Map(rows.map(([name, value]) => [bare(name), bare(value)]));

  it('has every option of the source, and no other', () => {
    const keys = ['from', 'uri', 'jwks', 'jwksOrigins', ...Object.keys(REMOTE_KEY_DEFAULTS)].map(
      (name) => `keys.${name}`,
    );
    expect([...names].sort()).toEqual([...OPTION_NAMES, ...keys].sort());
  });

  it('has a meaning for each', () => {
    for (const [name, , meaning = ''] of rows) expect([name, meaning.length > 10]).toEqual([name, true]);
  });

  it('gives the defaults that the source fills in', () => {
    const options: AuthOptions = { issuer: 'https://issuer.example.com/', audience: 'x' };
    const resolved = resolveOptions(options);
    const [issuer] = resolved.issuers as Extract<typeof resolved.issuers, readonly unknown[]>;
    const keys = issuer?.keys as Extract<ResolvedKeys, { from: 'discovery' }>;
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text of our own README
    const evaluate = (text = '') => (new Function(`return (${text})`) as () => unknown)();
    for (const name of Object.keys(REMOTE_KEY_DEFAULTS).filter((option) => option !== 'fallback')) {
      expect([name, evaluate(defaults.get(`keys.${name}`))]).toEqual([name, keys[name as 'timeoutMs']]);
    }
    expect(evaluate(defaults.get('keys.from'))).toBe(keys.from);
    expect(evaluate(defaults.get('clockToleranceSeconds'))).toBe(issuer?.clockToleranceSeconds);
    expect(evaluate(defaults.get('warmUp'))).toBe(resolved.warmUp);
    expect(evaluate(defaults.get('insecureAllowHttp'))).toBe(resolved.insecureAllowHttp);
    expect(defaults.get('clock')).toBe('Date.now');
    // What the table says to write is what is there when it is not written.
    for (const name of ['keys', 'tokenTypes', 'requiredClaims', 'claimPaths', 'tokenCache']) {
      const written = resolveOptions({ ...options, [name]: evaluate(defaults.get(name)) });
      expect([name, written]).toEqual([name, resolved]);
    }
    expect(rows.find(([name]) => bare(name) === 'algorithms')?.[2]).toContain(
      [...(issuer?.algorithms ?? [])].join(' '),
    );
  });
});

describe('the code of README and docs', () => {
  const blocks = pages().flatMap(({ name, files }) =>
    // A file that says where it stands may be imported by others of its page.
    files.map(({ path, code }, index) => ({ path: join(root, 'readme', name, path ?? `${String(index)}.ts`), code })),
  );

  it('is there before line 30, with the two commands', () => {
    const lines = readme.split('\n');
    expect(lines.indexOf('```', lines.indexOf('```ts'))).toBeLessThan(29);
    expect(readme).toContain('npm ci && npm run demo');
    expect(readme).toContain('npm ci && npm test');
  });

  it('compiles, every block of it', () => {
    const files = new Map(blocks.map(({ path, code }) => [path, code]));
    const { options } = ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)).config,
      ts.sys,
      root,
    );
    const paths = {
      'nestjs-resource-server': [join(root, 'src/index.ts')],
      'nestjs-resource-server/*': [join(root, 'src/*.ts')],
    };
    Object.assign(options, { noEmit: true, paths });
    const host = ts.createCompilerHost(options);
    const fileExists = host.fileExists.bind(host);
    const readFile = host.readFile.bind(host);
    const getSourceFile = host.getSourceFile.bind(host);
    const folders = new Set([...files.keys()].map((path) => dirname(path)));
    host.fileExists = (path) => files.has(path) || fileExists(path);
    host.directoryExists = (path) => folders.has(path) || ts.sys.directoryExists(path);
    host.readFile = (path) => files.get(path) ?? readFile(path);
    // Read and parsed once for all programs.
    const sources = new Map<string, ts.SourceFile | undefined>();
    host.getSourceFile = (path, version, ...rest) => {
      const code = files.get(path);
      if (code !== undefined) return ts.createSourceFile(path, code, version);
      if (!sources.has(path)) sources.set(path, getSourceFile(path, version, ...rest));
      return sources.get(path);
    };
    // One by one where a block augments the package's types: that holds for the whole program.
    const isAlone = (path: string) => files.get(path)?.includes('declare module') ?? false;
    const together = [...files.keys()].filter((path) => !isAlone(path));
    for (const names of [together, ...[...files.keys()].filter(isAlone).map((path) => [path])]) {
      const program = ts.createProgram(names, options, host);
      // Of the blocks only: the source has a check of its own.
      const diagnostics = names.flatMap((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name)));
      expect(diagnostics.map(({ file, messageText }) => [file?.fileName, messageText])).toEqual([]);
    }
    expect(blocks.length).toBeGreaterThan(40);
  }, 120_000);
});
