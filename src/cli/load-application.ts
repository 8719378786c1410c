import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as ApplicationReport from '../nest/routes/application-report.js';
import { printable } from '../model/printable-text.js';
import { CommandError, EXIT, type ExitCode, type Output, printProblem } from './command-io.js';

type Application = Parameters<typeof ApplicationReport.createReport>[0];
type Origin = Parameters<typeof ApplicationReport.createReport>[1];
type RootModule = Parameters<typeof ApplicationReport.createApplication>[0];

export type AuthServices = ReturnType<typeof ApplicationReport.authServicesOf>[number];

/**
 * Loads, initializes and examines an application. The caller closes it.
 * @param isPreview Use Nest's preview mode: create no provider and run no lifecycle hook.
 * @param examine receives the copy of this package that the application imports. Returns undefined if AuthModule is missing.
 */
export async function loadApplication<Result>(
  file: string,
  exportName: string | undefined,
  isPreview: boolean,
  examine: (ownCopy: typeof ApplicationReport, app: Application, origin: Origin) => Promise<Result | undefined>,
) {
  const path = resolve(file);
  const shown = printable(file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(
      `There is no file ${shown}. Build the application (npm run build), then give the file of its root module: dist/app.module.js.`,
    );
  }
  const isSource = /\.[cm]?tsx?$/.test(path);
  const advice = isSource ? '. This is a source file. Build the application, then give the file in dist' : '';
  const exitCode = isSource ? EXIT.USAGE : EXIT.UNREACHABLE;
  const exports = await withinLimit(`${shown} cannot be loaded${advice}`, importFile(path), exitCode);
  const [name, exported] = chooseExport(exports, shown, exportName, isPreview);
  const notStarted = isPreview ? 'Nest cannot preview the application' : 'The application does not start';
  const value: unknown = await withinLimit(notStarted, Promise.resolve(exported));
  const problem = `${shown} cannot import Nest and this version of nestjs-resource-server. Install both in the application`;
  const ownCopy = await withinLimit(problem, importOwnCopy(path), EXIT.USAGE);
  const app = await withinLimit(notStarted, start(`${printable(name)} of ${shown}`, value, ownCopy, isPreview));
  const origin = !isModule(value) ? 'function' : isPreview ? 'preview' : 'module';
  const result = await withinLimit('The application cannot be examined', examine(ownCopy, app, origin));
  if (result !== undefined) return { result, close: (stderr: Output) => close(app, stderr) };
  throw new CommandError(
    'The application has no AuthModule. Import AuthModule.forRoot({ issuer, audience }) into the root module, or choose another module with --export.',
    EXIT.PROBLEMS,
  );
}

async function start(
  name: string,
  value: unknown,
  { createApplication }: typeof ApplicationReport,
  isPreview: boolean,
): Promise<Application> {
  // A file that starts the application when it is imported may export the application.
  let app = isPreview ? undefined : value;
  if (isModule(value)) app = await createApplication(value as RootModule, isPreview);
  else if (!isPreview && typeof value === 'function') app = await (value as () => unknown)();
  if (!isApplication(app)) {
    throw new CommandError(
      `${name} returns neither a root module nor a Nest application. Return the result of NestFactory.create().`,
    );
  }
  // Nest ignores a second call.
  if (!isPreview) await app.init();
  return app;
}

async function close(app: Application, stderr: Output): Promise<void> {
  try {
    await withinLimit('The application does not close', app.close());
  } catch (error) {
    printProblem(stderr, 'warning', (error as CommandError).message);
  }
}

type Exports = readonly (readonly [name: string, value: unknown])[];

async function importFile(path: string): Promise<Exports> {
  const namespace = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  // For a CommonJS file, Node lists the exports that it recognizes. `default` has all of them.
  const { default: fallback, 'module.exports': commonJs = fallback, ...named } = namespace;
  const isExports = typeof commonJs === 'object' && !isModule(commonJs) && !(commonJs instanceof Promise);
  const exports = { ...(isExports ? commonJs : { default: fallback }), ...named };
  return Object.entries(exports).filter(([name, value]) => name !== '__esModule' && value !== undefined);
}

function chooseExport(all: Exports, file: string, exportName: string | undefined, isPreview: boolean): Exports[number] {
  const isFactory = (value: unknown) => typeof value === 'function' && !/^class\b/.test(String(value));
  // A promise qualifies because it may resolve to a module or an application.
  const qualifies = (value: unknown) => isModule(value) || value instanceof Promise || (!isPreview && isFactory(value));
  const suitable = all.filter(([name, value]) => name === (exportName ?? name) && qualifies(value));
  const [first] = suitable;
  // `export default AppModule` beside `export class AppModule` is one choice.
  if (first !== undefined && suitable.every(([, value]) => value === first[1])) return first;
  const list = (exports: Exports) => exports.map(([name]) => printable(name)).join(', ') || 'nothing';
  if (first !== undefined)
    throw new CommandError(`${file} has several exports to choose from: ${list(suitable)}. Use --export.`);
  const subject = exportName === undefined ? file : `--export ${printable(exportName)}`;
  const exports = `(${file} exports: ${list(all)})`;
  if (isPreview) throw new CommandError(`${subject} is no root module, which --no-init needs ${exports}.`);
  throw new CommandError(`${subject} is neither a root module nor a function ${exports}. ${WHAT_TO_EXPORT}`);
}

const WHAT_TO_EXPORT = `Export the root module, or a function that creates the application, and call listen() in another file:

  export async function createApp() {
    return NestFactory.create(AppModule);
  }`;

/** Imports the copy of this package that the application uses: another copy has other classes and finds no AuthModule. */
async function importOwnCopy(path: string): Promise<typeof ApplicationReport> {
  const index = createRequire(path).resolve('nestjs-resource-server');
  const report = index.replace(/index(\.\w+)$/, 'nest/routes/application-report$1');
  return (await import(pathToFileURL(report).href)) as typeof ApplicationReport;
}

function isModule(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return 'module' in value && typeof value.module === 'function';
  if (typeof value !== 'function') return false;
  // `@Module()` stores its members as metadata of the class. Without a decorator, reflect-metadata may not be loaded.
  const { getOwnMetadataKeys } = Reflect as { getOwnMetadataKeys?: (target: object) => readonly unknown[] };
  const keys = getOwnMetadataKeys?.(value) ?? [];
  return ['imports', 'controllers', 'providers', 'exports'].some((key) => keys.includes(key));
}

function isApplication(value: unknown): value is Application {
  const members = (value ?? {}) as Record<string, unknown>;
  return ['init', 'close', 'get'].every((name) => typeof members[name] === 'function');
}

// Long enough for an application that waits for a vault or a database.
const LIMIT_MS = 60_000;

/** @throws CommandError with the problem, if the work fails or takes too long */
async function withinLimit<Result>(
  problem: string,
  work: Promise<Result>,
  exitCode: ExitCode = EXIT.UNREACHABLE,
): Promise<Result> {
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`no result within ${String(LIMIT_MS / 1000)} seconds`);
    // The timer must not keep the process alive: Node ends it if nothing else is pending.
    setTimeout(reject, LIMIT_MS, error).unref();
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const message = error instanceof Error ? error.message : printable(String(error));
    throw new CommandError(`${problem}: ${message}`, exitCode);
  }
}
