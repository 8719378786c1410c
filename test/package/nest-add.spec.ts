import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { emptyFolder, pack, run } from './packed.js';

const PROVIDER = [
  '--provider=entraId',
  '--issuer=https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0',
  '--audience=66666666-7777-8888-9999-000000000000',
];

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let tarball: string;

beforeAll(async () => {
  folder = await emptyFolder();
  ({ path: tarball } = await pack(folder.path));
}, 60_000);

afterAll(() => folder.remove(), 60_000);

describe.each(['12', '11'])('nest add in a new application of Nest CLI %s', (version) => {
  let app: string;
  let remove: () => Promise<void>;
  let fresh: string;
  /** The same application, before `nest add`. */
  let untouched: string;

  // `nest add <tarball>` does not work, because the CLI appends "@latest". With --skip-install it does everything but install.
  const nestAdd = (folder = app, options = PROVIDER) =>
    run(folder, 'npx', 'nest', 'add', 'nestjs-resource-server', '--skip-install', ...options);
  const module = () => join(app, 'src', 'app.module.ts');

  beforeAll(async () => {
    let parent: string;
    ({ path: parent, remove } = await emptyFolder());
    const flags = ['--skip-git', '--skip-install', '--package-manager', 'npm'];
    await run(parent, 'npx', '--yes', `@nestjs/cli@${version}`, 'new', 'app', ...flags);
    app = join(parent, 'app');
    await run(app, 'npm', 'install', '--ignore-scripts', tarball);
    fresh = readFileSync(module(), 'utf8');
    untouched = join(parent, 'untouched');
    cpSync(app, untouched, { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    symlinkSync(join(app, 'node_modules'), join(untouched, 'node_modules'));
    await nestAdd();
  }, 300_000);

  afterAll(() => remove(), 60_000);

  it('results in an application that builds and passes its linter and Prettier', async () => {
    await run(app, 'npm', 'run', 'build');
    await run(app, 'npm', 'run', 'lint');
    await run(app, 'npx', 'prettier', '--check', 'src', 'test');
  }, 120_000);

  it('results in an application whose tests pass, including the added one', async () => {
    await run(app, 'npm', 'test');
    await run(app, 'npm', 'run', 'test:e2e');
  }, 120_000);

  it('adds a test that fails if the application does not require tokens', async () => {
    const closed = readFileSync(module(), 'utf8');
    writeFileSync(module(), fresh);
    try {
      await expect(run(app, 'npm', 'run', 'test:e2e')).rejects.toThrow(/expected 401 "Unauthorized", got 200 "OK"/);
    } finally {
      writeFileSync(module(), closed);
    }
  }, 120_000);

  it('results in an application that reports missing variables and how to load .env', async () => {
    await expect(run(app, 'npm', 'run', 'start')).rejects.toThrow(
      /`nest start --env-file \.env`[\s\S]*ENTRA_TENANT_ID: is missing\. Set it to the value of `tenantId`\.\s+- AUTH_AUDIENCE: is missing/,
    );
  }, 60_000);

  it('changes nothing if the application would not start, and reports the reason', async () => {
    const options = '--provider=entraId --issuer=login.microsoftonline.com/common/v2.0 --audience=api://a';
    // Nest CLI 11 exits with 0 even then.
    const command = `npx nest add nestjs-resource-server --skip-install ${options} 2>&1 || true`;
    expect(await run(untouched, 'sh', '-c', command)).toMatch(
      /--issuer \(tenantId\): .*common[\s\S]*--audience: .*client id/,
    );
    expect(readFileSync(join(untouched, 'src', 'app.module.ts'), 'utf8')).toBe(fresh);
  }, 60_000);

  it('accepts an audience with more digits than a number can hold', async () => {
    await nestAdd(untouched, ['--provider=zitadel', '--audience=69234237810729019']);
    expect(readFileSync(join(untouched, '.env.example'), 'utf8')).toContain('AUTH_AUDIENCE=69234237810729019\n');
  }, 60_000);

  it('changes nothing in a second run', async () => {
    expect(await nestAdd()).toContain('Nothing to be done');
  }, 60_000);
});
