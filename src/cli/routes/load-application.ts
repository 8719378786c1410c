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
  /** Of what is not in it. */
  readonly warnings: readonly string[];
  /** To be called in the end: until then nothing that the file starts listens. */
  readonly end: () => void;
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
  const end = () => {
    dryRun.end();
  };
  try {
    const found = await foundIn({ path, file, exportName, dryRun });
    if (found.kind === 'started') {
      if (dryRun.count > 1) throw new CommandError(severalIn(file));
      const { app, isIdle } = found;
      return { app, isFromModule: isIdle, warnings: await warningsOf(path, isIdle), end };
    }
    // A function may have its application listen, and waits for ever then; so does whatever waits for one that does not start.
    const app = await Promise.race([create(found, factory), dryRun.application]);
    if (!isApplication(app)) {
      throw new CommandError(
        `${found.name} of ${printable(file)} returns no Nest application: let it return what NestFactory.create() gives.`,
      );
    }
    // Twice does no harm: Nest knows that it was done.
    await app.init();
    return { app, isFromModule: found.kind === 'module', warnings: [], end };
  } catch (error) {
    end();
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The application does not start: ${messageOf(error)}`, EXIT.UNREACHABLE);
  }
}

function severalIn(file: string): string {
  return `${printable(file)} starts several applications: give the file of the root module of each.`;
}

/** What follows the first `listen()` is not run: so another application may be in it that nobody has seen. */
async function warningsOf(path: string, isIdle: boolean): Promise<readonly string[]> {
  const count = [...(await readFile(path, 'utf8')).matchAll(/\.create(?:Microservice)?\(/g)].length;
  return [
    ...(count > 1
      ? [
          'The file makes applications in several places: this report has the one that was first to listen. Of others give the file of the root module',
        ]
      : []),
    ...(isIdle
      ? ['The application was initialized, and did not listen: what the file does with it later is not in this report']
      : []),
  ];
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
  /** It was initialized, and did not listen: microservices may still be connected to it. */
  readonly isIdle: boolean;
}

// Of a main that asks others (a vault, a database) before its application listens.
const START_MS = 60_000;
// Of a file that exports nothing, and may be about to make an application.
const BEGIN_MS = 2_000;
// Of one that was initialized, and is about to listen if it ever does.
const IDLE_MS = 3_000;
const CHECK_MS = 20;

async function foundIn({ path, file, exportName, dryRun }: Place): Promise<Creator | Started> {
  const started = dryRun.application.then((app): Started => ({ kind: 'started', app, isIdle: false }));
  // A file that waits for the start of its application is never imported to its end.
  const first = await withinTime(Promise.race([importFile(path, file), started]), dryRun, file);
  if (isStarted(first)) {
    if (exportName === undefined) return first;
    throw new CommandError(
      `${printable(file)} starts an application: leave --export out, or give the file of the module.`,
    );
  }
  if (exportName === undefined && dryRun.count > 0) return startedOrIdle(started, dryRun, file);
  try {
    return chosenExport(first, exportName, file);
  } catch (error) {
    if (exportName !== undefined || !(await begins(dryRun))) throw error;
    return startedOrIdle(started, dryRun, file);
  }
}

/** After the file was imported to its end. */
function startedOrIdle(started: Promise<Started>, dryRun: DryRun, file: string): Promise<Started> {
  return withinTime(Promise.race([started, idle(dryRun)]), dryRun, file);
}

async function idle(dryRun: DryRun): Promise<Started> {
  for (let since = Date.now(), last: unknown; ; await new Promise((resolve) => setTimeout(resolve, CHECK_MS).unref())) {
    const app = dryRun.idle;
    if (app !== last) [since, last] = [Date.now(), app];
    if (app !== undefined && Date.now() - since >= IDLE_MS) return { kind: 'started', app, isIdle: true };
  }
}

async function begins(dryRun: DryRun): Promise<boolean> {
  for (let waited = 0; waited < BEGIN_MS && dryRun.count === 0; waited += CHECK_MS)
    await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
  return dryRun.count > 0;
}

function isStarted(found: Record<string, unknown> | Started): found is Started {
  return found.kind === 'started' && isApplication(found.app);
}

async function withinTime<Found>(found: Promise<Found>, dryRun: DryRun, file: string): Promise<Found | Started> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Started>((resolve, reject) => {
    timer = setTimeout(() => {
      const app = dryRun.idle;
      if (app !== undefined) {
        resolve({ kind: 'started', app, isIdle: true });
        return;
      }
      const message = `${printable(file)} has no application listen within ${String(START_MS / 1000)} seconds: give the file of the root module, dist/app.module.js.`;
      reject(new CommandError(message, EXIT.UNREACHABLE));
    }, START_MS);
  });
  try {
    return await Promise.race([found, late]);
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
    const exitCode = isSource ? EXIT.USAGE : EXIT.UNREACHABLE;
    throw new CommandError(`${printable(file)} cannot be loaded: ${messageOf(error)}.${advice}`, exitCode);
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
