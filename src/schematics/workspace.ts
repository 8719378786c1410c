import type { Formatter, TypeScript } from './project-tools.js';
import { CannotEdit, SourceFile } from './source-file.js';

/** The part of the tree of `@angular-devkit/schematics` that this schematic uses. Paths are relative to the folder of `nest add`. */
export interface Tree {
  exists(path: string): boolean;
  readText(path: string): string;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
  getDir(path: string): { visit(visitor: (path: string) => void): void };
}

/** The files of the application with all planned changes. Nothing is written before {@link Workspace.apply}. */
export class Workspace {
  readonly #changes = new Map<string, string>();

  constructor(
    private readonly tree: Tree,
    private readonly ts: TypeScript,
    private readonly format: Formatter,
  ) {}

  /** Returns the text of a file, undefined if there is none. */
  read(path: string): string | undefined {
    return this.#changes.get(path) ?? (this.tree.exists(path) ? this.tree.readText(path) : undefined);
  }

  /** Returns the object in a JSON file, which may have comments; an empty one if there is none. */
  readJson(path: string): Record<string, unknown> {
    return asRecord(this.ts.parseConfigFileTextToJson(path, this.read(path) ?? '{}').config);
  }

  /** Returns the names of all packages in `dependencies` and `devDependencies`. */
  dependencies(): ReadonlySet<string> {
    const { dependencies, devDependencies } = this.readJson('package.json');
    return new Set(Object.keys({ ...asRecord(dependencies), ...asRecord(devDependencies) }));
  }

  /** @throws CannotEdit if the file is missing or has a syntax error */
  parse(path: string): SourceFile {
    const text = this.read(path);
    if (text === undefined) throw new CannotEdit(`${path} does not exist`);
    return new SourceFile(this.ts, path, text);
  }

  /** Returns the parsed file, undefined if it is missing or is no TypeScript. */
  tryParse(path: string): SourceFile | undefined {
    try {
      return this.parse(path);
    } catch {
      // For example a video, which may also have the extension `.ts`.
      return undefined;
    }
  }

  /** Parses the TypeScript files in a folder, except unit tests. */
  sources(folder: string): readonly SourceFile[] {
    const paths: string[] = [];
    this.tree.getDir(folder).visit((path) => paths.push(path));
    return paths
      .filter((path) => /(?<!spec)\.ts$/.test(path) && !path.includes('/node_modules/'))
      .flatMap((path) => this.tryParse(path) ?? []);
  }

  /** Edits a file if that is safe. Otherwise returns the reason and the manual step. */
  edit(path: string, change: (source: SourceFile) => void, manualStep: string): readonly string[] {
    try {
      const source = this.parse(path);
      change(source);
      this.write(path, source.toString());
      return [];
    } catch (error) {
      if (!(error instanceof CannotEdit)) throw error;
      return [`${error.message}. ${manualStep}`];
    }
  }

  write(path: string, text: string): void {
    this.#changes.set(path, text);
  }

  /** Formats and writes all planned changes. Returns whether there were any. */
  async apply(): Promise<boolean> {
    const changes: [path: string, text: string, isNew: boolean][] = [];
    for (const [path, text] of this.#changes) {
      const before = this.tree.exists(path) ? this.tree.readText(path) : undefined;
      if (text !== before) changes.push([path, await this.format(path, text, before), before === undefined]);
    }
    for (const [path, text, isNew] of changes) this.tree[isNew ? 'create' : 'overwrite'](path, text);
    return changes.length > 0;
  }
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
