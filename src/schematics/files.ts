/**
 * What we use of the tree that `@angular-devkit/schematics` hands to a schematic, so that nothing of it has to be
 * installed with this package. Paths are relative to the folder in which `nest add` runs.
 */
export interface Files {
  exists(path: string): boolean;
  readText(path: string): string;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  getDir(path: string): { visit(visitor: (path: string) => void): void };
}

/** The same files, and what is told when one of them is changed. */
export function observed(files: Files, onChange: (path: string) => void): Files {
  return {
    exists: (path) => files.exists(path),
    readText: (path) => files.readText(path),
    getDir: (path) => files.getDir(path),
    create: (path, content) => {
      onChange(path);
      files.create(path, content);
    },
    overwrite: (path, content) => {
      onChange(path);
      files.overwrite(path, content);
    },
  };
}

/** The text of a file, or nothing where there is none. */
export function textOf(files: Files, path: string): string | undefined {
  return files.exists(path) ? files.readText(path) : undefined;
}

/** Writes a file, unless it is that already. */
export function change(files: Files, path: string, content: string): void {
  if (!files.exists(path)) files.create(path, content);
  else if (files.readText(path) !== content) files.overwrite(path, content);
}

/** The object in a JSON file; an empty one where there is no file, or no object in it. */
export function jsonOf(files: Files, path: string): Record<string, unknown> {
  try {
    return asRecord(JSON.parse(textOf(files, path) ?? '{}'));
  } catch {
    return {};
  }
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What a package.json lists. */
export function dependenciesOf(manifest: Record<string, unknown>): ReadonlySet<string> {
  return new Set(Object.keys({ ...asRecord(manifest.dependencies), ...asRecord(manifest.devDependencies) }));
}
