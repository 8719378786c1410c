import type ts from 'typescript';

export type TypeScript = typeof ts;

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
  readonly nodes: readonly ts.Node[];

  /** @throws CannotEdit if the text has a syntax error */
  constructor(
    readonly ts: TypeScript,
    readonly path: string,
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
  }

  get imports(): readonly { readonly name: string; readonly local: string; readonly from: string }[] {
    return this.nodes.filter(this.ts.isImportSpecifier).map(({ propertyName, name, parent }) => ({
      name: (propertyName ?? name).text,
      local: name.text,
      from: (parent.parent.parent.moduleSpecifier as ts.StringLiteral).text,
    }));
  }

  /** Returns the calls of a decorator, such as `Module`. The parent of a call's parent is the decorated class. */
  decorators(name: string): readonly ts.CallExpression[] {
    return this.nodes
      .filter(this.ts.isCallExpression)
      .filter(({ expression, parent }) => this.ts.isDecorator(parent) && expression.getText() === name);
  }

  modules(): readonly NestModule[] {
    return this.decorators('Module').flatMap((decorator) => {
      const { name } = decorator.parent.parent as ts.ClassDeclaration;
      return name === undefined ? [] : [{ source: this, className: name.text, decorator }];
    });
  }

  /** Returns whether the file imports an export of this package and uses it. */
  uses(name: string): boolean {
    const own = this.imports.find((each) => each.name === name && each.from.split('/', 1)[0] === PACKAGE);
    return own !== undefined && this.identifiers(own.local).some(({ parent }) => !this.ts.isImportSpecifier(parent));
  }

  identifiers(name: string): readonly ts.Identifier[] {
    return this.nodes.filter(this.ts.isIdentifier).filter(({ text }) => text === name);
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
  insertImports(lines: string): void {
    const previous = this.nodes
      .filter(this.ts.isImportDeclaration)
      .findLast(({ moduleSpecifier }) => !/^.\./.test(moduleSpecifier.getText()));
    if (previous === undefined) {
      this.insert(this.#root.statements[0]?.getStart() ?? 0, `${lines}\n`);
    } else {
      // A comment on the same line belongs to that import.
      const comments = this.ts.getTrailingCommentRanges(this.text, previous.end) ?? [];
      this.insert(comments.at(-1)?.end ?? previous.end, `\n${lines}`);
    }
  }

  toString(): string {
    return this.#insertions
      .toSorted((one, other) => other.position - one.position)
      .reduce((text, { position, text: added }) => text.slice(0, position) + added + text.slice(position), this.text);
  }
}
