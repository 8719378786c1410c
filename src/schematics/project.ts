import { posix } from 'node:path';
import type { NestModule } from './source-file.js';
import { asRecord, type Workspace } from './workspace.js';

/** The application to set up. */
export interface Project {
  readonly sourceRoot: string;
  /** The folder of its end-to-end tests, beside its sources, where `nest new` and `nest generate app` put it. */
  readonly testRoot: string;
  /** The file of the root module. */
  readonly modulePath: string;
  readonly rootModule: NestModule;
}

/**
 * Finds the project by its name, otherwise by the `sourceRoot` that the Nest CLI passes. Its root module is the one that the entry
 * file passes to `NestFactory.create()`, otherwise the one in `app.module.ts`.
 * @throws Error if the project or the root module does not exist
 * @throws CannotEdit if the file of the root module does not have exactly one module
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
  const root = module === undefined ? startedModule(workspace, entry) : undefined;
  return {
    sourceRoot,
    testRoot: posix.join(posix.dirname(sourceRoot), 'test'),
    ...(root ?? onlyModule(workspace, module, posix.join(sourceRoot, 'app.module.ts'), entry)),
  };
}

type RootModule = Pick<Project, 'modulePath' | 'rootModule'>;

function startedModule(workspace: Workspace, entry: string): RootModule | undefined {
  const source = workspace.tryParse(entry);
  const create = source?.nodes
    .filter(source.ts.isCallExpression)
    .find(({ expression }) => /^NestFactory\s*\.\s*create/.test(expression.getText()));
  const local = create?.arguments[0]?.getText();
  for (const { from, names } of source?.imports ?? []) {
    const specifier = names.find(({ name }) => name.text === local);
    if (specifier === undefined || !from.startsWith('.')) continue;
    const imported = (specifier.propertyName ?? specifier.name).text;
    const modulePath = posix.join(posix.dirname(entry), `${from.replace(/\.[jt]s$/, '')}.ts`);
    const modules = workspace.tryParse(modulePath)?.modules() ?? [];
    const rootModule = modules.find(({ className }) => className === imported);
    if (rootModule !== undefined) return { modulePath, rootModule };
  }
  return undefined;
}

function onlyModule(workspace: Workspace, named: string | undefined, usual: string, entry: string): RootModule {
  const modulePath = posix.normalize(named ?? usual);
  if (workspace.read(modulePath) === undefined)
    throw new Error(
      named === undefined
        ? `The root module was not found: ${entry} passes no imported class to NestFactory.create(), and ${usual} does not exist. Name its file with --module=path, or the project with --project=name.`
        : `--module is ${JSON.stringify(named)}, which does not exist. Write the path of the root module's file.`,
    );
  const source = workspace.parse(modulePath);
  const [rootModule, another] = source.modules();
  if (rootModule === undefined || another !== undefined)
    throw source.cannotEdit('it does not have exactly one class with a @Module() decorator');
  return { modulePath, rootModule };
}

/** The CLI passes the text "undefined" if nest-cli.json has no sourceRoot. */
function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string' && value !== '' && value !== 'undefined') as
    string | undefined;
}
