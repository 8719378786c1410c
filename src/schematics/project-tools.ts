import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as Prettier from 'prettier';
import type ts from 'typescript';

export type TypeScript = typeof ts;

/**
 * Loads the TypeScript API that `@nestjs/cli` depends on. The application's own TypeScript can be version 7, which has no such API.
 * @param places files from which to resolve `@nestjs/cli`, tried in this order.
 */
export function loadTypeScript(places: readonly string[]): TypeScript | undefined {
  for (const place of places) {
    const cli = attempt(() => createRequire(place).resolve('@nestjs/cli/package.json'));
    const api = cli === undefined ? undefined : attempt(() => createRequire(cli)('typescript') as Partial<TypeScript>);
    if (typeof api?.createSourceFile === 'function') return api as TypeScript;
  }
  return undefined;
}

/**
 * Formats the new text of a file.
 * @param before the text that it replaces; undefined for a new file
 */
export type Formatter = (path: string, text: string, before: string | undefined) => Promise<string>;

/**
 * Formats with the Prettier of the application, if it has one with a configuration. A file that was not formatted before keeps its
 * format, so that the diff shows only what was added.
 */
export function loadFormatter([manifest = '']: readonly string[]): Formatter {
  const prettier = attempt(() => createRequire(manifest)('prettier') as typeof Prettier);
  return async (path, text, before) => {
    if (prettier === undefined || !/\.(?:ts|json)$/.test(path)) return text;
    try {
      const filepath = join(dirname(manifest), path);
      const config = await prettier.resolveConfig(filepath, { editorconfig: true });
      if (config === null) return text;
      const options = { ...config, filepath };
      if (before !== undefined && !(await prettier.check(before, options))) return text;
      return await prettier.format(text, options);
    } catch {
      // A broken configuration or a missing plugin: the text is valid without formatting.
      return text;
    }
  };
}

function attempt<Result>(load: () => Result): Result | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}
