import { CommandError } from '../command-io.js';
import { printable } from '../printable.js';

/** What the application is made from: a root module, or a function of the file. */
export interface Creator {
  readonly name: string;
  readonly kind: 'module' | 'function';
  readonly value: unknown;
}

/**
 * Which export of a file is meant: the one that was named; else `default`, `AppModule`, the only class with `@Module()`,
 * the only function.
 * @throws CommandError with what there is to choose from.
 */
export function chosenExport(exported: Record<string, unknown>, name: string | undefined, file: string): Creator {
  const all = membersOf(exported);
  if (name !== undefined) {
    const chosen = all.get(name);
    const creator = chosen === undefined ? undefined : creatorOf(name, chosen);
    if (creator !== undefined) return creator;
    const reason =
      chosen === undefined
        ? `exports no ${printable(name)}`
        : `exports ${printable(name)}, which is neither a class with @Module() nor a function`;
    throw new CommandError(`${printable(file)} ${reason}. It exports: ${listOf(all)}.`);
  }
  const creators = [...all].map(([key, value]) => creatorOf(key, value)).filter((creator) => creator !== undefined);
  const byName = (key: string) => creators.find((creator) => creator.name === key);
  const modules = creators.filter(({ kind }) => kind === 'module');
  const functions = creators.filter(({ kind }) => kind === 'function');
  const chosen =
    byName('default') ?? byName('AppModule') ?? only(modules) ?? (modules.length === 0 ? only(functions) : undefined);
  if (chosen !== undefined) return chosen;
  if (creators.length > 1) {
    throw new CommandError(
      `${printable(file)} exports several that could be meant: choose one with --export (${creators.map((creator) => printable(creator.name)).join(', ')}).`,
    );
  }
  throw new CommandError(
    `${printable(file)} exports neither a class with @Module() nor a function that creates the application (it exports: ${listOf(all)}). Nor did it begin to start one: give the file of the root module, dist/app.module.js, or the one that starts it, dist/main.js.`,
  );
}

/** Those of a CommonJS file stand in its `default`, and by name where Node could see them. */
function membersOf(exported: Record<string, unknown>): ReadonlyMap<string, unknown> {
  const { default: fallback, 'module.exports': commonJs, ...named } = exported;
  const inside = commonJs ?? fallback;
  const isNamespace = typeof inside === 'object' && inside !== null;
  return new Map(
    Object.entries({
      ...(isNamespace ? inside : fallback === undefined ? {} : { default: fallback }),
      ...named,
    }).filter(([name]) => name !== '__esModule'),
  );
}

function creatorOf(name: string, value: unknown): Creator | undefined {
  if (typeof value !== 'function') return undefined;
  if (isModule(value)) return { name, kind: 'module', value };
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  return isClass ? undefined : { name, kind: 'function', value };
}

/** `@Module()` leaves its members as metadata on the class. */
function isModule(value: object): boolean {
  // Whoever has a module has loaded reflect-metadata.
  const { getOwnMetadataKeys } = Reflect as { getOwnMetadataKeys?: (target: object) => readonly unknown[] };
  const keys = getOwnMetadataKeys?.(value) ?? [];
  return ['imports', 'controllers', 'providers', 'exports'].some((key) => keys.includes(key));
}

function only<T>(values: readonly T[]): T | undefined {
  return values.length === 1 ? values[0] : undefined;
}

function listOf(all: ReadonlyMap<string, unknown>): string {
  return [...all.keys()].map(printable).join(', ') || 'nothing';
}
