import { posix } from 'node:path';
import { asRecord, asText, type Files, jsonOf, textOf } from './files.js';
import { moduleOf } from './import-statements.js';
import { moduleClassIn } from './module-imports.js';
import { CannotEdit, codeOf } from './source-text.js';

/** Where the application is that is set up. */
export interface Project {
  readonly sourceRoot: string;
  /** The file that starts it, without its extension, below `sourceRoot`. */
  readonly entryFile: string;
  /** Where its end-to-end tests are: beside its sources, as `nest new` and `nest generate app` put them. */
  readonly testRoot: string;
}

export interface RootModule {
  readonly path: string;
  readonly className: string;
}

/**
 * The project, as the Nest CLI names it: `sourceRoot` is what it hands over, the rest stands in nest-cli.json.
 *
 * @throws Error when nest-cli.json has no project of that name
 */
export function projectOf(files: Files, options: { sourceRoot?: string; project?: string }): Project {
  const configuration = jsonOf(files, 'nest-cli.json');
  const projects = asRecord(configuration.projects);
  const name = options.project;
  if (name !== undefined && !Object.hasOwn(projects, name)) {
    throw new Error(`nest-cli.json has no project ${JSON.stringify(name)}; it has ${quoted(Object.keys(projects))}`);
  }
  // The CLI writes "undefined" where nest-cli.json has no sourceRoot.
  const given = options.sourceRoot === 'undefined' ? undefined : options.sourceRoot;
  const named = name === undefined ? undefined : asRecord(projects[name]);
  const chosen = asText(named?.sourceRoot) ?? given ?? asText(configuration.sourceRoot) ?? 'src';
  const sourceRoot = posix.normalize(chosen.replaceAll('\\', '/')).replace(/\/$/, '');
  const project = named ?? asRecord(Object.values(projects).find((one) => asText(asRecord(one).sourceRoot) === chosen));
  return {
    sourceRoot,
    entryFile: asText(project.entryFile) ?? asText(configuration.entryFile) ?? 'main',
    testRoot: posix.join(posix.dirname(sourceRoot), 'test'),
  };
}

/**
 * The module that the entry file starts (`NestFactory.create(AppModule)`), else `app.module.ts`.
 *
 * @param path the file that the user named instead
 * @throws Error when there is none
 */
export function rootModuleOf(files: Files, project: Project, path?: string): RootModule {
  const started = path === undefined ? startedModule(files, project) : undefined;
  if (started !== undefined) return started;
  const chosen = posix.normalize(path ?? posix.join(project.sourceRoot, 'app.module.ts'));
  const source = textOf(files, chosen);
  if (source === undefined) {
    throw new Error(
      path === undefined
        ? `No root module found: neither does ${posix.join(project.sourceRoot, `${project.entryFile}.ts`)} start one, nor is there a ${chosen}. Name its file with --module=path, or the project with --project=name.`
        : `There is no ${chosen} (--module).`,
    );
  }
  const className = moduleClassIn(understood(source) ?? '');
  if (className === undefined) throw new Error(`${chosen} has no class with a @Module() decorator, or several.`);
  return { path: chosen, className };
}

function startedModule(files: Files, { sourceRoot, entryFile }: Project): RootModule | undefined {
  const entry = posix.join(sourceRoot, `${entryFile}.ts`);
  const source = textOf(files, entry) ?? '';
  const code = understood(source) ?? '';
  const [, className] = /\bNestFactory\s*\.\s*create\w*\s*(?:<[^()]*>)?\s*\(\s*([\w$]+)/.exec(code) ?? [];
  if (className === undefined) return undefined;
  const from = moduleOf(className, source, code);
  if (from?.startsWith('.') !== true) return undefined;
  const path = posix.join(posix.dirname(entry), from.replace(/\.[jt]s$/, '')) + '.ts';
  return new RegExp(`\\bclass\\s+${className}\\b`).test(textOf(files, path) ?? '') ? { path, className } : undefined;
}

function understood(source: string): string | undefined {
  try {
    return codeOf(source);
  } catch (error) {
    if (error instanceof CannotEdit) return undefined;
    throw error;
  }
}

function quoted(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => JSON.stringify(name)).join(', ');
}
