import { posix } from 'node:path';
import type { NestModule } from './source-file.js';
import { asRecord, type Workspace } from './workspace.js';

export interface Project {
  readonly sourceRoot: string;
  /** The folder of its end-to-end tests, beside its sources, where `nest new` and `nest generate app` put it. */
  readonly testRoot: string;
  readonly rootModule: NestModule;
}

/**
 * Finds the project by its name, otherwise by the `sourceRoot` that the Nest CLI passes. Its root module is the one that the entry
 * file passes to `NestFactory.create()`, otherwise the one in `app.module.ts`.
 */
export function findProject(
  workspace: Workspace,
  { sourceRoot: passed, project: name, module }: { sourceRoot?: string; project?: string; module?: string },
): Project {
  const configuration = workspace.readJson('nest-cli.json');
  const projects = asRecord(configuration.projects);
  if (name !== undefined && !Object.hasOwn(projects, name)) {
    const names = Object.keys(projects).map((known) => JSON.stringify(known));
    throw new Error(
      `--project is ${JSON.stringify(name)}, which is not in nest-cli.json. Its projects: ${names.join(', ') || 'none'}.`,
    );
  }
  const folder = firstText(asRecord(projects[name ?? '']).sourceRoot, passed, configuration.sourceRoot) ?? 'src';
  const project = Object.values(projects).find((candidate) => asRecord(candidate).sourceRoot === folder);
  const sourceRoot = posix.normalize(folder.replaceAll('\\', '/')).replace(/\/$/, '');
  const entryFile = firstText(asRecord(project).entryFile, configuration.entryFile) ?? 'main';
  const entry = posix.join(sourceRoot, `${entryFile}.ts`);
  const started = module === undefined ? startedModule(workspace, entry) : undefined;
  return {
    sourceRoot,
    testRoot: posix.join(posix.dirname(sourceRoot), 'test'),
    rootModule: started ?? onlyModule(workspace, module, posix.join(sourceRoot, 'app.module.ts'), entry),
  };
}

function startedModule(workspace: Workspace, entry: string): NestModule | undefined {
  const source = workspace.tryParse(entry);
  const create = source?.nodes
    .filter(source.ts.isCallExpression)
    .find(({ expression }) => /^NestFactory\s*\.\s*create/.test(expression.getText()));
  const started = source?.imports.find(({ local }) => local === create?.arguments[0]?.getText());
  if (started?.from.startsWith('.') !== true) return undefined;
  const path = posix.join(posix.dirname(entry), `${started.from.replace(/\.[jt]s$/, '')}.ts`);
  return workspace
    .tryParse(path)
    ?.modules()
    .find(({ className }) => className === started.name);
}

function onlyModule(workspace: Workspace, named: string | undefined, usual: string, entry: string): NestModule {
  const path = posix.normalize(named ?? usual);
  if (workspace.read(path) === undefined)
    throw new Error(
      named === undefined
        ? `The root module was not found: ${entry} passes no imported class to NestFactory.create(), and ${usual} does not exist. Name its file with --module=path, or the project with --project=name.`
        : `--module is ${JSON.stringify(named)}, which does not exist. Write the path of the root module's file.`,
    );
  const source = workspace.parse(path);
  const [rootModule, another] = source.modules();
  if (rootModule === undefined || another !== undefined)
    throw source.cannotEdit('it does not have exactly one class with a @Module() decorator');
  return rootModule;
}

/** The CLI passes the text "undefined" if nest-cli.json has no sourceRoot. */
function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string' && value !== '' && value !== 'undefined') as
    string | undefined;
}
