import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as ApplicationReport from '../../nest/routes/application-report.js';
import { CommandError, EXIT } from '../command-io.js';
import { printable } from '../printable.js';

interface LoadOptions {
  readonly exportName: string | undefined;
  /** Use Nest's preview mode: create no provider and run no lifecycle hook. */
  readonly isPreview: boolean;
  readonly cwd: string;
}

type Application = Parameters<typeof ApplicationReport.createReport>[0];
type RootModule = Parameters<typeof ApplicationReport.createApplication>[0];

/**
 * Creates the application of a built file, initializes it without listening, and computes its report.
 * @throws CommandError
 */
export async function loadApplication(file: string, options: LoadOptions) {
  const path = resolve(options.cwd, file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandError(
      `There is no file ${printable(file)}. Build the application (npm run build), then give the file of its root module: dist/app.module.js.`,
    );
  }
  try {
    return await withinLimit(load(path, file, options));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const problem = options.isPreview ? 'Nest cannot preview the application' : 'The application does not start';
    throw new CommandError(`${problem}: ${messageOf(error)}`, EXIT.UNREACHABLE);
  }
}

async function load(path: string, file: string, options: LoadOptions) {
  const { isPreview } = options;
  const [name, exported] = chooseExport(await importFile(path, file), file, options);
  const value: unknown = await exported;
  const { createApplication, createReport } = await importOwnCopy(path, file);
  let app: unknown;
  if (isModule(value)) app = await createApplication(value as RootModule, isPreview);
  else if (!isPreview && typeof value === 'function') app = await (value as () => unknown)();
  if (!isApplication(app)) {
    throw new CommandError(
      `${printable(name)} of ${printable(file)} returns neither a root module nor a Nest application. Return the result of NestFactory.create().`,
    );
  }
  // Nest ignores a second call.
  if (!isPreview) await app.init();
  const report = await createReport(app, !isModule(value) ? 'function' : isPreview ? 'preview' : 'module');
  if (report !== undefined) return { app, report };
  throw new CommandError(
    'The application has no AuthModule. Import AuthModule.forRoot({ issuer, audience }) into the root module, or choose another module with --export.',
    EXIT.PROBLEMS,
  );
}

type Exports = readonly (readonly [name: string, value: unknown])[];

function chooseExport(all: Exports, file: string, { exportName, isPreview }: LoadOptions): Exports[number] {
  const qualifies = (value: unknown) => isModuleOrPromise(value) || (!isPreview && isFunctionOtherThanClass(value));
  const suitable = all.filter(([name, value]) => name === (exportName ?? name) && qualifies(value));
  const [first] = suitable;
  // `export default AppModule` beside `export class AppModule` is one choice.
  if (first !== undefined && suitable.every(([, value]) => value === first[1])) return first;
  const list = (exports: Exports) => exports.map(([name]) => printable(name)).join(', ') || 'nothing';
  if (first !== undefined) {
    throw new CommandError(`${printable(file)} has several exports to choose from: ${list(suitable)}. Use --export.`);
  }
  const subject = exportName === undefined ? printable(file) : `--export ${printable(exportName)}`;
  const exports = `(${printable(file)} exports: ${list(all)})`;
  if (isPreview) throw new CommandError(`${subject} is no root module, which --no-init needs ${exports}.`);
  throw new CommandError(`${subject} is neither a root module nor a function ${exports}. ${WHAT_TO_EXPORT}`);
}

const WHAT_TO_EXPORT = `Export the root module, or a function that creates the application, and call listen() in another file:

  export async function createApp() {
    return NestFactory.create(AppModule);
  }`;

/** Imports the file. Node lists the exports of a CommonJS file under `default` or `module.exports` too. */
async function importFile(path: string, file: string): Promise<Exports> {
  try {
    const namespace = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
    const { default: fallback, 'module.exports': commonJs = fallback, ...named } = namespace;
    const inner = typeof commonJs === 'object' && !isModuleOrPromise(commonJs) ? commonJs : { default: fallback };
    const members = Object.entries({ ...inner, ...named });
    return members.filter(([name, value]) => name !== '__esModule' && value !== undefined);
  } catch (error) {
    const isSource = /\.[cm]?tsx?$/.test(path);
    const advice = isSource ? ' This is a source file. Build the application, then give the file in dist.' : '';
    const exitCode = isSource ? EXIT.USAGE : EXIT.UNREACHABLE;
    throw new CommandError(`${printable(file)} cannot be loaded: ${messageOf(error)}.${advice}`, exitCode);
  }
}

/** Imports the copy of this package that the application uses: another copy has other classes and finds no AuthModule. */
async function importOwnCopy(path: string, file: string): Promise<typeof ApplicationReport> {
  try {
    const index = createRequire(path).resolve('nestjs-resource-server');
    const report = index.replace(/index(\.\w+)$/, 'nest/routes/application-report$1');
    return (await import(pathToFileURL(report).href)) as typeof ApplicationReport;
  } catch (error) {
    throw new CommandError(
      `${printable(file)} cannot import Nest and this version of nestjs-resource-server. Install both in the application: ${messageOf(error)}`,
    );
  }
}

/** A promise qualifies because it may resolve to a module. */
function isModuleOrPromise(value: unknown): boolean {
  return isModule(value) || value instanceof Promise;
}

function isModule(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return 'module' in value && typeof value.module === 'function';
  if (typeof value !== 'function') return false;
  // `@Module()` stores its members as metadata of the class. Without a decorator, reflect-metadata may not be loaded.
  const { getOwnMetadataKeys } = Reflect as { getOwnMetadataKeys?: (target: object) => readonly unknown[] };
  const keys = getOwnMetadataKeys?.(value) ?? [];
  return ['imports', 'controllers', 'providers', 'exports'].some((key) => keys.includes(key));
}

function isFunctionOtherThanClass(value: unknown): boolean {
  return typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value));
}

function isApplication(value: unknown): value is Application {
  const members = (value ?? {}) as Record<string, unknown>;
  return ['init', 'close', 'get'].every((name) => typeof members[name] === 'function');
}

// Long enough for an application that waits for a vault or a database.
const LIMIT_MS = 60_000;

/** Rejects if the work of the application takes too long. */
export function withinLimit<Result>(work: Promise<Result>): Promise<Result> {
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`no result within ${String(LIMIT_MS / 1000)} seconds`);
    // The timer must not keep the process alive: Node ends it if nothing else is pending.
    setTimeout(reject, LIMIT_MS, error).unref();
  });
  return Promise.race([work, late]);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : printable(String(error));
}
