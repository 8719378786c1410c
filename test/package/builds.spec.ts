import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { codeBlock, emptyFolder, pack, run, type Tarball, write } from './packed.js';
import {
  ABSENT_PACKAGES_OF_NEST,
  AUDIENCE,
  expectGuarded,
  NO_REQUIRE_ESM,
  TSCONFIG,
  withTestIssuer,
  writeReadmeApp,
} from './readme-app.js';

// Build set-ups that take minutes to install: `npm run test:builds`, and once a week. The others are in package.spec.ts.

const key = newKey();
let issuer: LocalIssuer;
let folder: Awaited<ReturnType<typeof emptyFolder>>;
let tarball: Tarball;
let tools: string;

beforeAll(async () => {
  issuer = await LocalIssuer.start([key]);
  folder = await emptyFolder();
  tarball = await pack(folder.path);
  tools = join(folder.path, 'tools');
  await write(tools, {
    'package.json': { private: true, dependencies: { '@yarnpkg/cli-dist': '^4.9.0', pnpm: '^10.0.0' } },
  });
  await run(tools, 'npm', 'install', '--ignore-scripts');
}, 120_000);

afterAll(async () => {
  await issuer.stop();
  await folder.remove();
}, 60_000);

const pnpm = (cwd: string, ...parameters: string[]) =>
  run(cwd, 'node', join(tools, 'node_modules/pnpm/bin/pnpm.cjs'), ...parameters);

async function createApp(name: string, nest: string, more: object = {}, manifest: object = { type: 'module' }) {
  const app = join(folder.path, name);
  await writeReadmeApp(app, { nest, tarball, manifest, devDependencies: { typescript: '~6.0.3', ...more } });
  return app;
}

const BUNDLE = `
const [name, ...absent] = process.argv.slice(2);
const { default: bundler } = await import(name);
const config = {
  mode: 'production',
  target: 'node',
  entry: './dist/main.js',
  output: { path: process.cwd() + '/bundle', filename: 'main.cjs' },
  optimization: { minimize: false },
  externals: Object.fromEntries(absent.map((each) => [each, 'commonjs ' + each])),
};
bundler(config, (error, stats) => {
  if (error) throw error;
  console.log(JSON.stringify(stats.toJson({ errors: true }).errors.map(({ message }) => message)));
});
`;

it.each([
  ['webpack', { webpack: '^5.0.0' }],
  ['@rspack/core', { '@rspack/core': '^1.5.0' }],
])(
  'is bundled by %s without an option for this package',
  async (name, packages) => {
    const app = await createApp(name.replace(/\W/g, ''), '^12.0.0', packages);
    await write(app, { 'bundle.mjs': BUNDLE });
    await run(app, 'npm', 'install', '--ignore-scripts');
    await run(app, 'npx', 'tsc');
    // Nest imports these two files as well.
    const files = ['@nestjs/microservices/microservices-module.js', '@nestjs/websockets/socket-module.js'];
    const absent = ABSENT_PACKAGES_OF_NEST.filter((each) => each !== '@nestjs/websockets');
    expect(await run(app, 'node', 'bundle.mjs', name, ...absent, ...files)).toBe('[]\n');
    await expectGuarded(issuer, key, join(app, 'bundle'), 'main.cjs');
  },
  240_000,
);

/** Calls the handler without a token and with one, with events of API Gateway (HTTP API, payload version 2.0). */
const INVOKE = `
const [issuer, token] = process.argv.slice(2);
process.env.ISSUER = issuer;
const { handler } = require('./lambda.cjs');
const event = (headers) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: '/orders/mine',
  rawQueryString: '',
  headers: { host: 'api.example.com', ...headers },
  requestContext: { stage: '$default', http: { method: 'GET', path: '/orders/mine', protocol: 'HTTP/1.1' } },
  isBase64Encoded: false,
});

async function main() {
  const refused = await handler(event({}), {});
  const accepted = await handler(event({ authorization: 'Bearer ' + token }), {});
  console.log(JSON.stringify({ refused, accepted }));
}

void main();
`;

it.each([
  ['11 (CommonJS)', '^11.0.0', {}],
  ['12 (ESM)', '^12.0.0', { type: 'module' }],
])(
  'runs on AWS Lambda with Nest %s, bundled with the command of the guide',
  async (_what, nest, manifest) => {
    const guide = 'docs/guides/serverless-and-bundlers.md';
    const app = join(folder.path, `lambda-${nest.slice(1, 3)}`);
    await writeReadmeApp(app, {
      nest,
      tarball,
      manifest,
      dependencies: { '@fastify/aws-lambda': '^6.4.0' },
      devDependencies: {
        '@nestjs/cli': nest,
        esbuild: '^0.28.0',
        typescript: nest === '^11.0.0' ? '^5.9.0' : '~6.0.3',
      },
      files: { 'src/lambda.ts': codeBlock(guide, '// src/lambda.ts') },
    });
    await run(app, 'npm', 'install', '--ignore-scripts');
    await run(app, 'sh', '-c', codeBlock(guide, 'npx nest build'));

    const deployed = `${app}-deployed`;
    await write(deployed, { 'invoke.cjs': INVOKE });
    await copyFile(join(app, 'out/lambda.cjs'), join(deployed, 'lambda.cjs'));
    const token = issuer.token(key, 'RS256', { aud: AUDIENCE });
    // The last line: Nest logs to the standard output as well.
    const output = await run(deployed, 'node', NO_REQUIRE_ESM, 'invoke.cjs', issuer.url, token);
    expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
      refused: { statusCode: 401, headers: { 'www-authenticate': 'Bearer' } },
      accepted: { statusCode: 200, body: '{"owner":"alice"}' },
    });
  },
  240_000,
);

it('runs with yarn Plug and Play', async () => {
  const app = await createApp('yarn', '^12.0.0');
  await write(app, { 'yarn.lock': '' });
  const yarn = join(tools, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js');
  const registry = (await run(app, 'npm', 'config', 'get', 'registry')).trim();
  for (const [name, value] of [
    ['npmRegistryServer', registry],
    ['unsafeHttpWhitelist', JSON.stringify([new URL(registry).hostname])],
    ['enableGlobalCache', 'false'],
    ['enableTelemetry', 'false'],
  ] as const)
    await run(app, 'node', yarn, 'config', 'set', ...(value.startsWith('[') ? ['--json'] : []), name, value);
  await run(app, 'node', yarn, 'install', '--no-immutable');
  await run(app, 'node', yarn, 'tsc');
  await expectGuarded(issuer, key, app, ['--require', './.pnp.cjs', '--loader', './.pnp.loader.mjs', 'dist/main.js']);
}, 240_000);

it('runs with pnpm, whose packages see only their own dependencies', async () => {
  const app = await createApp('pnpm', '^12.0.0');
  await pnpm(app, 'install', '--ignore-scripts');
  await run(app, 'npx', 'tsc');
  await expectGuarded(issuer, key, app, 'dist/main.js');
}, 240_000);

/** An application that uses the AuthModule of the shared library, and classes and decorators of its own copy. */
const BILLING = `
import { Controller, Get, Module } from '@nestjs/common';
import { authModule } from '@app/shared';
import { AuthEvents, CurrentUser } from 'nestjs-resource-server';

@Controller('orders')
class OrdersController {
  constructor(readonly events: AuthEvents) {}

  @Get('mine')
  mine(@CurrentUser('sub') sub: string) {
    return { owner: sub };
  }
}

@Module({ imports: [authModule('${AUDIENCE}')], controllers: [OrdersController] })
export class AppModule {}
`;

it('runs in a pnpm workspace whose shared library has another version of Nest, configured as in the guide', async () => {
  const guide = 'docs/guides/monorepos.md';
  const workspace = join(folder.path, 'workspace');
  const billing = join(workspace, 'apps/billing');
  const shared = JSON.parse(codeBlock(guide, '{\n  "name": "@app/shared"')) as object;
  const injected = JSON.parse(codeBlock(guide, '{\n  "dependencies": { "@app/shared"')) as { dependencies: object };
  await writeReadmeApp(billing, {
    nest: '^12.1.0',
    tarball,
    manifest: { ...injected, type: 'module', scripts: { build: 'tsc' } },
    dependencies: injected.dependencies,
    devDependencies: { typescript: '~6.0.3' },
    files: { 'src/app.module.ts': BILLING },
  });
  await write(workspace, {
    'package.json': { private: true },
    'pnpm-workspace.yaml': `packages: ['apps/*', 'libs/*']\n${codeBlock(guide, 'syncInjectedDepsAfterScripts')}`,
    'libs/shared/package.json': {
      ...shared,
      type: 'module',
      exports: './dist/auth.js',
      scripts: { build: 'tsc' },
      devDependencies: {
        '@nestjs/common': '12.0.0',
        '@nestjs/core': '12.0.0',
        '@types/node': '^20.0.0',
        'nestjs-resource-server': `file:${tarball.path}`,
        'reflect-metadata': '^0.2.0',
        rxjs: '^7.8.0',
        typescript: '~6.0.3',
      },
    },
    'libs/shared/tsconfig.json': { ...TSCONFIG, compilerOptions: { ...TSCONFIG.compilerOptions, declaration: true } },
    'libs/shared/src/auth.ts': withTestIssuer(codeBlock(guide, '// libs/shared/src/auth.ts')),
  });
  await pnpm(workspace, 'install', '--ignore-scripts');
  await pnpm(workspace, '--recursive', 'run', 'build');
  await expectGuarded(issuer, key, billing, 'dist/main.js');
}, 240_000);

it.each([
  ['11.0.0', {}],
  ['12.0.0', { type: 'module' }],
])(
  'runs with the lowest supported version of Nest, %s',
  async (nest, manifest) => {
    const app = await createApp(`nest-${nest}`, nest, {}, manifest);
    await run(app, 'npm', 'install', '--ignore-scripts', '--legacy-peer-deps');
    await run(app, 'npx', 'tsc');
    await expectGuarded(issuer, key, app, 'dist/main.js');
  },
  240_000,
);
