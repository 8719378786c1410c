import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { transformFile } from '@swc/core';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CONTROL_TEXT, hasControls } from '../support/catching.js';
import { closed } from '../support/cli-applications.js';
import { command } from '../support/command.js';
import { newKey, signToken } from '../support/local-issuer.js';

jest.setTimeout(30_000);

const APPLICATIONS = 'test/support/cli-applications.ts';
const COMMAND = 'nestjs-resource-server/dist/cli.js';
const HEALTH = ['--allow', 'GET /orders/health'];

const routes = (name: string, ...rest: string[]) => command(['routes', APPLICATIONS, '--export', name, ...rest]);

const problemsIn = (stderr: string) => stderr.match(/(?<=error: ).*(?=\. Protect)/g);

describe('routes', () => {
  it('prints each route with its access and requirements, and closes the application', async () => {
    closed.count = 0;
    const { exitCode, stdout, stderr } = await routes('AppModule', ...HEALTH);
    expect([exitCode, stderr, closed.count]).toEqual([0, '', 1]);
    expect(stdout).toBe(
      'http  GET  /orders         guarded         OrdersController.list    @RequireScopes all of read:orders (handler)\n' +
        'http  GET  /orders/health  open (handler)  OrdersController.health\n',
    );
  });

  it('colors each access on a terminal, wraps rows within its width, and prints the same JSON as in a pipe', async () => {
    const terminal = { hasColors: true, columns: 50 };
    const argv = ['routes', APPLICATIONS, '--export', 'AppModule'];
    const { stdout, stderr } = await command([...argv, '--fail-on', 'open'], terminal);
    expect(stdout).toBe(`http  GET  /orders         \u001b[32mguarded\u001b[39m
      \u001b[2mOrdersController.list\u001b[22m
      @RequireScopes all of read:orders (handler)
http  GET  /orders/health  \u001b[33mopen (handler)\u001b[39m
      \u001b[2mOrdersController.health\u001b[22m
`);
    expect(stderr).toBe(`\u001b[31merror\u001b[39m: GET /orders/health is open. Protect it, or
       add --allow 'GET /orders/health'.
`);
    const unknown = await command(['routes', APPLICATIONS, '--export', 'JobsModule'], terminal);
    expect(unknown.stdout).toContain(
      '\n\n\u001b[33mwarning\u001b[39m: Message handlers are guarded only if\n         connectMicroservice() is given',
    );
    expect(await command([...argv, '--json'], terminal)).toEqual(await command([...argv, '--json']));
  });

  it('states that an application has no routes', async () => {
    expect(await routes('EmptyModule')).toEqual({
      exitCode: 0,
      stdout: 'The application has no routes.\n',
      stderr: '',
    });
  });

  it('fails only for routes that --fail-on names', async () => {
    expect((await routes('AppModule')).exitCode).toBe(0);
    expect((await routes('AppModule', '--fail-on', ' unguarded, unknown,')).exitCode).toBe(0);
    const wrong = await routes('AppModule', '--fail-on', 'open,guarded');
    const message = 'error: --fail-on takes open, unguarded, unknown, separated by commas, not guarded.\n';
    expect([wrong.exitCode, wrong.stderr]).toEqual([2, message]);
  });

  it('fails for an open or unguarded route that --allow does not name', async () => {
    const open = await routes('AppModule', '--fail-on', 'open');
    expect(open.exitCode).toBe(1);
    expect(open.stderr).toBe("error: GET /orders/health is open. Protect it, or add --allow 'GET /orders/health'.\n");
    const unguarded = await routes('ManualModule', '--allow', 'GET /other');
    expect([unguarded.exitCode, problemsIn(unguarded.stderr)]).toEqual([1, ['GET /offers is unguarded']]);
    expect((await routes('ManualModule', '--allow', 'GET /offers')).exitCode).toBe(0);
  });

  it('fails for an --allow that matches no open route', async () => {
    const { exitCode, stderr } = await routes('AppModule', ...HEALTH, '--allow', 'GET /orders');
    expect([exitCode, stderr]).toEqual([1, "error: --allow 'GET /orders' matches no open route. Remove it.\n"]);
  });

  it('escapes control characters of the application and of arguments', async () => {
    for (const more of [[], ['--json']]) {
      const { stdout, stderr } = await routes(
        'ControlsModule',
        '--fail-on',
        'unknown',
        '--allow',
        CONTROL_TEXT,
        ...more,
      );
      expect([stdout, stderr].flatMap((text) => text.split('\n')).filter(hasControls)).toEqual([]);
      expect(stdout.match(/u009b31m/g)?.length).toBeGreaterThanOrEqual(3);
    }
  });

  it('prints one JSON document', async () => {
    const { exitCode, stdout } = await routes('AppModule', '--json', '--allow', 'GET /status');
    const [guarded, open] = ['guarded', 'open'].map((access) => expect.objectContaining({ access }) as unknown);
    const document = { routes: [guarded, open], warnings: [], failed: [open], stale: ['GET /status'] };
    expect([exitCode, JSON.parse(stdout)]).toEqual([1, document]);
  });

  it.each(['dynamicModule', 'modulePromise', 'createApp'])('accepts the export %s', async (name) => {
    const { exitCode, stdout } = await routes(name, ...HEALTH);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/GET +\/orders +guarded/)]);
  });

  it('reports message handlers as unknown for a root module, which does not connect microservices', async () => {
    const { exitCode, stdout, stderr } = await routes('JobsModule', '--fail-on', 'unknown');
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/^error: message job is unknown\./)]);
    expect(stdout).toMatch(/rpc +message +own +guarded/);
    expect(stdout).toContain('warning: Message handlers are guarded only if connectMicroservice() is given');
  });

  it.each(['createHybrid', 'createMicroservice'])('reports the message handlers of %s', async (name) => {
    const { exitCode, stdout } = await routes(name);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/rpc +message +job +guarded/)]);
  });

  it.each<[string, string[], number, string]>([
    ['a file that does not exist', ['dist/nothing.js'], 2, 'There is no file dist/nothing.js. Build the application'],
    ['two files', [APPLICATIONS, APPLICATIONS], 2, 'Give one built file'],
    ['an unknown option', [APPLICATIONS, '--only', 'open'], 2, "Unknown option '--only'"],
    ['several suitable exports', [APPLICATIONS], 2, 'several exports to choose from: AppModule, BrokenModule, '],
    ['an export that does not exist', [APPLICATIONS, '--export', 'Nope'], 2, '--export Nope is neither'],
    ['a file without suitable exports', ['jest.config.mjs'], 2, '\n  export async function createApp() {\n'],
    [
      'a function that returns nothing',
      [APPLICATIONS, '--export', 'createNothing'],
      2,
      'returns neither a root module nor a Nest',
    ],
    ['a function with --no-init', [APPLICATIONS, '--export', 'createApp', '--no-init'], 2, 'is no root module'],
    ['an application without AuthModule', [APPLICATIONS, '--export', 'OpenModule'], 1, 'has no AuthModule'],
    ['an application that does not start', [APPLICATIONS, '--export', 'BrokenModule'], 3, 'not start: no database'],
  ])('rejects %s', async (_name, parameters, exitCode, message) => {
    const ran = await command(['routes', ...parameters]);
    expect([ran.exitCode, ran.stdout]).toEqual([exitCode, '']);
    expect(ran.stderr).toContain(message);
  });

  it('rejects an application that does not start in time', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const running = routes('createNever');
    while (jest.getTimerCount() === 0) await new Promise((settle) => setImmediate(settle));
    await jest.advanceTimersByTimeAsync(60_000);
    const { exitCode, stderr } = await running;
    jest.useRealTimers();
    expect([exitCode, stderr]).toEqual([3, 'error: The application does not start: no result within 60 seconds\n']);
  });
});

describe('routes --no-init', () => {
  it('creates no provider, and knows paths, guards and the requirements of forRoot', async () => {
    const failOn = ['--fail-on', 'open,unguarded,unknown'];
    const { exitCode, stdout, stderr } = await routes('PreviewModule', '--no-init', ...failOn);
    expect(stdout).toMatch(/GET +\/admin\/orders +guarded .* @RequireScopes all of api \(module\)/);
    expect(stdout).not.toContain('--no-init calls no factory');
    expect([exitCode, problemsIn(stderr)]).toEqual([1, ['GET /admin/orders/health is open', 'message job is unknown']]);
    expect((await routes('PreviewModule')).stderr).toContain('not start: no database');
  });

  it('reports what depends on a factory as unknown, and ignores fields', async () => {
    const { stdout, stderr } = await routes('FactoriesModule', '--no-init', '--allow', 'GET /admin/orders/health');
    expect(problemsIn(stderr)).toEqual([
      'Query order is unknown',
      'GET /admin/orders is unknown',
      'message job is unknown',
    ]);
    for (const name of ['the guard that APP_GUARD provides', 'the option `require` of AuthModule'])
      expect(stdout).toContain(`warning: --no-init calls no factory. Unknown: ${name}.`);
  });

  it('rejects a policy that is no provider', async () => {
    const { exitCode, stderr } = await routes('PolicyModule', '--no-init');
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('OrderOwner')]);
  });
});

describe('the executable', () => {
  let folder: string;
  const START = "import { NestFactory } from '@nestjs/core'; import { AppModule } from './app.module.mjs';";
  const write = (name: string, code: string) => writeFile(join(folder, name), code);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-cli-'));
    await installInto(folder);
    await write('package.json', '{ "type": "module" }');
    const esm = `import { Controller, Get, Module } from '@nestjs/common';
import { AuthModule } from 'nestjs-resource-server';
class OrdersController { list() { return []; } }
Controller('orders')(OrdersController);
Get()(OrdersController.prototype, 'list', Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list'));
class AppModule {}
Module({ imports: [AuthModule.forRoot({ issuer: 'https://issuer.example.com', audience: 'a' })], controllers: [OrdersController] })(AppModule);
console.log('the application prints');
setInterval(() => undefined, 1_000);
export { AppModule, AppModule as default };`;
    const commonJs = esm
      .replace(/import (.+) from (.+);/g, 'const $1 = require($2);')
      .replace(/export .+/, 'exports.AppModule = AppModule;');
    const compiled = commonJs
      .replace(/^/, "Object.defineProperty(exports, '__esModule', { value: true });\n")
      .replace('exports.AppModule = AppModule;', 'exports.default = AppModule;');
    await write('app.module.mjs', esm);
    await write('app.module.cjs', commonJs);
    await write('compiled.cjs', compiled);
    const hidden = "const all = {}; all['App' + 'Module'] = AppModule; module.exports = all;";
    await write('hidden.cjs', commonJs.replace('exports.AppModule = AppModule;', hidden));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(['app.module.mjs', 'app.module.cjs', 'compiled.cjs', 'hidden.cjs'])(
    'reports %s, which prints and keeps a timer',
    async (file) => {
      const { exitCode, stdout, stderr } = await execute(folder, ['routes', file, '--json']);
      expect([exitCode, stderr]).toEqual([0, 'the application prints\n']);
      expect((JSON.parse(stdout) as { routes: unknown[] }).routes).toEqual([
        expect.objectContaining({ pattern: '/orders', access: 'guarded' }),
      ]);
    },
  );

  it('uses the copy of the package that the application imports, and needs no Nest of its own', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await cp(join(folder, 'node_modules/nestjs-resource-server/dist'), join(elsewhere, 'dist'), { recursive: true });
    await cp('package.json', join(elsewhere, 'package.json'));
    await mkdir(join(elsewhere, 'node_modules/@nestjs/common'), { recursive: true });
    await symlink(resolve('node_modules/lru-cache'), join(elsewhere, 'node_modules/lru-cache'), 'dir');
    const script = join(elsewhere, 'dist/cli.js');
    const { exitCode, stdout } = await execute(folder, ['routes', 'app.module.mjs', '--no-init'], '', script);
    expect([exitCode, stdout]).toEqual([0, 'http  GET  /orders  guarded  OrdersController.list\n']);

    const key = newKey('p-256', { kid: 'ours' });
    const keys = JSON.stringify({ from: 'static', jwks: { keys: [key.jwk] } });
    const code = await readFile(join(folder, 'app.module.mjs'), 'utf8');
    await write('static-keys.mjs', code.replace("audience: 'a'", `$&, keys: ${keys}`));
    const claims = { iss: 'https://issuer.example.com', aud: 'b', exp: 4_000_000_000 };
    const token = signToken({ alg: 'ES256', kid: 'ours' }, claims, key.privateKey);
    const parameters = ['doctor', '--app', 'static-keys.mjs', '--token', '-', '--json'];
    const checked = await execute(folder, parameters, token, script);
    const { checks } = JSON.parse(checked.stdout) as { checks: { check: string; status: string }[] };
    const problems = checks.filter(({ status }) => status === 'problem').map(({ check }) => check);
    expect([checked.exitCode, checked.stderr, problems]).toEqual([1, 'the application prints\n', ['token.audience']]);
  });

  it('accepts the promise of an application that starts when the file is imported', async () => {
    const code =
      'export const started = (async () => { const app = await NestFactory.create(AppModule); await app.listen(0); return app; })();';
    await write('started.mjs', START + code);
    const { exitCode, stdout } = await execute(folder, ['routes', 'started.mjs']);
    expect([exitCode, stdout]).toEqual([0, 'http  GET  /orders  guarded  OrdersController.list\n']);
  });

  it('ends with the same code, and no error, if the reader of its output ends first', async () => {
    const command = `"${process.execPath}" node_modules/${COMMAND} routes app.module.mjs | true; echo "\${PIPESTATUS[0]}"`;
    const ran = await promisify(execFile)('bash', ['-c', command], { cwd: folder });
    expect([ran.stdout, ran.stderr]).toEqual(['0\n', 'the application prints\n']);
  });

  it('rejects a promise of a root module that rejects', async () => {
    await write('failing.mjs', "export default (async () => { await null; throw new Error('no configuration'); })();");
    const { exitCode, stderr } = await execute(folder, ['routes', 'failing.mjs']);
    expect([exitCode, stderr]).toEqual([3, 'error: The application does not start: no configuration\n']);
  });

  it('rejects an application that does not install the package', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-alone-'));
    await writeFile(join(alone, 'app.module.mjs'), 'export default Promise.resolve({ module: class {} });');
    const { exitCode, stderr } = await execute(folder, ['routes', join(alone, 'app.module.mjs')]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('Install both in the application')]);
    await rm(alone, { recursive: true });
  });

  const NO_REPORT = 'before the command had a result';
  const NEVER = 'new Promise(() => undefined);';
  const BROKEN = `${START} export const f = () => NestFactory.create({ module: AppModule, providers: [{ provide: 'a', useFactory: () => Promise.reject(new Error('no database')) }] });`;
  const MAIN = `${START} void NestFactory.create(AppModule).then((app) => app.listen(0));`;

  it.each<[string, number, string, string]>([
    ['throws', 3, "throw new Error('no settings');", 'error: file.mjs cannot be loaded: no settings\n'],
    ['ends the process', 3, 'process.exit(0);', NO_REPORT],
    ['never resolves', 3, `await ${NEVER}`, NO_REPORT],
    ['exports a function that never resolves', 3, `export const f = () => ${NEVER}`, NO_REPORT],
    ['exports a function whose application does not start', 3, BROKEN, 'no database'],
    ['starts its application', 2, MAIN, 'exports: nothing). Export the root module, or a function'],
  ])('never reports success for a file that %s', async (_what, expected, code, message) => {
    await write('file.mjs', code);
    const { exitCode, stdout, stderr } = await execute(folder, ['routes', 'file.mjs']);
    expect([exitCode, stdout, stderr]).toEqual([expected, '', expect.stringContaining(message)]);
  });

  const BOTH = ['stdout', 'stderr'];

  it.each<[string, string[], Record<string, string>, string[]]>([
    ['no pipe', [], {}, []],
    ['terminals', BOTH, {}, BOTH],
    ['a terminal, and no pipe beside it', ['stderr'], {}, ['stderr']],
    ['pipes with FORCE_COLOR', [], { FORCE_COLOR: '1' }, BOTH],
    ['no terminal with FORCE_COLOR=0', BOTH, { FORCE_COLOR: '0' }, []],
    ['no terminal with NO_COLOR', BOTH, { NO_COLOR: '1' }, []],
    ['no terminal with NO_COLOR and FORCE_COLOR', BOTH, { NO_COLOR: '1', FORCE_COLOR: '1' }, []],
    ['no terminal with TERM=dumb', BOTH, { TERM: 'dumb' }, []],
  ])('colors %s, and wraps lines only on a terminal', async (_what, terminals, env, colored) => {
    await write('terminal.mjs', TERMINAL);
    const settings = { TERM: 'xterm', NODE_OPTIONS: '--import ./terminal.mjs', TERMINALS: terminals.join(), ...env };
    const run = (...parameters: string[]) => execute(folder, parameters, '', undefined, settings);
    // One command for each output, because these need no application, whose start takes a second.
    const [{ stdout }, { stderr }] = await Promise.all([
      run('doctor', '--issuer', 'http://127.0.0.1:1'),
      run('doctor'),
    ]);
    const matching = (pattern: RegExp) => BOTH.filter((_name, index) => pattern.test([stdout, stderr][index] ?? ''));
    expect([matching(/\[3\dm/), matching(/\n {4,}\S/)]).toEqual([colored, terminals]);
  });

  it('reads a token from standard input, and ends with 3 if the issuer is unreachable', async () => {
    const parameters = ['doctor', '--issuer', 'http://127.0.0.1:1', '--token', '-', '--json'];
    const { exitCode, stdout } = await execute(folder, parameters, 'opaque\n');
    const { checks } = JSON.parse(stdout) as { checks: { check: string; status: string }[] };
    const problems = checks.filter(({ status }) => status === 'problem').map(({ check }) => check);
    expect([exitCode, problems]).toEqual([3, ['reachable', 'token.form']]);
  });
});

/** Makes pipes of a child process look like terminals of 40 columns. */
const TERMINAL = `import { WriteStream } from 'node:tty';
const { getColorDepth } = WriteStream.prototype;
for (const name of process.env.TERMINALS.split(',').filter((name) => name !== ''))
  Object.assign(process[name], { isTTY: true, columns: 40, getColorDepth });`;

/** Installs the package, compiled from the current sources. */
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
  await symlink(resolve('node_modules'), join(root, 'node_modules'), 'dir');
  await symlink(resolve('node_modules/@nestjs'), join(folder, 'node_modules', '@nestjs'), 'dir');
}

function execute(
  cwd: string,
  parameters: string[],
  stdin = '',
  script = join(cwd, 'node_modules', COMMAND),
  env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: undefined },
) {
  return new Promise<{ exitCode: unknown; stdout: string; stderr: string }>((settle) => {
    const child = execFile(process.execPath, [script, ...parameters], { cwd, env }, (error, stdout, stderr) => {
      settle({ exitCode: error?.code ?? 0, stdout, stderr });
    });
    child.stdin?.end(stdin);
  });
}
