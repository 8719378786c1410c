import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pages } from '../support/pages.js';

const root = process.cwd();
const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

const isTest = (path = '') => path.endsWith('spec.ts');
const testing = pages().filter(({ files }) => files.some(({ path }) => isTest(path)));

describe('The complete files of a page', () => {
  it('are there', () => {
    expect(testing.map(({ name }) => name)).toContain('testing');
  });

  it.each(testing.map((page) => [page.name, page.files] as const))(
    'run, and their tests pass: docs/%s.md',
    async (_name, files) => {
      // In this folder, where the packages are found.
      const folder = await mkdtemp(join(root, '.docs-check-'));
      folders.push(folder);
      for (const { path, code } of files) {
        if (path === undefined) continue;
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), code);
      }
      const jest = join(root, 'node_modules/jest/bin/jest.js');
      const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
      const { stderr } = await promisify(execFile)(process.execPath, [
        ...flags,
        jest,
        `--roots=${folder}`,
        '--testRegex=spec.ts$',
        '--silent',
      ]);
      const count = files.filter(({ path }) => isTest(path)).length;
      expect(stderr).toContain(`Test Suites: ${String(count)} passed, ${String(count)} total`);
    },
    60_000,
  );
});
