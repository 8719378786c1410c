import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as Prettier from 'prettier';
import { CannotEdit, SourceFile, type TypeScript } from './source-file.js';

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
  readonly manualSteps: string[] = [];
  readonly #ts: TypeScript;

  constructor(
    private readonly tree: Tree,
    private readonly places: readonly string[],
  ) {
    this.#ts = loadTypeScript(places);
  }

  read(path: string): string | undefined {
    return this.#changes.get(path) ?? this.original(path);
  }

  /** Returns the object in a JSON file, which may have comments; an empty one if there is none. */
  readJson(path: string): Record<string, unknown> {
    return asRecord(this.#ts.parseConfigFileTextToJson(path, this.read(path) ?? '{}').config);
  }

  dependencies(): ReadonlySet<string> {
    const { dependencies, devDependencies } = this.readJson('package.json');
    return new Set(Object.keys({ ...asRecord(dependencies), ...asRecord(devDependencies) }));
  }

  /** @throws CannotEdit if the file is missing or has a syntax error */
  parse(path: string): SourceFile {
    const text = this.read(path);
    if (text === undefined) throw new CannotEdit(`${path} does not exist`);
    return new SourceFile(this.#ts, path, text);
  }

  /** Returns undefined if the file is missing or is no TypeScript, for example a video with the extension `.ts`. */
  tryParse(path: string): SourceFile | undefined {
    return attempt(() => this.parse(path));
  }

  sources(folder: string): readonly SourceFile[] {
    const paths: string[] = [];
    this.tree.getDir(folder).visit((path) => paths.push(path));
    return paths
      .filter((path) => /(?<!spec)\.ts$/.test(path) && !path.includes('/node_modules/'))
      .flatMap((path) => this.tryParse(path) ?? []);
  }

  /** Edits a file if that is safe. Otherwise adds the reason and the manual step. */
  edit(path: string, change: (source: SourceFile) => void, manualStep: string): void {
    try {
      const source = this.parse(path);
      change(source);
      this.write(path, source.toString());
    } catch (error) {
      if (!(error instanceof CannotEdit)) throw error;
      this.manualSteps.push(`${error.message}. ${manualStep}`);
    }
  }

  write(path: string, text: string): void {
    this.#changes.set(path, text);
  }

  async apply(): Promise<boolean> {
    const changed = [...this.#changes].filter(([path, text]) => text !== this.original(path));
    for (const [path, text] of changed) {
      const formatted = await this.format(path, text);
      this.tree[this.tree.exists(path) ? 'overwrite' : 'create'](path, formatted);
    }
    return changed.length > 0;
  }

  private original(path: string): string | undefined {
    return this.tree.exists(path) ? this.tree.readText(path) : undefined;
  }

  /** A file that was not formatted before keeps its format, so that the diff shows only what was added. */
  private async format(path: string, text: string): Promise<string> {
    const [manifest = ''] = this.places;
    const prettier = attempt(() => createRequire(manifest)('prettier') as typeof Prettier);
    if (prettier === undefined || !/\.(?:ts|json)$/.test(path)) return text;
    try {
      const filepath = join(dirname(manifest), path);
      const config = await prettier.resolveConfig(filepath, { editorconfig: true });
      const options = { ...config, filepath };
      const before = this.original(path);
      const isFormatted = before === undefined || (await prettier.check(before, options));
      return config !== null && isFormatted ? await prettier.format(text, options) : text;
    } catch {
      // A broken configuration or a missing plugin: the text is valid without formatting.
      return text;
    }
  }
}

/** Loads the TypeScript API of `@nestjs/cli`. The application's own TypeScript can be version 7, which has no such API. */
function loadTypeScript(places: readonly string[]): TypeScript {
  for (const place of places) {
    const load = () => createRequire(createRequire(place).resolve('@nestjs/cli/package.json'))('typescript') as object;
    const api = attempt(load);
    if (api !== undefined && 'createSourceFile' in api) return api as TypeScript;
  }
  throw new CannotEdit('The TypeScript parser of @nestjs/cli was not found');
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
