import { posix } from 'node:path';
import { authEndToEnd, ENVIRONMENT, expectingRefusal, testEnvironment, withEnvironment } from './end-to-end.js';
import { change, dependenciesOf, type Files, jsonOf, textOf } from './files.js';
import { isHelloWorld } from './hello-world.js';
import { importStatements } from './import-statements.js';
import type { ProviderSetup } from './providers.js';
import type { Project, RootModule } from './root-module.js';
import { ifUnderstood } from './source-text.js';
import { styleOf } from './style.js';

/**
 * Adds the end-to-end test of the authentication, and has the one of `nest new` expect what is so now.
 *
 * @returns what is left to do by hand
 */
export function addTests(
  files: Files,
  root: RootModule,
  project: Project,
  setup: ProviderSetup,
  options: { readonly open: boolean; readonly width: number },
): readonly string[] {
  const dependencies = dependenciesOf(jsonOf(files, 'package.json'));
  const source = files.readText(root.path);
  const code = ifUnderstood(source, (understood) => understood) ?? '';
  const style = styleOf(source, code, options.width);
  const withExtension = usesExtensions(files, project, source, code);
  const environmentPath = importPath('', ENVIRONMENT, withExtension);
  const generated = posix.join(project.testRoot, 'app.e2e-spec.ts');
  const present = textOf(files, generated);

  const environment = posix.join(project.testRoot, `${ENVIRONMENT}.ts`);
  if (!files.exists(environment)) files.create(environment, testEnvironment(setup, style));
  const problems =
    present?.includes(root.className) === true ? adjustTest(files, generated, environmentPath, options) : [];

  const path = posix.join(project.testRoot, 'auth.e2e-spec.ts');
  if (files.exists(path)) return problems;
  const missing = ['@nestjs/testing', 'supertest'].filter((name) => !dependencies.has(name));
  if (missing.length > 0) {
    return [
      ...problems,
      `${path} was not added: it needs ${missing.join(' and ')}. Install, and run the command again.`,
    ];
  }
  const hasHelloWorld = isHelloWorld(files, root);
  if (!hasHelloWorld && leavesOutTests(files)) {
    return [
      ...problems,
      `${path} was not added: Vitest knows decorators only in files that a tsconfig.json includes, and that of this monorepo includes none. docs/testing.md of nestjs-resource-server has such a test.`,
    ];
  }
  const application = {
    className: root.className,
    modulePath: importPath(project.testRoot, root.path, withExtension),
    environmentPath,
    supertestImport: supertestImport(files, present),
    hasHelloWorld,
    fastify: !dependencies.has('@nestjs/platform-express') && dependencies.has('@nestjs/platform-fastify'),
  };
  files.create(path, authEndToEnd(application, setup, style));
  return problems;
}

/** As in a monorepo of Nest 12, whose tsconfig.json only refers to those of its applications, which leave tests out. */
function leavesOutTests(files: Files): boolean {
  return /"files"\s*:\s*\[\s*\]/.test(textOf(files, 'tsconfig.json') ?? '');
}

function adjustTest(
  files: Files,
  path: string,
  environmentPath: string,
  { open, width }: { readonly open: boolean; readonly width: number },
): readonly string[] {
  const present = files.readText(path);
  const started = ifUnderstood(present, () => withEnvironment(present, environmentPath, width)) ?? present;
  if (started === present) return [];
  const refused = open ? started : expectingRefusal(started);
  change(files, path, refused ?? started);
  if (refused !== undefined) return [];
  return [
    `${path} is not the test of \`nest new\` any more: the routes that it asks are closed now. Its requests need a token: see auth.e2e-spec.ts beside it.`,
  ];
}

/** As the tests that are there have it, unless they have what Nest's CLI writes for TypeScript of other days. */
function supertestImport(files: Files, present: string | undefined): string {
  const found = /^import [^\n]*['"]supertest['"];?/m.exec(present ?? '')?.[0];
  const interop = /"(?:esModuleInterop"\s*:\s*true|module"\s*:\s*"node)/i.test(textOf(files, 'tsconfig.json') ?? '');
  return found === undefined || interop ? "import request from 'supertest';" : found;
}

/** Whether the application names its own files with `.js`, as ES modules have to. */
function usesExtensions(files: Files, { sourceRoot, entryFile }: Project, source: string, code: string): boolean {
  const entry = textOf(files, posix.join(sourceRoot, `${entryFile}.ts`)) ?? '';
  const own = [
    ...importStatements(source, code),
    ...(ifUnderstood(entry, (entryCode) => importStatements(entry, entryCode)) ?? []),
  ].filter(({ from }) => from.startsWith('.'));
  if (own.length > 0) return own.some(({ from }) => from.endsWith('.js'));
  return jsonOf(files, 'package.json').type === 'module';
}

/** From a folder to a file. */
function importPath(from: string, to: string, withExtension: boolean): string {
  const path = posix.relative(from, to).replace(/\.ts$/, '') + (withExtension ? '.js' : '');
  return path.startsWith('.') ? path : `./${path}`;
}
