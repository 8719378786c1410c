import { addImports, importStatements } from './import-statements.js';
import type { ProviderSetup } from './providers.js';
import { codeOf, splice } from './source-text.js';
import { inStyle, type Style, styleOf } from './style.js';

const PACKAGE = 'nestjs-resource-server';

/** The file with the variables of the tests, without its extension; each test imports it. */
export const ENVIRONMENT = 'auth-environment';

/** The testing kit, as the generated test uses it. All that depends on its interface stands here. */
const KIT = {
  importLine: `import { TestIssuer, withTestIssuer } from '${PACKAGE}/testing';`,
  create: 'await TestIssuer.create()',
  /** The application keeps its options, issuer and audience included; its keys are those of the test's issuer. */
  compiled: (builder: readonly string[]) => [
    'await withTestIssuer(',
    ...builder.map((line, index) => `  ${line}${index === builder.length - 1 ? ',' : ''}`),
    '  issuer,',
    ').compile()',
  ],
  token: (claims: readonly string[]) =>
    claims.length === 0
      ? ["await issuer.token({ sub: 'alice' })"]
      : [
          'await issuer.token({',
          "  sub: 'alice',",
          '  claims: {',
          ...claims.map((claim) => `    ${claim},`),
          '  },',
          '})',
        ],
};

export interface TestedApplication {
  readonly className: string;
  /** What the test imports the root module from. */
  readonly modulePath: string;
  /** What the tests import {@link ENVIRONMENT} from. */
  readonly environmentPath: string;
  readonly supertestImport: string;
  readonly fastify: boolean;
  /** Whether `GET /` is the closed hello-world route of `nest new`. Else the test brings a route of its own. */
  readonly hasHelloWorld: boolean;
}

/** What the application reads from its environment, for tests: whatever is set where they run. */
export function testEnvironment({ variables }: ProviderSetup, style: Style): string {
  const lines = [
    '// What the application reads when it starts, so that tests need no .env.',
    '// The addresses are not asked.',
    ...variables.flatMap(({ name, value }) => {
      const line = `process.env.${name} = '${value}';`;
      return line.length <= style.width ? [line] : [`process.env.${name} =`, `  '${value}';`];
    }),
    '',
  ];
  return inStyle(lines.join('\n'), style);
}

/** An end-to-end test that the application is closed, and opens for a good token. */
export function authEndToEnd(application: TestedApplication, { tokenClaims }: ProviderSetup, style: Style): string {
  const { className, fastify, hasHelloWorld } = application;
  const route = hasHelloWorld ? '/' : '/auth-probe';
  const template = [
    ...importsOf(application),
    '',
    ...(hasHelloWorld ? [] : PROBE),
    "describe('Authentication (e2e)', () => {",
    `  let app: ${fastify ? 'NestFastifyApplication' : 'INestApplication<Server>'};`,
    '  let issuer: TestIssuer;',
    '',
    '  beforeAll(async () => {',
    `    issuer = ${KIT.create};`,
    ...statement('const module = ', KIT.compiled(builderOf(className, hasHelloWorld)), '    '),
    '',
    ...(fastify ? FASTIFY_START : EXPRESS_START),
    '  });',
    '',
    '  afterAll(async () => {',
    '    await app.close();',
    '  });',
    '',
    "  it('refuses a request without a token', async () => {",
    `    await request(app.getHttpServer()).get('${route}').expect(401);`,
    '  });',
    '',
    "  it('admits a request with a good token', async () => {",
    ...statement('const token = ', KIT.token(tokenClaims), '    '),
    '    await request(app.getHttpServer())',
    `      .get('${route}')`,
    "      .set('Authorization', `Bearer ${token}`)",
    `      .expect(200, ${hasHelloWorld ? "'Hello World!'" : "{ subject: 'alice' }"});`,
    '  });',
    '});',
    '',
  ].join('\n');
  return inStyle(template, style);
}

function importsOf(application: TestedApplication): readonly string[] {
  const { className, fastify, hasHelloWorld } = application;
  return [
    ...nestImports(application),
    ...(fastify
      ? ['import {', '  FastifyAdapter,', '  type NestFastifyApplication,', "} from '@nestjs/platform-fastify';"]
      : []),
    "import { Test } from '@nestjs/testing';",
    ...(hasHelloWorld ? [] : [`import { CurrentUser } from '${PACKAGE}';`]),
    KIT.importLine,
    ...(fastify ? [] : ["import type { Server } from 'node:http';"]),
    application.supertestImport.replace(/;?$/, ';'),
    `import '${application.environmentPath}';`,
    `import { ${className} } from '${application.modulePath}';`,
  ];
}

function nestImports({ fastify, hasHelloWorld }: TestedApplication): readonly string[] {
  const application = fastify ? [] : ['INestApplication'];
  if (!hasHelloWorld) {
    const names = ['Controller', 'Get', ...application.map((name) => `type ${name}`)];
    return [`import { ${names.join(', ')} } from '@nestjs/common';`];
  }
  return application.map((name) => `import type { ${name} } from '@nestjs/common';`);
}

const PROBE = [
  '// A route that says nothing about access, as yours do: so it is closed.',
  "@Controller('auth-probe')",
  'class ProbeController {',
  '  @Get()',
  "  caller(@CurrentUser('sub') subject: string) {",
  '    return { subject };',
  '  }',
  '}',
  '',
];

const EXPRESS_START = ['    app = module.createNestApplication();', '    await app.init();'];
const FASTIFY_START = [
  '    app = module.createNestApplication<NestFastifyApplication>(',
  '      new FastifyAdapter(),',
  '    );',
  '    await app.init();',
  '    await app.getHttpAdapter().getInstance().ready();',
];

function builderOf(className: string, hasHelloWorld: boolean): readonly string[] {
  if (hasHelloWorld) return [`Test.createTestingModule({ imports: [${className}] })`];
  return ['Test.createTestingModule({', `  imports: [${className}],`, '  controllers: [ProbeController],', '})'];
}

/** A test that starts the application, with the variables that it reads now. */
export function withEnvironment(source: string, environmentPath: string, width: number): string {
  const code = codeOf(source);
  if (importStatements(source, code).some(({ from }) => from.includes(ENVIRONMENT))) return source;
  const style = styleOf(source, code, width);
  return addImports(source, code, [inStyle(`import '${environmentPath}';`, style)], style);
}

/**
 * The end-to-end test that `nest new` makes, for a route that is closed now. Undefined where the test is another one, or was
 * changed before.
 */
export function expectingRefusal(source: string): string | undefined {
  const answer = /(\.get\((['"])\/\2\))\s*\.expect\(200\)\s*\.expect\((['"])Hello World!\3\)/.exec(source);
  if (answer === null) return undefined;
  const [whole, get = ''] = answer;
  // On one line, as Prettier writes what is short.
  const server = /return request\(app\.getHttpServer\(\)\)(\s*)$/.exec(source.slice(0, answer.index));
  const start = answer.index - (server?.[1]?.length ?? 0);
  return splice(source, start, `${get}.expect(401)`, answer.index + whole.length);
}

function statement(before: string, lines: readonly string[], indent: string): readonly string[] {
  const last = lines.length - 1;
  return lines.map((line, index) => `${indent}${index === 0 ? before : ''}${line}${index === last ? ';' : ''}`);
}
