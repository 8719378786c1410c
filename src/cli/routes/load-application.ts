import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError, EXIT } from '../command-io.js';
import { printable } from '../printable.js';
import { chosenExport, type Creator } from './chosen-export.js';
import { DryRun, type LoadedApplication, type NestFactory } from './dry-run.js';

export interface Loaded {
  readonly app: LoadedApplication;
  /** Made here from a module: how its `main` would connect microservices is not known then. */
  readonly isFromModule: boolean;
}

/**
 * The application that a built file stands for, initialized, but not listening: what it exports, or what it starts.
 * @throws CommandError that says what to give instead.
 */
export async function loadApplication(file: string, exportName: string | undefined, cwd: string): Promise<Loaded> {
  const path = resolve(cwd, file);
  if (!(await isFile(path))) {
    throw new CommandError(
      `There is no file ${printable(file)}. Build the application first (npm run build), and give the file of its root module: dist/app.module.js.`,
    );
  }
  const factory = await factoryOf(path, file);
  const dryRun = new DryRun(factory);
  try {
    const found = await foundIn({ path, file, exportName, dryRun });
    if (found.kind === 'started') return { app: found.app, isFromModule: false };
    // A function may have its application listen, and waits for ever then; so does whatever waits for one that does not start.
    const app = await Promise.race([create(found, factory), dryRun.application]);
    if (!isApplication(app)) {
      throw new CommandError(
        `${found.name} of ${printable(file)} returns no Nest application: let it return what NestFactory.create() gives.`,
      );
    }
    // Twice does no harm: Nest knows that it was done.
    await app.init();
    return { app, isFromModule: found.kind === 'module' };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The application does not start: ${messageOf(error)}`, EXIT.UNREACHABLE);
  } finally {
    dryRun.end();
  }
}

interface Place {
  readonly path: string;
  readonly file: string;
  readonly exportName: string | undefined;
  readonly dryRun: DryRun;
}

interface Started {
  readonly kind: 'started';
  readonly app: LoadedApplication;
}

// Of a main that asks others (a vault, a database) before it makes its application.
const START_MS = 30_000;

async function foundIn({ path, file, exportName, dryRun }: Place): Promise<Creator | Started> {
  const started = dryRun.application.then((app): Started => ({ kind: 'started', app }));
  // A file that waits for the start of its application is never imported to its end.
  const first = await Promise.race([importFile(path, file), started]);
  if (isStarted(first)) {
    if (exportName === undefined) return first;
    throw new CommandError(
      `${printable(file)} starts an application: leave --export out, or give the file of the module.`,
    );
  }
  if (exportName === undefined && dryRun.hasBegun) return withinTime(started, file);
  try {
    return chosenExport(first, exportName, file);
  } catch (error) {
    const mayStart = exportName === undefined && (await readFile(path, 'utf8')).includes('NestFactory');
    if (!mayStart) throw error;
    return withinTime(started, file);
  }
}

function isStarted(found: Record<string, unknown> | Started): found is Started {
  return found.kind === 'started' && isApplication(found.app);
}

async function withinTime(started: Promise<Started>, file: string): Promise<Started> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const message = `${printable(file)} has no application listen within ${String(START_MS / 1000)} seconds: give the file of the root module, dist/app.module.js.`;
      reject(new CommandError(message, EXIT.UNREACHABLE));
    }, START_MS);
  });
  try {
    return await Promise.race([started, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function factoryOf(path: string, file: string): Promise<NestFactory> {
  try {
    return ((await importFrom(path, '@nestjs/core')) as { NestFactory: NestFactory }).NestFactory;
  } catch {
    throw new CommandError(
      `@nestjs/core cannot be found from ${printable(file)}: is it the file of a Nest application?`,
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function importFile(path: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (error) {
    const isSource = /\.[cm]?tsx?$/.test(path);
    const advice = isSource ? ' This is a source file: build the application, and give the file in dist.' : '';
    throw new CommandError(`${printable(file)} cannot be loaded: ${messageOf(error)}.${advice}`, EXIT.UNREACHABLE);
  }
}

function create({ kind, value }: Creator, factory: NestFactory): Promise<unknown> {
  return kind === 'function' ? Promise.resolve((value as () => unknown)()) : factory.create(value);
}

/** As that file would import it: the application's own copy, whichever copy of this package runs. */
export async function importFrom(path: string, name: string): Promise<unknown> {
  return import(pathToFileURL(createRequire(path).resolve(name)).href);
}

function isApplication(value: unknown): value is LoadedApplication {
  const { init, close, get } = (value ?? {}) as Partial<Record<keyof LoadedApplication, unknown>>;
  return [init, close, get].every((method) => typeof method === 'function');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : printable(String(error));
}
