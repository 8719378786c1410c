import { expect } from '@jest/globals';
import { bearer, call } from '../support/app.js';
import { type LocalIssuer, newKey, type TestKey } from '../support/local-issuer.js';
import { codeBlock, start, type Tarball, write } from './packed.js';

export const AUDIENCE = 'https://api.example.com';

/** Replaces the issuer of a page's code with one of ours. */
export function withTestIssuer(code: string): string {
  expect(code).toContain("issuer: 'https://tenant.eu.auth0.com/'");
  return code.replace("'https://tenant.eu.auth0.com/'", 'process.env.ISSUER as string');
}

const MAIN = `
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';

async function main() {
  const app =
    process.env.PLATFORM === 'fastify'
      ? await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false })
      : await NestFactory.create(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(await app.getUrl());
}

void main();
`;

export const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'ES2022',
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'dist',
  },
  include: ['src'],
};

interface ReadmeApp {
  /** Version or range of Nest. */
  readonly nest: string;
  readonly tarball: Tarball;
  /** Members of package.json, for example `type`. */
  readonly manifest: object;
  readonly dependencies?: object;
  readonly devDependencies: object;
  /** Contents by path. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes the application of the README, which is not installed yet. */
export async function writeReadmeApp(folder: string, app: ReadmeApp): Promise<void> {
  await write(folder, {
    'package.json': {
      name: 'consumer',
      private: true,
      ...app.manifest,
      dependencies: {
        '@nestjs/common': app.nest,
        '@nestjs/core': app.nest,
        '@nestjs/platform-express': app.nest,
        // There is no 12.0.0.
        '@nestjs/platform-fastify': app.nest === '12.0.0' ? '12.0.2' : app.nest,
        'nestjs-resource-server': `file:${app.tarball.path}`,
        'reflect-metadata': '^0.2.0',
        rxjs: '^7.8.0',
        ...app.dependencies,
      },
      devDependencies: { '@types/node': '^20.0.0', ...app.devDependencies },
    },
    'tsconfig.json': TSCONFIG,
    'src/main.ts': MAIN,
    'src/app.module.ts': withTestIssuer(codeBlock('README.md', '// src/app.module.ts')),
    ...app.files,
  });
}

export const NO_REQUIRE_ESM = '--no-experimental-require-module';

/** Packages that Nest loads if they are installed. A bundler must be told that they are not. */
export const ABSENT_PACKAGES_OF_NEST = [
  ...['@nestjs/microservices', '@nestjs/websockets', 'class-validator', 'class-transformer'],
  ...['@fastify/multipart', '@fastify/static', '@fastify/view'],
];

/** Starts the application of the README, and expects that it answers only requests with a valid token. */
export async function expectGuarded(
  issuer: LocalIssuer,
  key: TestKey,
  cwd: string,
  command: string | readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const { url, stop } = await start(cwd, command, { ISSUER: issuer.url, PLATFORM: 'express', ...env });
  try {
    expect((await call(`${url}/orders/mine`)).status).toBe(401);
    const good = issuer.token(key, 'RS256', { aud: AUDIENCE });
    expect((await call(`${url}/orders/mine`, bearer(good))).status).toBe(200);
    const forged = issuer.token({ ...newKey(), kid: key.kid }, 'RS256', { aud: AUDIENCE });
    expect((await call(`${url}/orders/mine`, bearer(forged))).body.code).toBe('SIGNATURE_INVALID');
  } finally {
    await stop();
  }
}
