import { posix } from 'node:path';
import type { Project } from './project.js';
import type { ProviderSetup } from './provider-setup.js';
import { PACKAGE, type SourceFile } from './source-file.js';
import type { Workspace } from './workspace.js';

/** The module that sets the variables for the tests. Each test imports it. */
const ENVIRONMENT = './auth-environment';

/** @param isOpen whether the hello-world route is public. */
export function addEndToEndTests(workspace: Workspace, project: Project, setup: ProviderSetup, isOpen: boolean): void {
  const { testRoot, rootModule } = project;
  const extension = workspace.readJson('package.json').type === 'module' ? '.js' : '';
  const environmentImport = `import '${ENVIRONMENT}${extension}';`;
  const environmentPath = posix.join(testRoot, `${ENVIRONMENT}.ts`);
  const comment = '// Tests need these variables instead of .env. They send no requests to these addresses.\n';
  const assignments = setup.variables.map(({ name, value }) => `process.env.${name} = '${value}';\n`);
  if (workspace.read(environmentPath) === undefined)
    workspace.write(environmentPath, [comment, ...assignments].join(''));
  const generatedPath = posix.join(testRoot, 'app.e2e-spec.ts');
  adaptGeneratedTest(workspace, generatedPath, environmentImport, isOpen);
  const path = posix.join(testRoot, 'auth.e2e-spec.ts');
  if (workspace.read(path) !== undefined) return;
  const obstacle = obstacleOf(workspace);
  if (obstacle !== undefined) {
    workspace.manualSteps.push(`${path} was not added: ${obstacle}`);
    return;
  }
  const supertestImport = /^import [^\n]*['"]supertest['"];?/m.exec(workspace.read(generatedPath) ?? '')?.[0];
  const modulePath = posix.relative(testRoot, rootModule.source.path);
  const imports = [
    supertestImport ?? "import request from 'supertest';",
    environmentImport,
    `import { ${rootModule.className} } from '${modulePath.replace(/\.ts$/, extension)}';`,
  ];
  const dependencies = workspace.dependencies();
  const isFastify = !dependencies.has('@nestjs/platform-express') && dependencies.has('@nestjs/platform-fastify');
  workspace.write(path, authenticationTest(rootModule.className, setup, imports, isFastify));
}

function obstacleOf(workspace: Workspace): string | undefined {
  const dependencies = workspace.dependencies();
  const missing = ['@nestjs/testing', 'supertest'].filter((name) => !dependencies.has(name)).join(' and ');
  if (missing !== '') return `it needs ${missing}. Install ${missing} and run the command again.`;
  const { files } = workspace.readJson('tsconfig.json');
  if (!Array.isArray(files) || files.length > 0) return undefined;
  return `Vitest compiles decorators only in files that a tsconfig.json includes, and yours includes none. For such a test, see docs/guides/testing-with-vitest.md of ${PACKAGE}.`;
}

/** Sets the variables in the test of `nest new`, and expects 401 for its route unless that is public. */
function adaptGeneratedTest(workspace: Workspace, path: string, environmentImport: string, isOpen: boolean): void {
  const text = workspace.read(path);
  if (text === undefined || text.includes(ENVIRONMENT)) return;
  const success = /(\.get\((['"])\/\2\))\s*\.expect\(200\)\s*\.expect\((['"])Hello World!\3\)/;
  const adapted = isOpen ? text : text.replace(success, '$1.expect(401)');
  // Comments before the imports may be directives of the test runner.
  workspace.write(path, adapted.replace(/^(?=import )/m, `${environmentImport}\n`));
  if (isOpen || adapted !== text) return;
  workspace.manualSteps.push(
    `The requests in ${path} now need an access token. For an example, see auth.e2e-spec.ts beside it.`,
  );
}

/** Returns a test with and without a token. It calls a route of its own, so that it does not depend on those of the application. */
function authenticationTest(
  className: string,
  { tokenClaims, tokenMembers, tokenHeader }: ProviderSetup,
  imports: readonly string[],
  isFastify: boolean,
): string {
  const header = tokenHeader === undefined ? "'Authorization', `Bearer ${token}`" : `'${tokenHeader}', token`;
  const content = Object.entries({ claims: tokenClaims, header: tokenMembers })
    .filter(([, members]) => members.length > 0)
    .map(([name, members]) => `, ${name}: { ${members.join(', ')} }`)
    .join('');
  return `import { Controller, Get, type INestApplication } from '@nestjs/common';
${isFastify ? "import { FastifyAdapter } from '@nestjs/platform-fastify';\n" : ''}import { Test } from '@nestjs/testing';
import { CurrentUser } from '${PACKAGE}';
import { TestIssuer, withTestIssuer } from '${PACKAGE}/testing';
import type { Server } from 'node:http';
${imports.join('\n')}

// It has no access decorator, so it requires a token.
@Controller('auth-probe')
class ProbeController {
  @Get()
  caller(@CurrentUser('sub') subject: string) {
    return { subject };
  }
}

describe('Authentication (e2e)', () => {
  let app: INestApplication<Server>;
  let issuer: TestIssuer;

  beforeAll(async () => {
    issuer = await TestIssuer.create();
    const module = await withTestIssuer(
      Test.createTestingModule({ imports: [${className}], controllers: [ProbeController] }),
      issuer,
    ).compile();

    app = module.createNestApplication(${isFastify ? 'new FastifyAdapter()' : ''});
    await app.${isFastify ? 'listen(0)' : 'init()'};
  });

  afterAll(async () => {
    await app.close();
  });

  it('rejects a request without a token', async () => {
    await request(app.getHttpServer()).get('/auth-probe').expect(401);
  });

  it('accepts a request with a valid token', async () => {
    const token = await issuer.token({ sub: 'alice'${content} });
    await request(app.getHttpServer())
      .get('/auth-probe')
      .set(${header})
      .expect(200, { subject: 'alice' });
  });
});
`;
}

/** Matches the packages that Jest need not transform. pnpm puts the others further down, hence the `.*`. */
const PATTERN = JSON.stringify(`/node_modules/(?!.*(${PACKAGE}|@nestjs/passport)/)`);

const MANUAL_STEP = `Jest must transform ${PACKAGE} and @nestjs/passport, which are ES modules. Set "transformIgnorePatterns": [${PATTERN}]`;

/** Lets Jest transform the ES modules of this package and its dependencies. An application of ES modules does not need that. */
export function configureJest(workspace: Workspace, { testRoot }: Project): void {
  if (workspace.readJson('package.json').type === 'module' || !workspace.dependencies().has('jest')) return;
  const exists = (path: string) => workspace.read(path) !== undefined;
  for (const path of ['package.json', posix.join(testRoot, 'jest-e2e.json')].filter(exists))
    workspace.edit(path, addPattern, MANUAL_STEP);
  for (const path of ['js', 'cjs', 'mjs', 'ts', 'json'].map((extension) => `jest.config.${extension}`).filter(exists))
    workspace.manualSteps.push(`${path} was not changed. ${MANUAL_STEP}`);
}

/** Adds the pattern beside `transform`, which is in the outermost object of the file or in `jest`. */
function addPattern(source: SourceFile): void {
  const options = source.nodes
    .filter(source.ts.isPropertyAssignment)
    .filter(({ parent }) => /^(?:\{|"jest"\s*:)/.test(parent.parent.getText()));
  const find = (name: string) => options.find((option) => option.name.getText() === name);
  const transform = find('"transform"');
  const patterns = find('"transformIgnorePatterns"');
  if (transform === undefined || patterns?.getText().includes(PACKAGE) === true) return;
  if (patterns !== undefined) throw source.cannotEdit('it has `transformIgnorePatterns`', patterns.getStart());
  source.insert(transform.end, `,\n"transformIgnorePatterns": [\n  ${PATTERN}\n]`);
}
