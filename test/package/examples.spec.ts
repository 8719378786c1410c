import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { cp, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { emptyFolder, pack, run, startExample } from './packed.js';

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let tarball: string;

beforeAll(async () => {
  folder = await emptyFolder();
  tarball = (await pack(folder.path)).path;
}, 60_000);

afterAll(() => folder.remove());

it.each(['quick-start', 'keycloak'])(
  'the example %s starts with the packed package, and its commands get the responses that it names',
  async (name) => {
    const example = join(folder.path, name);
    await cp(join('examples', name), example, {
      recursive: true,
      filter: (path) => !['dist', 'node_modules'].includes(basename(path)),
    });
    await run(example, 'npm', 'install', tarball);
    const { calls, stop } = await startExample(example);
    try {
      expect(calls.length).toBeGreaterThan(2);
      for (const { title, expected, url, authorization } of calls) {
        const { status } = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
        expect({ title, status }).toEqual({ title, status: expected });
      }
    } finally {
      await stop();
    }
    const readme = await readFile(join(example, 'README.md'), 'utf8');
    expect(readme).toContain('npm install\nnpm start\n');
  },
  180_000,
);
