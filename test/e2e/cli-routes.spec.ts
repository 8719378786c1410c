import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transformFile } from '@swc/core';
import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { closing, createApplication } from '../support/cli-applications.js';
import { command } from '../support/command.js';

const APPLICATIONS = 'test/support/cli-applications.ts';

/** Files that start an application, each once. */
const MAINS = 'test/support/cli-mains';

const routes = (...parameters: string[]) => command(['routes', APPLICATIONS, ...parameters]);

describe('routes', () => {
  it('prints the doors of the module that the file exports, and who may enter', async () => {
    const { exitCode, stdout, stderr } = await routes();
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        'http  GET  /orders         guarded         OrdersController.list    @RequireScopes all of read:orders (handler)',
        'http  GET  /orders/health  open (handler)  OrdersController.health',
        '',
      ].join('\n'),
    );
  });

  it('prints one JSON document, with the doors that --fail-on names', async () => {
    const { exitCode, stdout } = await routes('--json', '--fail-on', 'open,unguarded');
    const document = JSON.parse(stdout) as { routes: unknown[]; warnings: unknown[]; failed: unknown[] };
    expect(exitCode).toBe(1);
    expect(document.routes).toHaveLength(2);
    expect(document.warnings).toEqual([]);
    expect(document.failed).toEqual([expect.objectContaining({ pattern: '/orders/health', access: 'open' })]);
  });

  it('ends with 1 where there are doors that nobody guards, and names them', async () => {
    const { exitCode, stdout, stderr } = await routes('--export', 'ManualModule', '--fail-on', 'unguarded');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('warning: No AuthGuard protects OrdersController.list');
    expect(stderr).toBe('--fail-on unguarded: 1 of 2\n  GET /orders (unguarded)\n');
    expect((await routes('--export', 'ManualModule')).exitCode).toBe(0);
  });

  it('closes the application, and tells what it found even when that fails', async () => {
    closing.count = 0;
    expect((await routes()).exitCode).toBe(0);
    expect(closing.count).toBe(1);
    const { exitCode, stdout, stderr } = await routes('--export', 'createUnclosable');
    expect([exitCode, stderr]).toEqual([0, 'The application does not close: no way out\n']);
    expect(stdout).toContain('/orders/health');
  });

  it('takes a function that creates the application', async () => {
    const { exitCode, stdout } = await routes('--export', 'createApplication');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('/orders/health');
  });

  it('does not claim to know how a module is connected to microservices; a function tells', async () => {
    const module = await routes('--export', 'JobsModule', '--fail-on', 'unknown');
    expect(module.exitCode).toBe(1);
    expect(module.stdout).toMatch(/rpc +message +job +unknown/);
    expect(module.stdout).toMatch(/rpc +message +own +guarded/);
    expect(module.stdout).toContain('warning: Message handlers are guarded where connectMicroservice() is given');
    const hybrid = await routes('--export', 'createHybrid', '--fail-on', 'unknown,unguarded');
    expect(hybrid.stdout).toMatch(/rpc +message +job +guarded/);
    expect(hybrid.exitCode).toBe(0);
  });

  it.each([
    [
      'a file that is not there',
      ['dist/nothing.js'],
      2,
      'There is no file dist/nothing.js. Build the application first',
    ],
    ['an export that is not there', [APPLICATIONS, '--export', 'Nope'], 2, 'exports no Nope. It exports: AppModule,'],
    ['an export that is no module', [APPLICATIONS, '--export', 'settings'], 2, 'neither a class with @Module() nor'],
    [
      'a file without a module',
      ['jest.config.mjs'],
      2,
      'Nor did it begin to start one: give the file of the root module',
    ],
    ['an application without AuthModule', [APPLICATIONS, '--export', 'OpenModule'], 1, 'has no AuthModule'],
    [
      'an application that does not start',
      [APPLICATIONS, '--export', 'BrokenModule'],
      3,
      'does not start: no database',
    ],
    ['a function whose application does not start', [APPLICATIONS, '--export', 'startBroken'], 3, 'no database'],
    ['a main whose application does not start', [`${MAINS}/broken.ts`], 3, 'does not start: no database'],
    [
      'an export of a file that starts its application',
      [`${MAINS}/awaited.ts`, '--export', 'app'],
      2,
      'starts an application: leave --export out',
    ],
    ['a function that returns nothing', [APPLICATIONS, '--export', 'createNothing'], 2, 'returns no Nest application'],
    [
      'an access that there is not',
      [APPLICATIONS, '--fail-on', 'closed'],
      2,
      '--fail-on takes open, unguarded, unknown',
    ],
  ])('says what is wrong with %s', async (_name, parameters, exitCode, message) => {
    const ran = await command(['routes', ...parameters]);
    expect([ran.exitCode, ran.stdout]).toEqual([exitCode, '']);
    expect(ran.stderr).toContain(message);
  });
});

describe('routes of a file that starts its application', () => {
  const taken = createServer();
  const before = process.env.PORT;

  // Whoever listens there fails.
  beforeAll(async () => {
    await new Promise<void>((settle) => taken.listen(0, '127.0.0.1', settle));
    process.env.PORT = String((taken.address() as AddressInfo).port);
  });

  afterAll(async () => {
    await new Promise((settle) => taken.close(settle));
    if (before === undefined) delete process.env.PORT;
    else process.env.PORT = before;
  });

  it.each<[string, string, RegExp]>([
    ['hybrid, and not waited for', 'hybrid', /^rpc +message +job +guarded/],
    ['a microservice that exports how', 'microservice', /^rpc +message +job +guarded/],
    ['by another file, and not at once', 'by-another', /^http +GET +.orders +guarded/],
  ])('has the application made, and nothing listen: %s', async (_what, name, expected) => {
    const { exitCode, stdout, stderr } = await command(['routes', `${MAINS}/${name}.ts`]);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(expected);
  });

  it('does not claim to know what becomes of one that is only initialized, as a function of a cloud does it', async () => {
    const { exitCode, stdout, stderr } = await command(['routes', `${MAINS}/handler.ts`]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^rpc +message +job +unknown/)]);
    expect(stderr).toContain('warning: The application was initialized, and did not listen');
  });

  it.each<[string, RegExp]>([
    ['connects-late', /^rpc +message +job +unguarded/],
    ['seeds-first', /^http +GET +.orders +guarded/],
  ])('waits for a main that does more before it listens: %s', async (name, expected) => {
    const { exitCode, stdout } = await command(['routes', `${MAINS}/${name}.ts`]);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(expected)]);
  });

  it('takes what a function returns, and not an application that it made on the way', async () => {
    const { exitCode, stdout } = await routes('--export', 'seedAndCreate');
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('/orders/health')]);
  });

  it('does not take one of several applications for all of them', async () => {
    const { exitCode, stdout, stderr } = await command(['routes', `${MAINS}/several.ts`]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('several.ts starts several applications: give the file of the root module of each.');
  });

  it('warns where there may be another application behind the first', async () => {
    const { exitCode, stdout, stderr } = await command(['routes', `${MAINS}/one-after-the-other.ts`]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('/orders/health')]);
    expect(stderr).toMatch(/^warning: The file makes applications in several places/);
  });

  it('takes a function that has it listen', async () => {
    closing.count = 0;
    const { exitCode, stdout } = await routes('--export', 'startAndListen');
    expect([exitCode, closing.count]).toEqual([0, 1]);
    expect(stdout).toContain('/orders/health');
  });

  it('leaves Nest as it was', async () => {
    const app = await createApplication();
    await app.listen(0, '127.0.0.1');
    expect(await app.getUrl()).toMatch(/^http:/);
    await app.close();
  });
});

describe('the executable', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-cli-'));
    await installInto(folder);
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const body = `
class OrdersController { list() { return []; } }
Controller('orders')(OrdersController);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));
class AppModule {}
Module({ imports: [AuthModule.forRoot({ issuer: 'https://issuer.example.com', audience: 'a' })], controllers: [OrdersController] })(AppModule);
console.log('the application prints');
setInterval(() => undefined, 1_000);
`;
    const names = ['{ Controller, Get, Module }', '{ AuthModule }'] as const;
    await writeFile(
      join(folder, 'app.module.mjs'),
      `import ${names[0]} from '@nestjs/common';\nimport ${names[1]} from 'nestjs-resource-server';${body}export { AppModule };\n`,
    );
    await writeFile(
      join(folder, 'app.module.cjs'),
      `const ${names[0]} = require('@nestjs/common');\nconst ${names[1]} = require('nestjs-resource-server');${body}exports.AppModule = AppModule;\n`,
    );
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['app.module.mjs', 'app.module.cjs'])(
    'reports the application in %s, whatever that prints, and ends although it would not',
    async (file) => {
      const { exitCode, stdout, stderr } = await execute(folder, ['routes', file, '--json']);
      expect([exitCode, stderr]).toEqual([0, 'the application prints\n']);
      expect((JSON.parse(stdout) as { routes: unknown[] }).routes).toEqual([
        expect.objectContaining({ pattern: '/orders', access: 'guarded' }),
      ]);
    },
  );

  it('reports an application that imports another copy of the package than the one that runs', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await cp(join(folder, 'node_modules/nestjs-resource-server'), elsewhere, { recursive: true });
    const { exitCode, stdout } = await execute(
      folder,
      ['routes', 'app.module.mjs'],
      '',
      join(elsewhere, 'dist/cli.js'),
    );
    expect([exitCode, stdout]).toEqual([0, 'http  GET  /orders  guarded  OrdersController.list\n']);
  });

  it('says what a file throws when it is loaded', async () => {
    await writeFile(join(folder, 'broken.mjs'), "throw new Error('no settings');");
    const { exitCode, stdout, stderr } = await execute(folder, ['routes', 'broken.mjs']);
    expect([exitCode, stdout, stderr]).toEqual([3, '', 'error: broken.mjs cannot be loaded: no settings.\n']);
  });

  it.each<[string, string]>([
    ['ends the process', 'process.exit(0);'],
    ['has a function that never returns', 'export const create = () => new Promise(() => undefined);'],
  ])('does not end with 0 where nothing was looked at: a file that %s', async (_what, code) => {
    await writeFile(join(folder, 'silent.mjs'), code);
    const { exitCode, stdout, stderr } = await execute(folder, ['routes', 'silent.mjs']);
    expect([exitCode, stdout, stderr]).toEqual([3, '', expect.stringContaining('before there was anything to report')]);
  });

  it.each(['mjs', 'cjs'])('has the application of a main.%s made, and nothing listen', async (kind) => {
    const main = `
async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(-1);
  console.log(await app.getUrl());
}
void bootstrap();
`;
    const names = ['{ NestFactory }', '{ AppModule }'] as const;
    const imports =
      kind === 'mjs'
        ? `import ${names[0]} from '@nestjs/core';\nimport ${names[1]} from './app.module.mjs';`
        : `const ${names[0]} = require('@nestjs/core');\nconst ${names[1]} = require('./app.module.cjs');`;
    await writeFile(join(folder, `main.${kind}`), `${imports}${main}`);
    const { exitCode, stdout, stderr } = await execute(folder, ['routes', `main.${kind}`]);
    expect([exitCode, stdout]).toEqual([0, 'http  GET  /orders  guarded  OrdersController.list\n']);
    expect(stderr).toBe('the application prints\n');
  });

  it('says what it needs where Nest is not', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-alone-'));
    const script = join(alone, 'dist/cli.js');
    await cp(join(folder, 'node_modules/nestjs-resource-server/dist'), dirname(script), { recursive: true });
    await writeFile(join(alone, 'package.json'), '{ "type": "module", "version": "1.0.0" }');
    await mkdir(join(alone, 'node_modules'));
    const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { dependencies: object };
    for (const name of Object.keys(dependencies).filter((name) => !name.startsWith('@')))
      await symlink(resolve('node_modules', name), join(alone, 'node_modules', name), 'dir');
    const ran = await execute(alone, ['routes', 'dist/cli.js'], '', script);
    expect([ran.exitCode, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(/^error: routes needs Nest: install nestjs-resource-server in the application/);
    await rm(alone, { recursive: true });
  });

  it('says so of a file that is in no application', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-alone-'));
    await writeFile(join(alone, 'main.mjs'), 'export {};');
    const { exitCode, stderr } = await execute(folder, ['routes', join(alone, 'main.mjs')]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('@nestjs/core cannot be found from')]);
    await rm(alone, { recursive: true });
  });

  it('reads a token from standard input, and ends with 3 where nobody answers', async () => {
    const parameters = ['doctor', '--issuer', 'http://127.0.0.1:1', '--token', '-', '--json'];
    const { exitCode, stdout } = await execute(folder, parameters, 'opaque\n');
    const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string }[] };
    expect(exitCode).toBe(3);
    expect(checks.filter(({ status }) => status === 'problem').map(({ check }) => check)).toEqual([
      'reachable',
      'token.form',
    ]);
  });

  it('tells its version, and that wrong usage is 2', async () => {
    const { exitCode, stdout } = await execute(folder, ['--version']);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
    expect((await execute(folder, [])).exitCode).toBe(2);
  });
});

/** The package as it is installed, made from the sources as they are now. */
async function installInto(folder: string): Promise<void> {
  const root = join(folder, 'node_modules', 'nestjs-resource-server');
  const sources = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
  for (const name of sources) {
    const { code } = await transformFile(join('src', name), {
      swcrc: false,
      module: { type: 'nodenext' as 'es6' },
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
    });
    const path = join(root, 'dist', name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
  await cp('package.json', join(root, 'package.json'));
  const installed = resolve('node_modules');
  await symlink(installed, join(root, 'node_modules'), 'dir');
  await symlink(join(installed, '@nestjs'), join(folder, 'node_modules', '@nestjs'), 'dir');
}

function execute(
  cwd: string,
  parameters: readonly string[],
  stdin = '',
  script = join(cwd, 'node_modules/nestjs-resource-server/dist/cli.js'),
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [script, ...parameters], {
    cwd,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  child.stdin.end(stdin);
  return new Promise((settle, reject) => {
    child.once('error', reject).once('close', (exitCode) => {
      settle({ exitCode, ...written });
    });
  });
}
