import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CommandError, EXIT } from '../command-io.js';
import { printable } from '../printable.js';
import { chosenExport, type Creator } from './chosen-export.js';

/** What of a Nest application is asked here. */
export interface LoadedApplication {
  init(): Promise<unknown>;
  close(): Promise<unknown>;
  get(token: unknown, options?: object): unknown;
  getMicroservices?(): readonly unknown[];
}

export interface Loaded {
  readonly app: LoadedApplication;
  /** Made here from a module: how its `main` would connect microservices is not known then. */
  readonly isFromModule: boolean;
}

/**
 * The application that a built file stands for, initialized, but not listening.
 * @throws CommandError that says what to give instead.
 */
export async function loadApplication(file: string, exportName: string | undefined, cwd: string): Promise<Loaded> {
  const path = resolve(cwd, file);
  if (!(await isFile(path))) {
    throw new CommandError(
      `There is no file ${printable(file)}. Build the application first (npm run build), and give the file of its root module: dist/app.module.js.`,
    );
  }
  const exported = await importFile(path, file);
  const chosen = chosenExport(exported, exportName, file);
  try {
    const app = await create(chosen, path);
    if (!isApplication(app)) {
      throw new CommandError(
        `${chosen.name} of ${printable(file)} returns no Nest application: let it return what NestFactory.create() gives.`,
      );
    }
    // Twice does no harm: Nest knows that it was done.
    await app.init();
    return { app, isFromModule: chosen.kind === 'module' };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The application does not start: ${messageOf(error)}`, EXIT.PROBLEMS);
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
    throw new CommandError(`${printable(file)} cannot be loaded: ${messageOf(error)}.${advice}`, EXIT.PROBLEMS);
  }
}

async function create({ kind, value }: Creator, path: string): Promise<unknown> {
  if (kind === 'function') return (value as () => unknown)();
  const { NestFactory } = (await importFrom(path, '@nestjs/core')) as { NestFactory: Factory };
  // By default Nest ends the process when something fails.
  return NestFactory.create(value, { logger: false, abortOnError: false });
}

interface Factory {
  create(module: unknown, options: object): Promise<unknown>;
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
