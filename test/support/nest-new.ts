import type { Tree } from '../../src/schematics/workspace.js';

/** An in-memory tree with the behavior of the tree that a schematic receives. */
export class MemoryTree implements Tree {
  readonly contents: Map<string, string>;

  constructor(contents: Readonly<Record<string, string>>) {
    this.contents = new Map(Object.entries(contents));
  }

  exists(path: string): boolean {
    return this.contents.has(path.replace(/^\//, ''));
  }

  readText(path: string): string {
    const content = this.contents.get(path.replace(/^\//, ''));
    if (content === undefined) throw new Error(`${path} does not exist`);
    return content;
  }

  create(path: string, content: string): void {
    if (this.exists(path)) throw new Error(`${path} exists already`);
    this.contents.set(path, content);
  }

  overwrite(path: string, content: string): void {
    if (!this.exists(path)) throw new Error(`${path} does not exist`);
    this.contents.set(path, content);
  }

  getDir(path: string) {
    return {
      visit: (visitor: (path: string) => void) => {
        for (const name of this.contents.keys()) if (name.startsWith(`${path}/`)) visitor(`/${name}`);
      },
    };
  }
}

export type NestVersion = 11 | 12;

/** The files of `nest new` that the schematic reads, as @nestjs/schematics 11.1 and 12.0 generate them. */
export function nestNew(version: NestVersion): Record<string, string> {
  const js = version === 12 ? '.js' : '';
  return {
    'package.json': version === 12 ? MANIFEST_12 : MANIFEST_11,
    '.prettierrc': '{\n  "singleQuote": true,\n  "trailingComma": "all"\n}\n',
    'nest-cli.json': json({ collection: '@nestjs/schematics', sourceRoot: 'src' }),
    'tsconfig.json': json({ compilerOptions: { module: 'nodenext', esModuleInterop: true } }),
    ...application('App', '', js),
    ...(version === 11 ? { 'test/jest-e2e.json': JEST_E2E } : {}),
  };
}

/** `nest new`, then `nest generate app admin`. */
export function nestMonorepo(version: NestVersion): Record<string, string> {
  const js = version === 12 ? '.js' : '';
  const { 'package.json': manifest = '', '.prettierrc': prettier = '' } = nestNew(version);
  const project = (name: string) => ({ type: 'application', entryFile: 'main', sourceRoot: `apps/${name}/src` });
  return {
    'package.json': manifest,
    '.prettierrc': prettier,
    'nest-cli.json': json({
      sourceRoot: 'apps/app/src',
      monorepo: true,
      projects: { admin: project('admin'), app: project('app') },
    }),
    'tsconfig.json': json({
      compilerOptions: { module: 'nodenext', esModuleInterop: true },
      ...(version === 12 ? { files: [], references: [{ path: './apps/app/tsconfig.app.json' }] } : {}),
    }),
    ...application('App', 'apps/app/', js),
    ...application('Admin', 'apps/admin/', js),
    ...(version === 11 ? { 'apps/admin/test/jest-e2e.json': JEST_E2E, 'apps/app/test/jest-e2e.json': JEST_E2E } : {}),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function application(name: string, folder: string, js: string): Record<string, string> {
  const file = name.toLowerCase();
  return {
    [`${folder}src/main.ts`]: `import { NestFactory } from '@nestjs/core';
import { ${name}Module } from './${file}.module${js}';

async function bootstrap() {
  const app = await NestFactory.create(${name}Module);
  await app.listen(process.env.PORT ?? 3000);
}
bootstrap();
`,
    [`${folder}src/${file}.module.ts`]: `import { Module } from '@nestjs/common';
import { ${name}Controller } from './${file}.controller${js}';
import { ${name}Service } from './${file}.service${js}';

@Module({
  imports: [],
  controllers: [${name}Controller],
  providers: [${name}Service],
})
export class ${name}Module {}
`,
    [`${folder}src/${file}.controller.ts`]: `import { Controller, Get } from '@nestjs/common';
import { ${name}Service } from './${file}.service${js}';

@Controller()
export class ${name}Controller {
  constructor(private readonly ${file}Service: ${name}Service) {}

  @Get()
  getHello(): string {
    return this.${file}Service.getHello();
  }
}
`,
    [`${folder}src/${file}.service.ts`]: `import { Injectable } from '@nestjs/common';

@Injectable()
export class ${name}Service {
  getHello(): string {
    return 'Hello World!';
  }
}
`,
    [`${folder}test/app.e2e-spec.ts`]: `import { Test, TestingModule } from '@nestjs/testing';
import { INestApplication } from '@nestjs/common';
import request from 'supertest';
import { App } from 'supertest/types${js}';
import { ${name}Module } from './../src/${file}.module${js}';

describe('${name}Controller (e2e)', () => {
  let app: INestApplication<App>;

  beforeEach(async () => {
    const moduleFixture: TestingModule = await Test.createTestingModule({
      imports: [${name}Module],
    }).compile();

    app = moduleFixture.createNestApplication();
    await app.init();
  });

  it('/ (GET)', () => {
    return request(app.getHttpServer())
      .get('/')
      .expect(200)
      .expect('Hello World!');
  });

  afterEach(async () => {
    await app.close();
  });
});
`,
  };
}

const DEPENDENCIES = {
  '@nestjs/common': '*',
  '@nestjs/core': '*',
  '@nestjs/platform-express': '*',
};

const MANIFEST_12 = json({
  name: 'app',
  type: 'module',
  scripts: { test: 'vitest run' },
  dependencies: DEPENDENCIES,
  devDependencies: { '@nestjs/testing': '^12.0.1', supertest: '^7.0.0', vitest: '^4.1.2' },
});

const MANIFEST_11 = json({
  name: 'app',
  scripts: { test: 'jest' },
  dependencies: DEPENDENCIES,
  devDependencies: { '@nestjs/testing': '^11.0.1', jest: '^30.0.0', supertest: '^7.0.0', 'ts-jest': '^29.2.5' },
  jest: {
    moduleFileExtensions: ['js', 'json', 'ts'],
    rootDir: 'src',
    testRegex: '.*\\.spec\\.ts$',
    transform: { '^.+\\.(t|j)s$': 'ts-jest' },
    testEnvironment: 'node',
  },
});

const JEST_E2E = `{
  "moduleFileExtensions": ["js", "json", "ts"],
  "rootDir": ".",
  "testEnvironment": "node",
  "testRegex": ".e2e-spec.ts$",
  "transform": {
    "^.+\\\\.(t|j)s$": "ts-jest"
  }
}
`;
