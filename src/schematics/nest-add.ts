import { checkSetup } from './check-setup.js';
import { addTests } from './end-to-end-files.js';
import { withVariables } from './env-example.js';
import { asRecord, change, type Files, jsonOf, observed, textOf } from './files.js';
import { openHelloWorld } from './hello-world.js';
import { localNameOf } from './import-statements.js';
import { prepareJest } from './jest-config.js';
import { addAuthModule, byHand } from './module-imports.js';
import { type ProviderSetup, setupOf } from './providers.js';
import { type Project, projectOf, type RootModule, rootModuleOf } from './root-module.js';
import { CannotEdit, ifUnderstood } from './source-text.js';
import { DEFAULT_WIDTH } from './style.js';

/** The options of schema.json. */
export interface NestAddOptions {
  readonly provider?: string;
  readonly issuer?: string;
  /** A number where the command line took it for one. */
  readonly audience?: string | number;
  readonly openRoot?: boolean;
  readonly module?: string;
  readonly project?: string;
  readonly sourceRoot?: string;
}

interface Context {
  readonly logger: { info(message: string): void; warn(message: string): void };
}

/**
 * The schematic that `nest add nestjs-resource-server` runs: adds `AuthModule` to the root module, the variables that it reads to
 * `.env.example`, and an end-to-end test. What is there already stays, so running it again changes nothing.
 *
 * @param argv the command line
 * @throws Error when an option is wrong, the application would not start with it, or the root module cannot be changed safely; no
 * file is changed then
 */
export function nestAdd(
  options: NestAddOptions,
  argv: readonly string[] = process.argv,
): (files: Files, context: Context) => void {
  return (tree, { logger }) => {
    const changes = new Set<string>();
    const files = observed(tree, (path) => changes.add(path));
    const provider = text(options.provider) ?? 'other';
    const setup = setupOf(provider, text(options.issuer), audienceOf(options.audience, argv));
    checkSetup(setup);
    const project = projectOf(files, { sourceRoot: text(options.sourceRoot), project: text(options.project) });
    const root = rootModuleOf(files, project, text(options.module));
    const width = widthOf(files);

    const present = sourceWithAuthModule(files, root, project);
    if (present === undefined) addToModule(files, root, setup, width);
    else if (!uses(setup.preset, present)) {
      logger.warn(`AuthModule is set up already, and not by ${setup.preset}(): nothing was changed.`);
      return;
    }
    change(files, '.env.example', withVariables(textOf(files, '.env.example'), setup));
    const todo = [
      ...openHelloWorld(files, root, options.openRoot === true, width),
      ...prepareJest(files, project),
      ...addTests(files, root, project, setup, { open: options.openRoot === true, width }),
    ];

    for (const problem of todo) logger.warn(problem);
    if (changes.size === 0) return;
    logger.info(
      [
        'Every route is closed now, until a valid access token or @Public() opens it.',
        'Next: copy .env.example to .env, fill it in, and start with `nest start --env-file .env`.',
      ].join('\n'),
    );
  };
}

function addToModule(files: Files, root: RootModule, setup: ProviderSetup, width: number): void {
  try {
    change(files, root.path, addAuthModule(files.readText(root.path), root.className, setup, width));
  } catch (error) {
    if (!(error instanceof CannotEdit)) throw error;
    throw new Error(
      `${root.path} was not changed: ${error.message}. Add this to it by hand, and run the command again for the rest:\n\n${byHand(setup)}\n`,
      { cause: error },
    );
  }
}

/** Of any module: who has one of their own for it does not want a second. */
function sourceWithAuthModule(files: Files, root: RootModule, project: Project): string | undefined {
  const paths = [root.path];
  files.getDir(project.sourceRoot).visit((path) => {
    if (/(?<!spec)\.ts$/.test(path) && !path.includes('/node_modules/')) paths.push(path);
  });
  return paths.map((path) => readable(files, path)).find((source) => uses('AuthModule', source));
}

/** Whether it is called, too: an import that is left over closes nothing. */
function uses(name: string, source: string): boolean {
  if (!source.includes(name)) return false;
  return (
    ifUnderstood(source, (code) => {
      const local = localNameOf(name, source, code);
      return local !== undefined && new RegExp(`\\b${local}\\s*(?:\\(|\\.\\s*forRoot)`).test(code);
    }) === true
  );
}

/** A video has that extension, too. */
function readable(files: Files, path: string): string {
  try {
    return files.readText(path);
  } catch {
    return '';
  }
}

/** Prettier's `printWidth`, where it stands in a JSON file. */
function widthOf(files: Files): number {
  const widths = [
    jsonOf(files, '.prettierrc').printWidth,
    jsonOf(files, '.prettierrc.json').printWidth,
    asRecord(jsonOf(files, 'package.json').prettier).printWidth,
  ];
  return widths.find((width): width is number => typeof width === 'number') ?? DEFAULT_WIDTH;
}

/**
 * The Nest CLI makes a number of what looks like one, and a long id (of a ZITADEL project, say) does not come out of it as it went
 * in: so it is read where it was written.
 */
function audienceOf(audience: string | number | undefined, argv: readonly string[]): string | undefined {
  if (typeof audience !== 'number') return text(audience);
  const written = argv
    .map((argument, index) => (argument === '--audience' ? argv[index + 1] : /^--audience=(.*)$/.exec(argument)?.[1]))
    .findLast((value) => value !== undefined && Number(value) === audience);
  if (written !== undefined) return written;
  if (Number.isSafeInteger(audience)) return String(audience);
  throw new Error(
    'The command line took --audience for a number and lost some of its digits: leave it out, and write it into .env.example.',
  );
}

function text(value: string | undefined): string | undefined {
  const trimmed = value?.trim();
  return trimmed === '' ? undefined : trimmed;
}
