import type ts from 'typescript';
import type { TypeScript } from './project-tools.js';

export const PACKAGE = 'nestjs-resource-server';

/** A file cannot be changed safely. The message names the file and the reason. */
export class CannotEdit extends Error {
  override readonly name = 'CannotEdit';
}

export interface NestModule {
  readonly source: SourceFile;
  readonly className: string;
  /** The call of `Module()`. */
  readonly decorator: ts.CallExpression;
}

/** A parsed TypeScript or JSON file and the text to insert. All other text stays as it is, comments included. */
export class SourceFile {
  readonly #root: ts.SourceFile;
  readonly #insertions: { readonly position: number; readonly text: string }[] = [];
  /** All nodes, each before its children. */
  readonly nodes: readonly ts.Node[];
  readonly imports: readonly { from: string; end: number; names: readonly ts.ImportSpecifier[] }[];

  /** @throws CannotEdit if the text has a syntax error */
  constructor(
    readonly ts: TypeScript,
    private readonly path: string,
    private readonly text: string,
  ) {
    this.#root = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    // An internal property: the public functions that report syntax errors compile a whole program.
    const { parseDiagnostics: errors = [] } = this.#root as { parseDiagnostics?: readonly { start?: number }[] };
    if (errors[0] !== undefined) throw this.cannotEdit('it has a syntax error', errors[0].start);
    const nodes: ts.Node[] = [];
    const visit = (node: ts.Node) => {
      nodes.push(node);
      ts.forEachChild(node, visit);
    };
    ts.forEachChild(this.#root, visit);
    this.nodes = nodes;
    this.imports = this.#root.statements
      .filter(ts.isImportDeclaration)
      .map(({ moduleSpecifier, importClause, end }) => {
        const bindings = importClause?.namedBindings;
        const names = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
        return { from: (moduleSpecifier as ts.StringLiteral).text, end, names };
      });
  }

  /** Returns the call of a decorator, such as `Module`. */
  decorator(node: ts.Node, name: string): ts.CallExpression | undefined {
    const decorators = this.ts.canHaveDecorators(node) ? (this.ts.getDecorators(node) ?? []) : [];
    return decorators
      .map(({ expression }) => expression)
      .filter(this.ts.isCallExpression)
      .find(({ expression }) => expression.getText() === name);
  }

  /** Returns the classes with a `@Module()` decorator. */
  modules(): readonly NestModule[] {
    return this.nodes.filter(this.ts.isClassDeclaration).flatMap((node) => {
      const [className, decorator] = [node.name?.text, this.decorator(node, 'Module')];
      return className === undefined || decorator === undefined ? [] : [{ source: this, className, decorator }];
    });
  }

  /** Returns the local name of an export of this package, undefined if the file does not import it. */
  localName(name: string): string | undefined {
    return this.imports
      .filter(({ from }) => from === PACKAGE || from.startsWith(`${PACKAGE}/`))
      .flatMap(({ names }) => names)
      .find((specifier) => (specifier.propertyName ?? specifier.name).text === name)?.name.text;
  }

  /** Returns whether the file calls an export of this package, or a method of it. */
  calls(name: string): boolean {
    const { ts } = this;
    const local = this.localName(name);
    return this.nodes
      .filter((node) => ts.isCallExpression(node) || ts.isPropertyAccessExpression(node))
      .some(({ expression }) => ts.isIdentifier(expression) && expression.text === local);
  }

  /** Returns whether an identifier has this name, which a new import would conflict with. */
  hasIdentifier(name: string): boolean {
    return this.nodes.some((node) => this.ts.isIdentifier(node) && node.text === name);
  }

  cannotEdit(reason: string, position?: number): CannotEdit {
    const place = position === undefined ? undefined : this.#root.getLineAndCharacterOfPosition(position);
    return new CannotEdit(`${this.path}${place ? `:${String(place.line + 1)}` : ''} was not changed: ${reason}`);
  }

  /** Inserts text that has single quotes and an indentation of two spaces, with the quotes, indentation and line ends of the file. */
  insert(position: number, text: string): void {
    const lineStart = this.text.lastIndexOf('\n', position - 1) + 1;
    const indent = /^[ \t]*/.exec(this.text.slice(lineStart))?.[0] ?? '';
    const step = /^(?:\t| {2,8})(?=\S)/m.exec(this.text)?.[0] ?? '  ';
    const newline = this.text.includes('\r\n') ? '\r\n' : '\n';
    const matched = text
      .replaceAll("'", this.text.includes('from "') ? '"' : "'")
      .replace(/\n((?: {2})*)/g, (_, spaces: string) => newline + indent + step.repeat(spaces.length / 2));
    this.#insertions.push({ position, text: matched });
  }

  /** Inserts import statements after the last import of a package, before those of the application's own files. */
  insertImports(lines: readonly string[]): void {
    const previous = this.imports.findLast(({ from }) => !from.startsWith('.'))?.end;
    const text = lines.join('\n');
    if (previous === undefined) this.insert(this.#root.statements[0]?.getStart() ?? 0, `${text}\n`);
    // A comment on the same line belongs to that import.
    else this.insert(this.ts.getTrailingCommentRanges(this.text, previous)?.at(-1)?.end ?? previous, `\n${text}`);
  }

  /** Returns the text with all insertions. */
  toString(): string {
    return this.#insertions
      .toReversed()
      .sort((one, other) => other.position - one.position)
      .reduce((text, { position, text: added }) => text.slice(0, position) + added + text.slice(position), this.text);
  }
}
