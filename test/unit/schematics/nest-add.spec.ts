import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { format, type Options } from 'prettier';
import { nestAdd, type NestAddOptions } from '../../../src/schematics/nest-add.js';
import { MemoryTree, nestMonorepo, nestNew, type NestVersion } from '../../support/nest-new.js';

type Contents = Readonly<Record<string, string>>;

const AUTH0: NestAddOptions = {
  provider: 'auth0',
  issuer: 'https://tenant.eu.auth0.com/',
  audience: 'https://orders.example.com',
  sourceRoot: 'src',
};
const FROM_ENV: NestAddOptions = { sourceRoot: 'src' };
const OPEN_ROOT: NestAddOptions = { ...AUTH0, openRoot: true };
const US_GOVERNMENT: NestAddOptions = {
  provider: 'entraId',
  issuer: 'https://login.microsoftonline.us/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0',
};

const CALL = 'AuthModule.forRootAsync({ useFactory: () => fromEnv() })';
const MODULE = 'src/app.module.ts';
const ROOT = 'src/root/root.module.ts';
const CONTROLLER = 'src/app.controller.ts';
const GENERATED_TEST = 'test/app.e2e-spec.ts';
const TEST = 'test/auth.e2e-spec.ts';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Returns the package.json of a folder with these files and, unless they include another, the node_modules of this package. */
function manifestIn(files: Contents): string {
  const folder = mkdtempSync(join(tmpdir(), 'nest-add-'));
  folders.push(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const hasPackages = Object.keys(files).some((path) => path.startsWith('node_modules/'));
  if (!hasPackages) symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return join(folder, 'package.json');
}

/** Runs the schematic. Without a .prettierrc, the application has no Prettier. */
async function add(contents: Contents, options = AUTH0, argv: readonly string[] = [], manifest?: string) {
  const tree = new MemoryTree(contents);
  const messages: string[] = [];
  const warnings: string[] = [];
  const logger = {
    info: (message: string) => void messages.push(message),
    warn: (message: string) => void warnings.push(message),
  };
  const { '.prettierrc': prettierrc } = contents;
  const place = manifest ?? manifestIn(prettierrc === undefined ? {} : { '.prettierrc': prettierrc });
  const run = nestAdd(options, argv, [place])(tree, { logger });
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => (thrown as Error).message,
  );
  const all: Contents = Object.fromEntries(tree.contents);
  const changed = Object.keys(all).filter((path) => all[path] !== contents[path]);
  const text = (path: string) => all[path] ?? '';
  return { all, changed: changed.sort(), text, messages, warnings, error };
}

/** Returns the files with a replacement in one of them, which must change it. */
function edit(contents: Contents, path: string, from: string, to: string): Contents {
  const text = contents[path]?.replaceAll(from, () => to) ?? '';
  if (text === contents[path]) throw new Error(`${path} has no ${from}`);
  return { ...contents, [path]: text };
}

function without(contents: Contents, ...paths: string[]): Contents {
  return Object.fromEntries(Object.entries(contents).filter(([path]) => !paths.includes(path)));
}

async function expectFormatted(contents: Contents): Promise<void> {
  const options = JSON.parse(contents['.prettierrc'] ?? '') as Options;
  for (const [filepath, content] of Object.entries(contents)) {
    if (!/\.(?:ts|json)$/.test(filepath) || /^(?:nest-cli|tsconfig|package)/.test(filepath)) continue;
    expect([filepath, content]).toEqual([filepath, await format(content, { ...options, filepath })]);
  }
}

/** An application with one module, which imports Module and has these lines before the class. */
function applicationWith(metadata: string, before = ''): Contents {
  const module = `import { Module } from '@nestjs/common';\n${before}\n@Module(${metadata})\nexport class AppModule {}\n`;
  return without({ ...nestNew(12), [MODULE]: module }, '.prettierrc', 'src/main.ts');
}

describe.each<NestVersion>([11, 12])('nest add in a new application of Nest %s', (version) => {
  const js = version === 12 ? '.js' : '';
  const fresh = nestNew(version);

  it('imports AuthModule into the root module', async () => {
    const { text } = await add(fresh);
    expect(text(MODULE)).toBe(`import { Module } from '@nestjs/common';
import { AuthModule } from 'nestjs-resource-server';
import { auth0, requiredEnv } from 'nestjs-resource-server/presets';
import { AppController } from './app.controller${js}';
import { AppService } from './app.service${js}';

@Module({
  imports: [
    AuthModule.forRootAsync({
      useFactory: () =>
        auth0(
          requiredEnv({
            domain: 'AUTH0_DOMAIN',
            audience: 'AUTH_AUDIENCE',
          }),
        ),
    }),
  ],
  controllers: [AppController],
  providers: [AppService],
})
export class AppModule {}
`);
  });

  it('writes the variables into .env.example and into a file for tests', async () => {
    const { text, messages, warnings } = await add(fresh);
    expect(text('.env.example')).toBe(`# nestjs-resource-server: tokens of Auth0
# Copy this file to .env and load it with one of these commands:
# nest start --env-file .env, or node --env-file=.env dist/main.js
AUTH0_DOMAIN=tenant.eu.auth0.com
# The Identifier of the API in Auth0.
AUTH_AUDIENCE=https://orders.example.com
`);
    expect(text('test/auth-environment.ts')).toContain(`
process.env.AUTH0_DOMAIN = 'tenant.eu.auth0.com';
process.env.AUTH_AUDIENCE = 'https://orders.example.com';
`);
    expect(messages.join()).toContain('nest start --env-file .env');
    expect(warnings).toEqual([]);
  });

  it('expects 401 in the generated test, and adds a test with and without a token', async () => {
    const { text } = await add(fresh);
    expect(text(GENERATED_TEST)).toContain(`import './auth-environment${js}';\nimport { Test, `);
    expect(text(GENERATED_TEST)).toContain("    return request(app.getHttpServer()).get('/').expect(401);\n");
    expect(text(TEST)).toContain(`import { AppModule } from '../src/app.module${js}';`);
    expect(text(TEST)).toContain(`await request(app.getHttpServer()).get('/auth-probe').expect(401);`);
    expect(text(TEST)).toContain(`.expect(200, { subject: 'alice' });`);
  });

  it('sends the token of the added test in the header that the preset reads', async () => {
    const { text } = await add(fresh, { ...FROM_ENV, provider: 'cloudflareAccess' });
    expect(text(TEST)).toContain(".set('cf-access-jwt-assertion', token)");
  });

  it('opens the hello-world route with --open-root', async () => {
    const { text, warnings } = await add(fresh, OPEN_ROOT);
    expect(text(CONTROLLER)).toContain("\nimport { Public } from 'nestjs-resource-server';\n");
    expect(text(CONTROLLER)).toContain('\n  @Get()\n  @Public()\n  getHello(): string {\n');
    expect(text(GENERATED_TEST)).toContain(".expect('Hello World!')");
    expect(text(GENERATED_TEST)).toContain('auth-environment');
    expect(warnings).toEqual([]);
  });

  it.each<NestAddOptions>([
    AUTH0,
    FROM_ENV,
    OPEN_ROOT,
    US_GOVERNMENT,
    { provider: 'github', openRoot: true },
    { provider: 'cloudflareAccess' },
  ])('formats with Prettier, and changes nothing in a second run (%j)', async (options) => {
    const first = await add(fresh, options);
    await expectFormatted(first.all);
    expect(await add(first.all, options)).toMatchObject({ changed: [], messages: [], warnings: [] });
  });

  it('replaces the examples of the first run by given values, keeps other values, and reports those', async () => {
    const first = await add(fresh, FROM_ENV);
    const given = { ...FROM_ENV, issuer: 'https://id.example.org/', audience: 'https://api.example.org' };
    const second = await add(first.all, given);
    expect(second.text('.env.example')).toContain('AUTH_ISSUER=https://id.example.org/\n');
    expect(second.text('.env.example')).toContain('AUTH_AUDIENCE=https://api.example.org\n');
    const third = await add(second.all, { ...given, issuer: 'https://other.example.org/', audience: 'other' });
    expect(third.changed).toEqual([]);
    expect(third.warnings).toEqual([
      expect.stringMatching(/keeps the earlier value of AUTH_ISSUER and AUTH_AUDIENCE\./),
    ]);
  });

  it('sets up the named project of a monorepo', async () => {
    const options = { provider: 'keycloak', project: 'admin', sourceRoot: 'apps/admin/src' };
    const { changed, all, warnings } = await add(nestMonorepo(version), options);
    expect(changed).toEqual([
      '.env.example',
      'apps/admin/src/admin.module.ts',
      'apps/admin/test/app.e2e-spec.ts',
      'apps/admin/test/auth-environment.ts',
      ...(version === 11 ? ['apps/admin/test/auth.e2e-spec.ts', 'apps/admin/test/jest-e2e.json', 'package.json'] : []),
    ]);
    const reason = expect.stringContaining('was not added: Vitest compiles decorators only in files');
    expect(warnings).toEqual(version === 11 ? [] : [reason]);
    await expectFormatted(all);
  });
});

describe('the module that nest add writes', () => {
  it.each([
    ['{ imports: [] }', `{ imports: [${CALL}] }`],
    ['{}', `{imports: [${CALL}]}`],
    ['{ providers: [A] }', `{ imports: [${CALL}], providers: [A] }`],
    ['{\n  providers: [A],\n}', `{\n  imports: [${CALL}],\n  providers: [A],\n}`],
    ['{\n\tproviders: [A],\n}', `{\n\timports: [${CALL}],\n\tproviders: [A],\n}`],
    ['{\n  imports: [A],\n}', `{\n  imports: [${CALL}, A],\n}`],
    ['{ imports: [ /* A, */ B,] }', `{ imports: [ ${CALL}, /* A, */ B,] }`],
    ['{\n  imports: [\n    A,\n    B,\n  ],\n}', `{\n  imports: [\n    ${CALL},\n    A,\n    B,\n  ],\n}`],
    ['{\r\n  imports: [\r\n    A\r\n  ]\r\n}', `{\r\n  imports: [\r\n    ${CALL},\r\n    A\r\n  ]\r\n}`],
    ["{\n  'imports': [...A],\n}", `{\n  'imports': [${CALL}, ...A],\n}`],
    ['{\n  imports: [ // none\n  ],\n}', `{\n  imports: [ ${CALL}// none\n  ],\n}`],
    ['{\n  imports: [\n    // none\n  ],\n}', `{\n  imports: [\n    ${CALL},\n    // none\n  ],\n}`],
  ])('has %j with AuthModule added', async (before, after) => {
    const { text } = await add(applicationWith(before), FROM_ENV);
    expect(/@Module\(([\s\S]*)\)\r?\nexport class AppModule/.exec(text(MODULE))?.[1]).toBe(after);
  });

  it('keeps comments beside imports, and adds imports of packages before those of files', async () => {
    const before = `import data from 'data' with { type: 'json' }; // why, and not: ;
// import { AuthModule } from 'nestjs-resource-server';
import { B } from './b';
`;
    const { text } = await add(applicationWith('{ imports: [] }', before), FROM_ENV);
    expect(text(MODULE)).toContain(`import data from 'data' with { type: 'json' }; // why, and not: ;
import { AuthModule } from 'nestjs-resource-server';
import { fromEnv } from 'nestjs-resource-server/presets';
// import { AuthModule } from 'nestjs-resource-server';
import { B } from './b';
`);
  });

  it('uses other names if the application has its own AuthModule', async () => {
    const before = 'import { AuthModule } from "./auth.module";\nimport { fromEnv } from "./environment";\n';
    const { text } = await add(applicationWith('{ imports: [AuthModule] }', before), FROM_ENV);
    expect(text(MODULE)).toContain('import { AuthModule as ResourceServerModule } from "nestjs-resource-server";');
    expect(text(MODULE)).toContain('import { fromEnv as fromEnvPreset } from "nestjs-resource-server/presets";');
    expect(text(MODULE)).toContain(
      '[ResourceServerModule.forRootAsync({ useFactory: () => fromEnvPreset() }), AuthModule]',
    );
  });

  it('passes fixed values of the issuer to the preset', async () => {
    expect((await add(nestNew(12), US_GOVERNMENT)).text(MODULE)).toContain(`
      useFactory: () =>
        entraId({
          ...requiredEnv({
            tenantId: 'ENTRA_TENANT_ID',
            audience: 'AUTH_AUDIENCE',
          }),
          cloud: 'us-government',
        }),
`);
  });

  it.each<Options>([
    { singleQuote: false, semi: false, useTabs: true },
    { singleQuote: true, tabWidth: 4, trailingComma: 'none', endOfLine: 'crlf', printWidth: 120 },
  ])('has the format of the application: %j', async (options) => {
    const formatted: [string, string][] = [];
    for (const [filepath, content] of Object.entries({ ...nestNew(12), '.prettierrc': JSON.stringify(options) }))
      formatted.push([filepath, filepath.endsWith('.ts') ? await format(content, { ...options, filepath }) : content]);
    await expectFormatted((await add(Object.fromEntries(formatted))).all);
  });

  it('keeps the format of a file that Prettier has not formatted', async () => {
    const { text } = await add(edit(nestNew(12), MODULE, 'imports: []', 'imports:  [ ]'), FROM_ENV);
    expect(text(MODULE)).toContain(`\n  imports:  [ ${CALL}],\n`);
  });
});

describe('where nest add finds the application', () => {
  /** The root module is in a folder, with another name. */
  const renamed = Object.fromEntries(
    Object.entries(nestNew(12)).map(([path, content]) => [
      path.replace(/^src\/app\.(module|controller|service)/, 'src/root/app.$1').replace('app.module', 'root.module'),
      content.replaceAll('./app.module', './root/root.module').replaceAll('AppModule', 'RootModule'),
    ]),
  );
  const noEntry = without(renamed, 'src/main.ts');
  const otherEntry = {
    ...noEntry,
    'nest-cli.json': '{ "entryFile": "server" /* not main */ }',
    'src/server.ts': edit(renamed, 'src/main.ts', '.create(', '.create<App>(\n    ')['src/main.ts'] ?? '',
  };
  const twoModules = edit(noEntry, ROOT, '@Module(', '@Module({})\nclass A {}\n\n@Module(');

  it.each<[string, Contents, NestAddOptions, string]>([
    ['the module that main.ts starts', renamed, AUTH0, ROOT],
    ['the module that another entry file starts', otherEntry, AUTH0, ROOT],
    ['app.module.ts otherwise', { ...nestNew(12), 'src/main.ts': "await import('./start.js');\n" }, AUTH0, MODULE],
    ['the file of --module', noEntry, { ...AUTH0, module: ROOT }, ROOT],
    ['the default project', nestMonorepo(11), { sourceRoot: 'apps/app/src' }, `apps/app/${MODULE}`],
    ['src without a sourceRoot', nestNew(12), {}, MODULE],
    ['src if the Nest CLI passes undefined', nestNew(12), { sourceRoot: 'undefined' }, MODULE],
    ['the sourceRoot ./src/', nestNew(12), { sourceRoot: './src/' }, MODULE],
  ])('changes %s', async (_, contents, options, path) => {
    const { all, changed, error } = await add(contents, options);
    expect(error).toBeUndefined();
    expect(changed).toContain(path);
    const imported = path
      .replace(/^(?:apps\/app\/)?src/, '../src')
      .replace(/\.ts$/, path.startsWith('apps') ? '' : '.js');
    expect(Object.entries(all).find(([file]) => file.endsWith(TEST))?.[1]).toContain(`Module } from '${imported}';`);
  });

  it.each<[string, Contents, NestAddOptions, string]>([
    ['no root module', noEntry, AUTH0, 'Name its file with --module=path'],
    ['no file of --module', noEntry, { ...AUTH0, module: 'src/x.ts' }, '--module is "src/x.ts", which does not exist.'],
    ['two modules', twoModules, { module: ROOT }, 'exactly one class with a @Module() decorator'],
    [
      'no such project',
      nestMonorepo(12),
      { project: 'x' },
      '--project is "x", which is not in nest-cli.json. Its projects: "admin", "app".',
    ],
    ['no projects', nestNew(12), { project: 'x' }, 'Its projects: none.'],
  ])('rejects an application with %s, without changes', async (_, contents, options, message) => {
    const { changed, error } = await add(contents, options);
    expect(changed).toEqual([]);
    expect(error).toContain(message);
  });

  it('adds the variables of two projects with different providers', async () => {
    const first = await add(nestMonorepo(11), { project: 'app', provider: 'auth0' });
    const { text, changed } = await add(first.all, { project: 'admin', provider: 'okta' });
    expect(changed).toContain('apps/admin/test/auth.e2e-spec.ts');
    expect(text('.env.example')).toMatch(/^AUTH0_DOMAIN=[\s\S]*^OKTA_DOMAIN=/m);
    expect(text('.env.example').match(/^AUTH_AUDIENCE=/gm)).toHaveLength(1);
    expect(text('.env.example').match(/nest start --env-file/g)).toHaveLength(1);
  });
});

describe('an existing AuthModule', () => {
  const security = (use: string) => `import { AuthModule } from 'nestjs-resource-server';\n${use}\n`;

  it('with another preset stays, with a warning', async () => {
    const source = security('@Module({ imports: [AuthModule.forRoot({})] })\nexport class SecurityModule {}');
    const { changed, warnings } = await add({ ...nestNew(12), 'src/security/security.module.ts': source });
    expect(changed).toEqual([]);
    expect(warnings).toEqual(['AuthModule is already configured, but not with auth0(). No file was changed.']);
  });

  it('that the user added does not prevent the other files', async () => {
    const { all } = await add(nestNew(12));
    const { changed } = await add({ ...nestNew(12), [MODULE]: all[MODULE] ?? '' });
    expect(changed).toEqual(['.env.example', GENERATED_TEST, 'test/auth-environment.ts', TEST]);
  });

  it.each([
    ['a unit test', 'src/app.controller.spec.ts', security('AuthModule.forRoot({})')],
    ['an unused import', 'src/security.module.ts', security('')],
    ['a comment', 'src/security.module.ts', security('// AuthModule.forRoot({})')],
    ['a string', 'src/security.module.ts', security("const text = 'AuthModule.forRoot({})';")],
    [
      'a class of the application',
      'src/security.module.ts',
      "import { AuthModule } from './a';\nAuthModule.forRoot();",
    ],
    ['a video', 'src/video.ts', '\0'],
  ])('is not assumed because of %s', async (_, path, content) => {
    const { changed, warnings } = await add({ ...nestNew(12), [path]: content });
    expect(changed).toContain(MODULE);
    expect(warnings).toEqual([]);
  });
});

describe('a file that cannot be changed safely', () => {
  it.each([
    ['{ imports: SHARED }', 'src/app.module.ts:3 was not changed: `imports` in its @Module() is not an array literal'],
    ['{ imports }', 'is not an array literal'],
    ['{ imports: [A] as const }', 'is not an array literal'],
    ['{ ...shared, providers: [] }', 'a spread or a computed name in its @Module() may set `imports`'],
    ["{ ['imports']: [] }", 'a spread or a computed name'],
    ['metadata', 'the argument of its @Module() is not an object literal'],
    ['', 'is not an object literal'],
    ['{ imports: [A(] }', 'src/app.module.ts:3 was not changed: it has a syntax error'],
    ["{ imports: ['A] }", 'it has a syntax error'],
    ['{ imports: [AuthModule, ResourceServerModule] }', 'it uses the names AuthModule and ResourceServerModule'],
  ])('prevents all changes and prints the lines to add: @Module(%s)', async (metadata, reason) => {
    const { changed, error } = await add(applicationWith(metadata));
    expect(changed).toEqual([]);
    expect(error).toContain(reason);
    expect(error).toContain(`
import { AuthModule } from 'nestjs-resource-server';
import { auth0, requiredEnv } from 'nestjs-resource-server/presets';

@Module({
  imports: [
    AuthModule.forRootAsync({
      useFactory: () =>
        auth0(
`);
    expect(error).toContain('AUTH0_DOMAIN=tenant.eu.auth0.com\n');
  });

  it.each([
    ['@nestjs/cli without TypeScript', {}],
    ['TypeScript 7', { 'node_modules/typescript/index.js': "exports.version = '7.0.2';" }],
  ])('is each file if there is no parser: %s', async (_, packages) => {
    const manifest = manifestIn({ 'node_modules/@nestjs/cli/package.json': '{}', ...packages });
    const { changed, error } = await add(nestNew(12), AUTH0, [], manifest);
    expect(changed).toEqual([]);
    expect(error).toContain('The TypeScript parser of @nestjs/cli was not found. Add these lines by hand');
  });

  it.each<[string, Contents, string]>([
    [
      'with two routes',
      edit(nestNew(12), CONTROLLER, '  @Get()', '  @Get()\n  other() {}\n\n  @Get()'),
      'exactly one @Get()',
    ],
    ['with a path', edit(nestNew(12), CONTROLLER, '@Controller()', "@Controller('orders')"), 'exactly one @Get()'],
    [
      'with another Public',
      edit(nestNew(12), CONTROLLER, '@Controller()', '@Public()\n@Controller()'),
      'the name Public',
    ],
    ['that does not exist', without(nestNew(12), CONTROLLER), 'src/app.controller.ts does not exist'],
  ])('stays with --open-root: a controller %s', async (_, contents, reason) => {
    const { all, warnings } = await add(contents, OPEN_ROOT);
    expect(all[CONTROLLER]).toBe(contents[CONTROLLER]);
    expect(warnings).toContainEqual(expect.stringContaining(reason));
    expect(warnings).toContainEqual(expect.stringContaining('put @Public() on the handler'));
  });

  it('stays: other expectations in the generated test', async () => {
    const { text, warnings } = await add(edit(nestNew(12), GENERATED_TEST, 'Hello World!', 'Good morning'));
    expect(text(GENERATED_TEST)).toContain("expect('Good morning')");
    expect(text(GENERATED_TEST)).toContain('auth-environment');
    expect(warnings).toEqual([expect.stringContaining(`The requests in ${GENERATED_TEST} now need an access token`)]);
  });

  it('is not added: a test that the application cannot run', async () => {
    const missing = await add(edit(nestNew(12), 'package.json', '"supertest"', '"superagent"'));
    expect(missing.changed).not.toContain(TEST);
    expect(missing.warnings).toEqual([expect.stringContaining('it needs supertest')]);
  });

  it('stays: variables and line ends in .env.example', async () => {
    const crlf = await add({ ...nestNew(12), '.env.example': 'export AUTH_AUDIENCE=mine' });
    expect(crlf.text('.env.example')).toMatch(
      /^export AUTH_AUDIENCE=mine\n\n# nestjs-resource-server: [\s\S]*\nAUTH0_DOMAIN=tenant\.eu\.auth0\.com\n$/,
    );
    const options = { issuer: 'https://id.example.com/realms/my%20shop', provider: 'keycloak', audience: 'a#1' };
    const { text } = await add({ ...nestNew(12), '.env.example': 'PORT=3000\r\n' }, options);
    expect(text('.env.example')).toMatch(
      /^PORT=3000\r\n\r\n# nestjs-[^]*\r\nKEYCLOAK_REALM="my shop"\r\n[^]*="a#1"\r\n$/,
    );
    expect(text('.env.example')).not.toMatch(/[^\r]\n/);
  });
});

describe('nest add and Jest', () => {
  const pattern = '/node_modules/(?!.*(nestjs-resource-server|@nestjs/passport)/)';

  it('transforms the ES modules if Jest compiles the application to CommonJS', async () => {
    const { text } = await add(nestNew(11));
    const { jest } = JSON.parse(text('package.json')) as { jest: unknown };
    expect(jest).toMatchObject({ transformIgnorePatterns: [pattern], testEnvironment: 'node' });
    expect(text('test/jest-e2e.json')).toBe(`{
  "moduleFileExtensions": ["js", "json", "ts"],
  "rootDir": ".",
  "testEnvironment": "node",
  "testRegex": ".e2e-spec.ts$",
  "transform": {
    "^.+\\\\.(t|j)s$": "ts-jest"
  },
  "transformIgnorePatterns": [
    "${pattern}"
  ]
}
`);
  });

  it.each([
    ['/app/node_modules/nestjs-resource-server/dist/index.js', false],
    ['/app/node_modules/@nestjs/passport/dist/index.js', false],
    ['/app/node_modules/.pnpm/jose@4.15.9/node_modules/jose/dist/node/cjs/index.js', true],
    ['/app/node_modules/.pnpm/lru-cache@11.0.0/node_modules/lru-cache/dist/index.js', true],
  ])('ignores %s in transforms: %s', (path, isIgnored) => {
    expect(new RegExp(pattern).test(path)).toBe(isIgnored);
  });

  it.each<[string, Contents]>([
    ['without Jest', nestNew(12)],
    ['of ES modules', edit(nestNew(11), 'package.json', '"name"', '"type": "module",\n  "name"')],
    ['with a preset', edit(nestNew(11), 'package.json', '"transform"', '"preset"')],
    ['with Jest in another file', edit(nestNew(11), 'package.json', '"jest": {', '"mocha": {')],
  ])('does not change package.json in an application %s', async (_, contents) => {
    expect((await add(contents)).changed).not.toContain('package.json');
  });

  it.each<[string, Contents]>([
    ['jest.config.js', { ...nestNew(11), 'jest.config.js': 'module.exports = {};' }],
    [
      'test/jest-e2e.json',
      edit(nestNew(11), 'test/jest-e2e.json', '"rootDir"', '"transformIgnorePatterns": [],\n  "rootDir"'),
    ],
  ])('does not change %s, and prints the line to add', async (path, contents) => {
    const { warnings, all } = await add(contents);
    expect(warnings).toEqual([expect.stringMatching(/^\S+ was not changed/)]);
    expect(warnings[0]).toContain(path);
    expect(warnings[0]).toContain(`"transformIgnorePatterns": ["${pattern}"]`);
    expect(all[path]).toBe(contents[path]);
  });
});

describe('the added test', () => {
  it('starts Fastify if the application has it', async () => {
    const fastify = edit(nestNew(12), 'package.json', 'platform-express', 'platform-fastify');
    const { all, text } = await add(fastify);
    expect(text(TEST)).toContain('createNestApplication(new FastifyAdapter())');
    await expectFormatted(all);
  });

  it('imports supertest like the generated test', async () => {
    const old = "import * as request from 'supertest';";
    const contents = edit(nestNew(11), GENERATED_TEST, "import request from 'supertest';", old);
    expect((await add(contents)).text(TEST)).toContain(old);
  });
});

describe('the options of nest add', () => {
  it.each<[NestAddOptions, string]>([
    [{ provider: 'passport' }, '--provider is "passport". Write one of auth0, keycloak'],
    [{ provider: '__proto__' }, '--provider is "__proto__"'],
    [{ issuer: 'tenant.eu.auth0.com' }, '--issuer is "tenant.eu.auth0.com"'],
    [{ provider: 'keycloak', audience: 'account' }, '--audience: is "account"'],
    [{ issuer: 'http://keycloak:8080/realms/x' }, '--issuer: is "http://keycloak:8080/realms/x"'],
    [{ issuer: "https://x.example.com/'; evil()" }, '--issuer is "https://x.example.com/'],
    [{ audience: "a';evil();'" }, '--audience is "a'],
    [{ audience: 2 ** 60 }, 'which changed its last digits'],
    [{ provider: 'cognito', issuer: 'https://example.com' }, '--issuer=https://example.com'],
  ])('are rejected without changes: %j', async (options, message) => {
    const { changed, error } = await add(nestNew(12), options);
    expect(changed).toEqual([]);
    expect(error).toContain(message);
  });

  it.each<[NestAddOptions, readonly string[], string]>([
    [{ audience: 1234 }, [], 'AUTH_AUDIENCE=1234\n'],
    [{ provider: 'auth0', issuer: ' ', audience: '' }, [], 'AUTH0_DOMAIN=<your-tenant.eu.auth0.com>\n'],
    ...['69234237810729019', '0069'].flatMap((digits): [NestAddOptions, readonly string[], string][] => [
      [{ audience: Number(digits) }, ['--audience=70', `--audience=${digits}`], `AUTH_AUDIENCE=${digits}\n`],
      [{ audience: Number(digits) }, ['--audience', digits], `AUTH_AUDIENCE=${digits}\n`],
    ]),
  ])('are read as entered: %j %j', async (options, argv, line) => {
    expect((await add(nestNew(12), options, argv)).text('.env.example')).toContain(line);
  });
});
