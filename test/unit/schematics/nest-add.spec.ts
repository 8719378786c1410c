import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { nestAdd, type NestAddOptions } from '../../../src/schematics/nest-add.js';
import { MemoryFiles, nestMonorepo, nestNew, type NestVersion } from '../../support/nest-new.js';

const AUTH0: NestAddOptions = {
  provider: 'auth0',
  issuer: 'https://tenant.eu.auth0.com/',
  audience: 'https://orders.example.com',
  sourceRoot: 'src',
};

const OF_GOVERNMENT = 'https://login.microsoftonline.us/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0';

const START = `# Copy this file to .env. Nothing reads that by itself; these do:
# nest start --env-file .env, or node --env-file=.env dist/main.js`;

/** Runs the schematic, and gives back what it wrote and said. */
function add(
  contents: Readonly<Record<string, string>>,
  options: NestAddOptions = AUTH0,
  argv: readonly string[] = [],
) {
  const files = new MemoryFiles(contents);
  const said: string[] = [];
  const warnings: string[] = [];
  nestAdd(options, argv)(files, {
    logger: { info: (message) => said.push(message), warn: (message) => warnings.push(message) },
  });
  const changed = [...files.contents.keys()].filter((path) => files.contents.get(path) !== contents[path]);
  return { all: Object.fromEntries(files.contents), changed: changed.sort(), said, warnings, text: textOf(files) };
}

function textOf(files: MemoryFiles) {
  return (path: string) => files.readText(path);
}

/** Prettier leaves it as it is: so it has no syntax error, and looks as what is around it. */
async function expectFormatted(contents: Readonly<Record<string, string>>, options = {}): Promise<void> {
  for (const [filepath, content] of Object.entries(contents)) {
    if (!/\.(?:ts|json)$/.test(filepath) || /^(?:nest-cli|tsconfig|package)/.test(filepath)) continue;
    expect([filepath, content]).toEqual([
      filepath,
      await format(content, { singleQuote: true, trailingComma: 'all', filepath, ...options }),
    ]);
  }
}

function thrownBy(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

describe.each<NestVersion>([11, 12])('nest add on a fresh application of Nest %s', (version) => {
  const js = version === 12 ? '.js' : '';

  it('imports AuthModule into the root module', () => {
    expect(add(nestNew(version)).text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
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

  it('tells the preset what is no variable', () => {
    expect(add(nestNew(version), { provider: 'entraId', issuer: OF_GOVERNMENT }).text('src/app.module.ts')).toContain(`
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

  it('reads issuer and audience by fromEnv() for a server that has no preset', () => {
    expect(add(nestNew(version), { sourceRoot: 'src' }).text('src/app.module.ts')).toContain(`
import { AuthModule } from 'nestjs-resource-server';
import { fromEnv } from 'nestjs-resource-server/presets';
import { AppController } from './app.controller${js}';
import { AppService } from './app.service${js}';

@Module({
  imports: [AuthModule.forRootAsync({ useFactory: () => fromEnv() })],
`);
  });

  it('writes the variables into .env.example, and into the tests', () => {
    const { text } = add(nestNew(version));
    expect(text('.env.example')).toBe(`# nestjs-resource-server: tokens of Auth0
${START}
AUTH0_DOMAIN=tenant.eu.auth0.com
# The Identifier of the API in Auth0.
AUTH_AUDIENCE=https://orders.example.com
`);
    expect(text('test/auth-environment.ts')).toContain(`
process.env.AUTH0_DOMAIN = 'tenant.eu.auth0.com';
process.env.AUTH_AUDIENCE = 'https://orders.example.com';
`);
  });

  it('has the test of nest new expect that its route is closed', () => {
    const { text } = add(nestNew(version));
    expect(text('test/app.e2e-spec.ts')).toContain(`
import './auth-environment${js}';
import { AppModule } from './../src/app.module${js}';
`);
    expect(text('test/app.e2e-spec.ts')).toContain(`
  it('/ (GET)', () => {
    return request(app.getHttpServer()).get('/').expect(401);
  });
`);
  });

  it('adds a test that the route is closed without a token, and opens for a good one', () => {
    const { text } = add(nestNew(version));
    const test = text('test/auth.e2e-spec.ts');
    expect(test).toContain(`import { AppModule } from '../src/app.module${js}';`);
    expect(test).toContain(`await request(app.getHttpServer()).get('/').expect(401);`);
    expect(test).toContain(`.expect(200, 'Hello World!');`);
  });

  it('leaves all that it writes as Prettier does', async () => {
    await expectFormatted(add(nestNew(version)).all);
    await expectFormatted(add(nestNew(version), { sourceRoot: 'src', openRoot: true }).all);
    await expectFormatted(add(nestNew(version), { sourceRoot: 'src', provider: 'github', openRoot: true }).all);
    await expectFormatted(add(nestNew(version), { provider: 'entraId', issuer: OF_GOVERNMENT }).all);
    await expectFormatted(add(nestNew(version), { provider: 'okta' }).all);
    await expectFormatted(
      add(nestNew(version), { sourceRoot: 'src', issuer: `https://issuer.example.com/${'path/'.repeat(12)}` }).all,
    );
  });

  it.each([AUTH0, { sourceRoot: 'src' }, { ...AUTH0, openRoot: true }])(
    'changes nothing when it runs again (%j)',
    (options) => {
      const first = add(nestNew(version), options);
      const second = add(first.all, options);
      expect([second.changed, second.said, second.warnings]).toEqual([[], [], []]);
    },
  );

  it('changes nothing for another provider afterwards, and says so', () => {
    const second = add(add(nestNew(version)).all, { sourceRoot: 'src', provider: 'cognito' });
    expect(second.changed).toEqual([]);
    expect(second.warnings).toEqual(['AuthModule is set up already, and not by cognito(): nothing was changed.']);
  });

  it('opens the hello-world route when asked to, and tests another', () => {
    const { text } = add(nestNew(version), { ...AUTH0, openRoot: true });
    expect(text('src/app.controller.ts')).toContain(`
import { Public } from 'nestjs-resource-server';
`);
    expect(text('src/app.controller.ts')).toContain(`
  @Get()
  @Public()
  getHello(): string {
`);
    expect(text('test/app.e2e-spec.ts')).toContain(".expect('Hello World!')");
    expect(text('test/app.e2e-spec.ts')).toContain('auth-environment');
    expect(text('test/auth.e2e-spec.ts')).toContain("get('/auth-probe').expect(401)");
    expect(text('test/auth.e2e-spec.ts')).toContain("@Controller('auth-probe')");
  });

  it('says what comes next, and nothing of what is done', () => {
    const { said, warnings } = add(nestNew(version));
    expect(said.join()).toContain('nest start --env-file .env');
    expect(warnings).toEqual([]);
  });
});

describe('nest add and Jest', () => {
  const pattern = '/node_modules/(?!.*(nestjs-resource-server|@nestjs/passport|jose)/)';

  it('lets Jest see the ES modules, where it makes CommonJS of the application', () => {
    const { text } = add(nestNew(11));
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
    ['/app/node_modules/jose/dist/webapi/index.js', false],
    ['/app/node_modules/.pnpm/jose@6.2.1/node_modules/jose/dist/webapi/index.js', false],
    ['/app/node_modules/.pnpm/lru-cache@11.0.0/node_modules/lru-cache/dist/index.js', true],
    ['/app/node_modules/passport-jwt/lib/index.js', true],
    ['/app/node_modules/@nestjs/core/index.js', true],
  ])('leaves out of the transform: %s %s', (path, isLeftOut) => {
    expect(new RegExp(pattern).test(path)).toBe(isLeftOut);
  });

  it('leaves the manifest of an application alone that has no Jest, or is made of ES modules', () => {
    expect(add(nestNew(12)).changed).not.toContain('package.json');
    const fresh = nestNew(11);
    const manifest = fresh['package.json']?.replace('"name"', '"type": "module",\n  "name"') ?? '';
    expect(add({ ...fresh, 'package.json': manifest }).changed).not.toContain('package.json');
  });

  it.each(['js', 'ts', 'mjs'])('says what a jest.config.%s lacks, which it does not edit', (extension) => {
    const { warnings, all } = add({ ...nestNew(11), [`jest.config.${extension}`]: 'module.exports = {};' });
    expect(warnings).toEqual([expect.stringContaining(`Jest in jest.config.${extension} was not changed`)]);
    expect(all[`jest.config.${extension}`]).toBe('module.exports = {};');
  });

  it('finds nothing to change in a configuration by a preset, and in a file that has none', () => {
    const { 'package.json': manifest = '', 'test/jest-e2e.json': _, ...rest } = nestNew(11);
    const byPreset = manifest.replace('"transform"', '"preset"');
    expect(add({ ...rest, 'package.json': byPreset, 'test/jest-e2e.json': '[]' }).changed).toEqual(
      expect.not.arrayContaining(['package.json', 'test/jest-e2e.json']),
    );
    const elsewhere = manifest.replace('"jest": {', '"mocha": {');
    expect(add({ ...rest, 'package.json': elsewhere }).changed).not.toContain('package.json');
  });

  it('leaves patterns that are there as they are, and says what they must not match', () => {
    const fresh = nestNew(11);
    const own = fresh['test/jest-e2e.json']?.replace('"rootDir"', '"transformIgnorePatterns": [],\n  "rootDir"') ?? '';
    const { warnings, text } = add({ ...fresh, 'test/jest-e2e.json': own });
    expect(text('test/jest-e2e.json')).toBe(own);
    expect(warnings).toEqual([expect.stringContaining('Jest in test/jest-e2e.json was not changed')]);
    expect(warnings[0]).toContain(pattern);
  });
});

describe('nest add in a monorepo', () => {
  it.each<NestVersion>([11, 12])('sets up the project that is named (Nest %s)', async (version) => {
    const { changed, all, warnings } = add(nestMonorepo(version), {
      provider: 'keycloak',
      project: 'admin',
      sourceRoot: 'apps/admin/src',
    });
    expect(changed).toEqual([
      '.env.example',
      'apps/admin/src/admin.module.ts',
      'apps/admin/test/app.e2e-spec.ts',
      'apps/admin/test/auth-environment.ts',
      'apps/admin/test/auth.e2e-spec.ts',
      ...(version === 11 ? ['apps/admin/test/jest-e2e.json', 'package.json'] : []),
    ]);
    expect(warnings).toEqual([]);
    await expectFormatted(all);
  });

  it('sets up the default project without a name', () => {
    const { changed } = add(nestMonorepo(12), { sourceRoot: 'apps/app/src' });
    expect(changed).toContain('apps/app/src/app.module.ts');
  });

  it('sets up a second project, too', () => {
    const first = add(nestMonorepo(12), { project: 'app' });
    const second = add(first.all, { project: 'admin' });
    expect(second.changed).toEqual([
      'apps/admin/src/admin.module.ts',
      'apps/admin/test/app.e2e-spec.ts',
      'apps/admin/test/auth-environment.ts',
      'apps/admin/test/auth.e2e-spec.ts',
    ]);
  });

  it('knows the variables of both providers of two projects', () => {
    const first = add(nestMonorepo(12), { project: 'app', provider: 'auth0' });
    const { text } = add(first.all, { project: 'admin', provider: 'okta' });
    expect(text('.env.example')).toMatch(/^AUTH0_DOMAIN=[\s\S]*^OKTA_DOMAIN=/m);
    expect(text('.env.example').match(/^AUTH_AUDIENCE=/gm)).toHaveLength(1);
    expect(text('.env.example').match(/nest start --env-file/g)).toHaveLength(1);
  });

  it('does not add a test with decorators where Vitest would not know them, and says so', () => {
    const { changed, warnings } = add(nestMonorepo(12), { project: 'app', openRoot: true });
    expect(changed).not.toContain('apps/app/test/auth.e2e-spec.ts');
    expect(warnings).toEqual([expect.stringContaining('apps/app/test/auth.e2e-spec.ts was not added')]);
  });

  it('refuses a project that nest-cli.json does not have', () => {
    expect(thrownBy(() => add(nestMonorepo(12), { project: 'nobody' }))).toBe(
      'nest-cli.json has no project "nobody"; it has "admin", "app"',
    );
  });
});

describe('where nest add finds the root module', () => {
  const inFolder = (fresh: Record<string, string>) => {
    const {
      'src/app.module.ts': module = '',
      'src/main.ts': main = '',
      'src/app.controller.ts': controller = '',
      'src/app.service.ts': service = '',
      ...rest
    } = fresh;
    return {
      ...rest,
      'src/main.ts': main.replaceAll('./app.module', './root/root.module').replaceAll('AppModule', 'RootModule'),
      'src/root/root.module.ts': module.replaceAll('AppModule', 'RootModule'),
      'src/root/app.controller.ts': controller,
      'src/root/app.service.ts': service,
    };
  };

  it('follows what the entry file starts', () => {
    const { text, changed } = add(inFolder(nestNew(12)));
    expect(changed).toContain('src/root/root.module.ts');
    expect(text('test/auth.e2e-spec.ts')).toContain("import { RootModule } from '../src/root/root.module.js';");
  });

  it('reads the entry file that nest-cli.json names, and a type parameter', () => {
    const { 'src/main.ts': main, ...rest } = inFolder(nestNew(12));
    const { changed } = add({
      ...rest,
      'nest-cli.json': '{ "sourceRoot": "src", "entryFile": "server" }',
      'src/server.ts': main.replace('NestFactory.create(', 'NestFactory.create<NestExpressApplication>(\n    '),
    });
    expect(changed).toContain('src/root/root.module.ts');
  });

  it('takes app.module.ts where the entry file is not understood', () => {
    const { changed } = add({ ...nestNew(12), 'src/main.ts': "await import('./start.js');\n" });
    expect(changed).toContain('src/app.module.ts');
  });

  it('takes the file that it is told', () => {
    const { 'src/main.ts': _, ...rest } = inFolder(nestNew(12));
    expect(add(rest, { ...AUTH0, module: 'src/root/root.module.ts' }).changed).toContain('src/root/root.module.ts');
    expect(thrownBy(() => add(rest, { ...AUTH0, module: 'src/nothing.ts' }))).toBe(
      'There is no src/nothing.ts (--module).',
    );
  });

  it('changes nothing where there is none, and says how to name it', () => {
    const { 'src/main.ts': _, ...rest } = inFolder(nestNew(12));
    const message = thrownBy(() => add(rest));
    expect(message).toContain('No root module found');
    expect(message).toContain('--module=path');
  });

  it.each(['undefined', undefined, './src', 'src/'])('takes %s for the sourceRoot src', (sourceRoot) => {
    expect(add(nestNew(12), { ...AUTH0, sourceRoot }).changed).toContain('src/app.module.ts');
  });
});

describe('what nest add leaves alone', () => {
  it('keeps what .env.example has, and adds what is missing', () => {
    const { text } = add({ ...nestNew(12), '.env.example': 'PORT=3000\nexport AUTH_AUDIENCE=mine' });
    expect(text('.env.example')).toBe(`PORT=3000
export AUTH_AUDIENCE=mine

# nestjs-resource-server: tokens of Auth0
${START}
AUTH0_DOMAIN=tenant.eu.auth0.com
`);
  });

  it('writes the lines of .env.example as that file has them, and quotes what would be read as a comment', () => {
    const { text } = add(
      { ...nestNew(12), '.env.example': 'PORT=3000\r\n' },
      { issuer: 'https://id.example.com/realms/my%20shop', provider: 'keycloak', audience: 'a#1' },
    );
    expect(text('.env.example')).toBe(
      [
        'PORT=3000',
        '',
        '# nestjs-resource-server: tokens of Keycloak',
        ...START.split('\n'),
        'KEYCLOAK_URL=https://id.example.com',
        'KEYCLOAK_REALM="my shop"',
        '# What an audience mapper in a client scope adds to the tokens.',
        'AUTH_AUDIENCE="a#1"',
        '',
      ].join('\r\n'),
    );
  });

  it('does not touch an application that has AuthModule in a module of its own', () => {
    const { changed, warnings } = add({
      ...nestNew(12),
      'src/security/security.module.ts':
        "import { AuthModule } from 'nestjs-resource-server';\n@Module({ imports: [AuthModule.forRoot({})] })\nexport class SecurityModule {}\n",
    });
    expect(changed).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('set up already')]);
  });

  it.each([
    ['a test', 'src/app.controller.spec.ts', 'AuthModule.forRoot({})'],
    ['an import that is left over', 'src/security.module.ts', ''],
    ['a comment', 'src/security.module.ts', '// AuthModule.forRoot({})'],
    ['a text', 'src/security.module.ts', "const text = 'AuthModule.forRoot({})';"],
  ])('is not taken in by %s: what closes nothing is no AuthModule', (_what, path, use) => {
    const source = `import { AuthModule } from 'nestjs-resource-server';\n${use}\n`;
    const { changed, warnings } = add({ ...nestNew(12), [path]: source });
    expect(changed).toContain('src/app.module.ts');
    expect(warnings).toEqual([]);
  });

  it('adds the rest where the module was changed by hand', () => {
    const { 'src/app.module.ts': module = '' } = add(nestNew(12)).all;
    const { changed } = add({ ...nestNew(12), 'src/app.module.ts': module });
    expect(changed).toEqual([
      '.env.example',
      'test/app.e2e-spec.ts',
      'test/auth-environment.ts',
      'test/auth.e2e-spec.ts',
    ]);
  });

  it('writes no file at all when the module is not understood, but says what to add', () => {
    const fresh = nestNew(12);
    const module = fresh['src/app.module.ts']?.replace('imports: []', 'imports: [A].concat(more)') ?? '';
    const files = new MemoryFiles({ ...fresh, 'src/app.module.ts': module });
    const message = thrownBy(() => nestAdd(AUTH0)(files, { logger: { info: () => undefined, warn: () => undefined } }));
    expect(message).toContain('src/app.module.ts was not changed: the `imports` of its @Module()');
    expect(message).toContain("import { AuthModule } from 'nestjs-resource-server';");
    expect(message).toContain('AuthModule.forRootAsync({');
    expect(Object.fromEntries(files.contents)).toEqual({ ...fresh, 'src/app.module.ts': module });
  });

  it('changes no answer that a test of yours expects, and says that it needs a token', () => {
    const fresh = nestNew(12);
    const test = fresh['test/app.e2e-spec.ts']?.replace('Hello World!', 'Good morning') ?? '';
    const { text, warnings } = add({ ...fresh, 'test/app.e2e-spec.ts': test });
    expect(text('test/app.e2e-spec.ts')).toContain("expect('Good morning')");
    expect(warnings).toEqual([expect.stringContaining('Its requests need a token')]);
  });

  it('adds no test that could not run, and says what it needs', () => {
    const fresh = nestNew(12);
    const manifest = fresh['package.json']?.replace('"supertest"', '"superagent"') ?? '';
    const { changed, warnings } = add({ ...fresh, 'package.json': manifest });
    expect(changed).not.toContain('test/auth.e2e-spec.ts');
    expect(warnings).toEqual([expect.stringContaining('it needs supertest')]);
  });

  it.each([
    ['has two routes', (source: string) => source.replace('  @Get()', '  @Get()\n  other() {}\n\n  @Get()')],
    ['has a path', (source: string) => source.replace('@Controller()', "@Controller('orders')")],
    ['has another Public', (source: string) => source.replace('@Controller()', '@Public()\n@Controller()')],
  ])('does not guess which route to open: the controller %s', (_, edit) => {
    const fresh = nestNew(12);
    const controller = edit(fresh['src/app.controller.ts'] ?? '');
    const { text, warnings } = add({ ...fresh, 'src/app.controller.ts': controller }, { ...AUTH0, openRoot: true });
    expect(text('src/app.controller.ts')).toBe(controller);
    expect(warnings).toContainEqual(expect.stringContaining('Put @Public() on the route that is to be open'));
  });

  it('says that there is no controller to open', () => {
    const { 'src/app.controller.ts': _, ...rest } = nestNew(12);
    expect(add(rest, { ...AUTH0, openRoot: true }).warnings).toContainEqual(
      expect.stringContaining('there is no controller beside src/app.module.ts'),
    );
  });
});

describe('the style of what nest add writes', () => {
  const rewritten = async (options: object): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(nestNew(12)).map(async ([path, content]): Promise<[string, string]> => [
          path,
          path.endsWith('.ts') ? await format(content, { parser: 'typescript', ...options }) : content,
        ]),
      ),
    );

  it.each([
    { singleQuote: false },
    { singleQuote: true, semi: false },
    { singleQuote: true, useTabs: true },
    { singleQuote: true, tabWidth: 4 },
    { singleQuote: true, trailingComma: 'none' as const },
    { singleQuote: true, endOfLine: 'crlf' as const },
    { singleQuote: true, printWidth: 120 },
  ])('is that of the application: %j', async (options) => {
    const contents = { ...(await rewritten(options)), '.prettierrc': JSON.stringify(options) };
    const { all } = add(contents);
    const modules = Object.entries(all).filter(([path]) => /src\/app\.module\.ts|auth-environment/.test(path));
    await expectFormatted(Object.fromEntries(modules), options);
  });
});

describe('a test for an application on Fastify', () => {
  it('starts the adapter that it has', async () => {
    const fresh = nestNew(12);
    const manifest = fresh['package.json']?.replace('platform-express', 'platform-fastify') ?? '';
    for (const openRoot of [true, false]) {
      const { all, text } = add({ ...fresh, 'package.json': manifest }, { ...AUTH0, openRoot });
      expect(text('test/auth.e2e-spec.ts')).toContain('new FastifyAdapter()');
      expect(text('test/auth.e2e-spec.ts')).toContain('getInstance().ready()');
      await expectFormatted(all);
    }
  });
});

describe('how supertest is imported', () => {
  const old = "import * as request from 'supertest';";
  const withOld = () => {
    const fresh = nestNew(11);
    return {
      ...fresh,
      'test/app.e2e-spec.ts': fresh['test/app.e2e-spec.ts']?.replace("import request from 'supertest';", old) ?? '',
    };
  };

  it('as the tests do, where TypeScript is set up for that', () => {
    const contents = { ...withOld(), 'tsconfig.json': '{ "compilerOptions": { "module": "commonjs" } }' };
    expect(add(contents).text('test/auth.e2e-spec.ts')).toContain(old);
  });

  it('by its default export otherwise', () => {
    expect(add(withOld()).text('test/auth.e2e-spec.ts')).toContain("import request from 'supertest';");
  });
});

describe('an option that is wrong', () => {
  it.each([
    [{ provider: 'passport' }, '--provider must be one of auth0, keycloak'],
    [{ provider: '__proto__' }, '--provider must be one of auth0, keycloak'],
    [{ issuer: 'tenant.eu.auth0.com' }, '--issuer must be an address with https://'],
    [{ provider: 'keycloak', audience: 'account' }, "--audience: must not be 'account'"],
    [
      { issuer: 'http://keycloak:8080/realms/x' },
      '--issuer: is "http://keycloak:8080/realms/x". Set it to an https address',
    ],
    [{ issuer: "https://x.example.com/'; evil()" }, '--issuer must be an address with https://'],
    [{ audience: "a';evil();'" }, '--audience must have no spaces and no quotes'],
    [{ audience: 2 ** 60 }, 'lost some of its digits'],
    [{ provider: 'cognito', issuer: 'https://example.com' }, 'is no issuer of Amazon Cognito'],
  ])('is refused before anything is changed: %j', (options: NestAddOptions, message) => {
    expect(thrownBy(() => add(nestNew(12), options))).toContain(message);
  });

  it('does not come from a number that is none', () => {
    const { text } = add(nestNew(12), { audience: 1234 });
    expect(text('.env.example')).toContain('AUTH_AUDIENCE=1234\n');
  });

  it.each([
    ['69234237810729019', ['--audience=69234237810729019']],
    ['69234237810729019', ['--audience', '69234237810729019']],
    ['0069', ['--audience=69', '--audience=0069', '--audience=70']],
  ])('does not come from a number that lost its digits: %s of %j', (digits, argv) => {
    const { text } = add(nestNew(12), { provider: 'zitadel', audience: Number(digits) }, ['node', 'nest', ...argv]);
    expect(text('.env.example')).toContain(`AUTH_AUDIENCE=${digits}\n`);
    expect(text('test/auth-environment.ts')).toContain(`process.env.AUTH_AUDIENCE = '${digits}';`);
  });

  it('does not come from an answer that was left empty', () => {
    const { text } = add(nestNew(12), { provider: 'auth0', issuer: ' ', audience: '' });
    expect(text('.env.example')).toContain('AUTH0_DOMAIN=<your-tenant.eu.auth0.com>\n');
  });
});
