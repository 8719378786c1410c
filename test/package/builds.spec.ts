import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { emptyFolder, pack, run, type Tarball, write } from './packed.js';
import { ABSENT_PACKAGES_OF_NEST, expectGuarded, writeReadmeApp } from './readme-app.js';

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
  await run(app, 'node', join(tools, 'node_modules/pnpm/bin/pnpm.cjs'), 'install', '--ignore-scripts');
  await run(app, 'npx', 'tsc');
  await expectGuarded(issuer, key, app, 'dist/main.js');
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
