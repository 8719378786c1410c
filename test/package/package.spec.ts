import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { bearer, call } from '../support/app.js';
import { LocalIssuer, newKey } from '../support/local-issuer.js';
import { emptyFolder, pack, run, start, type Tarball, write } from './packed.js';
import { ABSENT_PACKAGES_OF_NEST, AUDIENCE, expectGuarded, NO_REQUIRE_ESM, writeReadmeApp } from './readme-app.js';

const key = newKey();
let issuer: LocalIssuer;
let folder: Awaited<ReturnType<typeof emptyFolder>>;
let tarball: Tarball;

beforeAll(async () => {
  issuer = await LocalIssuer.start([key]);
  folder = await emptyFolder();
  tarball = await pack(folder.path);
}, 60_000);

afterAll(async () => {
  await issuer.stop();
  await folder.remove();
});

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

describe('the tarball', () => {
  it('has the build, the documentation, the examples and the license', () => {
    const besideDist = tarball.files.filter((path) => !path.startsWith('dist/'));
    const isDocumentation = (path: string) => /^docs\/(?!\.vitepress|project|reference\/api).*\.(?:md|svg)$/.test(path);
    const isExample = (path: string) => /^examples\/[\w-]+\/(?!dist\/|node_modules\/)/.test(path);
    expect(besideDist.filter((path) => !isDocumentation(path) && !isExample(path)).sort()).toEqual([
      'CHANGELOG.md',
      'CODE_OF_CONDUCT.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'SUPPORT.md',
      'package.json',
      'schematics/collection.json',
      'schematics/nest-add/schema.json',
    ]);
    const built = tarball.files.filter((path) => path.startsWith('dist/'));
    expect(built.filter((path) => !/\.(?:js|d\.ts)$/.test(path))).toEqual([]);
    expect(built.filter((path) => /\.spec\.|^dist\/test\//.test(path))).toEqual([]);
  });

  it('has every file and heading to which its documentation links', async () => {
    const module = '../../docs/.vitepress/anchor.mjs';
    const { anchorOf } = (await import(module)) as { readonly anchorOf: (heading: string) => string };
    const pages = tarball.files.filter((path) => path.endsWith('.md'));
    const anchorsOf = (path: string) =>
      [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')),
      );
    const links = pages.flatMap((page) =>
      [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)].map(
        ([, path = '', anchor]) => ({ page, path: path === '' ? page : posix.join(posix.dirname(page), path), anchor }),
      ),
    );
    const broken = links.filter(({ path, anchor }) => {
      // The badge of the workflow.
      if (path.startsWith('../../actions/')) return false;
      if (!tarball.files.some((file) => file === path || file.startsWith(`${path}/`))) return true;
      return anchor !== undefined && !anchorsOf(path).includes(anchor);
    });
    expect(broken).toEqual([]);
    expect(links.length).toBeGreaterThan(300);
  });

  it('has types for each module that an application can import, and for no other', () => {
    const isTool = (path: string) => /^dist\/(?:cli|schematics)\//.test(path);
    const modules = tarball.files.filter((path) => path.endsWith('.js') && !isTool(path));
    const types = tarball.files.filter((path) => path.endsWith('.d.ts'));
    expect(types.sort()).toEqual(modules.map((path) => path.replace(/\.js$/, '.d.ts')).sort());
  });

  it('has types that need no package except its dependencies and peers, and no @types package', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
    const allowed = Object.keys({ ...dependencies, ...peerDependencies }).filter(
      (name) => !name.startsWith('passport'),
    );
    const imported = tarball.files
      .filter((path) => path.endsWith('.d.ts'))
      .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\b(?:from |import\()['"]([^'".][^'"\n]*)['"]/g)])
      .map(([, specifier = '']) => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '')
      .filter((name) => !name.startsWith('node:'));
    expect(imported).toContain('@nestjs/common');
    expect(allowed).toEqual(expect.arrayContaining([...new Set(imported)]));
  });

  it('is smaller than 450 KiB, and than 1.5 megabytes unpacked', () => {
    expect(tarball.packedBytes).toBeLessThan(450 * 1024);
    expect(tarball.unpackedBytes).toBeLessThan(1.5 * 1024 * 1024);
  });

  it('satisfies publint', async () => {
    await run(process.cwd(), 'npx', 'publint', 'run', tarball.path, '--strict');
  }, 60_000);

  it('has types for each way to import an ESM package (arethetypeswrong)', async () => {
    await run(process.cwd(), 'npx', 'attw', tarball.path, '--profile', 'esm-only');
  }, 60_000);
});

/** A project of a monorepo that has a copy of the package of its own, and a guard that limits the requests of each user. */
const PROJECT = `
import 'reflect-metadata';
import { ConsoleLogger, Controller, Get, Injectable, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { AuthModule } from 'nestjs-resource-server';
import { CurrentUser } from 'nestjs-resource-server-copy';

const warnings: unknown[] = [];

class Logger extends ConsoleLogger {
  override warn(message: unknown) {
    warnings.push(message);
  }
}

@Injectable()
class UserThrottler extends ThrottlerGuard {
  protected override getTracker({ user }: { user?: { sub: string } }) {
    return Promise.resolve(user?.sub ?? 'everybody');
  }
}

@Controller()
class UsersController {
  @Get()
  read(@CurrentUser('sub') sub: string) {
    return { sub, warnings };
  }
}

@Module({
  imports: [
    ThrottlerModule.forRoot([{ ttl: 60_000, limit: 1 }]),
    AuthModule.forRoot({ issuer: process.env.ISSUER as string, audience: '${AUDIENCE}', insecureAllowHttp: true }),
  ],
  controllers: [UsersController],
  providers: [{ provide: APP_GUARD, useClass: UserThrottler }],
})
class ProjectModule {}

async function main() {
  const app = await NestFactory.create(ProjectModule, { logger: new Logger('', { logLevels: ['error'] }) });
  await app.listen(0, '127.0.0.1');
  console.log(await app.getUrl());
}

void main();
`;

/** All entry points, as an application imports them whose `tsconfig.json` is of the days before `exports`. */
const ENTRIES = `
import { AuthModule } from 'nestjs-resource-server';
import { auth0 } from 'nestjs-resource-server/presets';
import { withSecurity } from 'nestjs-resource-server/swagger';
import { TestIssuer } from 'nestjs-resource-server/testing';

export const entries: readonly [typeof AuthModule, string, Promise<TestIssuer>, typeof withSecurity] = [
  AuthModule,
  auth0({ domain: 'tenant.eu.auth0.com', audience: 'https://api.example.com' }).issuer,
  TestIssuer.create(),
  withSecurity,
];
`;

const applications: readonly { what: string; nest: string; manifest: { type?: string }; typescript: string }[] = [
  { what: 'Nest 12, ESM', nest: '^12.0.0', manifest: { type: 'module' }, typescript: '~6.0.3' },
  // As the Nest CLI 11 sets it up: no "type", so that TypeScript makes CommonJS of it.
  { what: 'Nest 11, CommonJS', nest: '^11.0.0', manifest: {}, typescript: '^5.9.0' },
];

describe.each(applications)('an application of $what with the tarball installed', (application) => {
  let app: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    ({ path: app, remove } = await emptyFolder());
    const { nest, manifest, typescript } = application;
    await writeReadmeApp(app, {
      nest,
      tarball,
      manifest,
      dependencies: { '@nestjs/throttler': '^6.5.0' },
      devDependencies: { esbuild: '^0.25.0', typescript },
      files: { 'src/project.ts': PROJECT },
    });
    // Strict: what a peer range of ours does not cover is an error here, as it is for a user.
    await run(app, 'npm', 'install', '--strict-peer-deps', '--ignore-scripts');
    const copy = join(app, 'node_modules/nestjs-resource-server-copy');
    await cp(join(app, 'node_modules/nestjs-resource-server'), copy, { recursive: true });
    const versionFile = join(copy, 'dist/nest/auth.module.js');
    const code = await readFile(versionFile, 'utf8');
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
    expect(code).toContain(`VERSION = '${version}'`);
    await writeFile(versionFile, code.replace(`VERSION = '${version}'`, "VERSION = '9.9.9'"));
    const copied = JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')) as object;
    await write(copy, { 'package.json': { ...copied, name: 'nestjs-resource-server-copy' } });
  }, 240_000);

  afterAll(() => remove());

  it('compiles the first example of the README', async () => {
    await run(app, 'npx', 'tsc');
  }, 60_000);

  it('has types for the resolution of packages that Nest set up before: "node"', async () => {
    // TypeScript 6 says that it is on its way out.
    const ignoreDeprecations = application.typescript.startsWith('^5') ? '5.0' : '6.0';
    const compilerOptions = {
      module: 'commonjs',
      moduleResolution: 'node10',
      ignoreDeprecations,
      target: 'es2022',
      strict: true,
      skipLibCheck: true,
      noEmit: true,
    };
    await write(app, { 'old/entries.ts': ENTRIES, 'old/tsconfig.json': { compilerOptions } });
    await run(app, 'npx', 'tsc', '-p', 'old');
  }, 60_000);

  it.each(['express', 'fastify'])(
    'is closed on %s, until a good token opens it',
    async (platform) => {
      const { url, stop } = await start(app, 'dist/main.js', { ISSUER: issuer.url, PLATFORM: platform });
      try {
        const refused = await call(`${url}/orders/mine`);
        expect([refused.status, refused.body.code, refused.headers['www-authenticate']]).toEqual([
          401,
          'TOKEN_MISSING',
          'Bearer',
        ]);
        const expired = await call(`${url}/orders/mine`, bearer(issuer.token(key, 'RS256', { exp: 1 })));
        expect([expired.status, expired.body.code]).toEqual([401, 'TOKEN_EXPIRED']);
        const accepted = await call(`${url}/orders/mine`, bearer(issuer.token(key, 'RS256', { aud: AUDIENCE })));
        expect([accepted.status, accepted.body]).toEqual([200, { owner: 'alice' }]);
        expect((await call(`${url}/orders/health`)).status).toBe(200);
      } finally {
        await stop();
      }
    },
    60_000,
  );

  it('works with a second copy of the package, of which it warns, and with a guard that needs the user', async () => {
    const { url, stop } = await start(app, 'dist/project.js', { ISSUER: issuer.url });
    try {
      const answers = [];
      for (const sub of ['alice', 'bob', 'alice'])
        answers.push(await call(url, bearer(issuer.token(key, 'RS256', { aud: AUDIENCE, sub }))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
      const { sub, warnings } = answers[1]?.body ?? {};
      expect(sub).toBe('bob');
      expect(warnings).toContainEqual(
        expect.stringMatching(/is loaded 2 times, in the versions .*9\.9\.9.*Install one copy/),
      );
    } finally {
      await stop();
    }
  }, 60_000);

  it('verifies tokens with --disable-proto=delete', async () => {
    await expectGuarded(issuer, key, app, 'dist/main.js', { NODE_OPTIONS: '--disable-proto=delete' });
  }, 60_000);

  if (application.manifest.type === 'module') {
    it('runs where Node does not load ES modules with require, as in AWS Lambda', async () => {
      await expectGuarded(issuer, key, app, 'dist/main.js', { NODE_OPTIONS: NO_REQUIRE_ESM });
    }, 60_000);
  }

  it.each(['cjs', 'esm'])(
    'is bundled by esbuild (%s) without an option for this package, and runs without installed packages',
    async (format) => {
      const outfile = join(folder.path, `${application.nest.slice(1)}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
      const externals = ABSENT_PACKAGES_OF_NEST.map((name) => `--external:${name}`);
      // Express and passport are CommonJS.
      const banner = `--banner:js=import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`;
      const options = ['--bundle', '--platform=node', '--keep-names', `--format=${format}`, `--outfile=${outfile}`];
      await run(app, 'npx', 'esbuild', 'dist/main.js', ...options, ...externals, ...(format === 'esm' ? [banner] : []));
      await expectGuarded(issuer, key, folder.path, outfile, { NODE_OPTIONS: NO_REQUIRE_ESM });
    },
    60_000,
  );

  it('has one copy of passport, of Nest and of this package', async () => {
    for (const name of ['passport', 'passport-jwt', '@nestjs/core', '@nestjs/common', 'nestjs-resource-server']) {
      const paths = await run(app, 'npm', 'ls', name, '--all', '--parseable');
      expect([name, new Set(paths.trim().split('\n')).size]).toEqual([name, 1]);
    }
  }, 60_000);
});
