import { splice } from './source-text.js';
import type { Style } from './style.js';

const PACKAGE = 'nestjs-resource-server';

interface ImportStatement {
  readonly start: number;
  readonly end: number;
  /** What stands between `import` and the module's name. */
  readonly clause: string;
  readonly from: string;
}

/** The import statements at the beginning of lines. */
export function importStatements(source: string, code: string): readonly ImportStatement[] {
  const statement = /^import\b([^;'"]*)(['"])( *)\2(?:\s*(?:with|assert)\s*\{[^}]*\})?[ \t]*\)?[ \t]*;?/gm;
  return [...code.matchAll(statement)].map(({ index, 0: text, 1: clause = '', 3: blanks = '' }) => {
    const name = index + 'import'.length + clause.length + 1;
    return { start: index, end: index + text.length, clause, from: source.slice(name, name + blanks.length) };
  });
}

/** What is called `name` in the package, and is imported under a name of this file; undefined where it is not. */
export function localNameOf(name: string, source: string, code: string): string | undefined {
  for (const { clause, from } of importStatements(source, code)) {
    if (from !== PACKAGE && !from.startsWith(`${PACKAGE}/`)) continue;
    const [named, alias] = new RegExp(`[{,]\\s*${name}(?:\\s+as\\s+([\\w$]+))?\\s*[,}]`).exec(clause) ?? [];
    if (named !== undefined) return alias ?? name;
  }
  return undefined;
}

/** Where the module that is called `name` here is imported from. */
export function moduleOf(name: string, source: string, code: string): string | undefined {
  return importStatements(source, code).find(({ clause }) => new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(clause))
    ?.from;
}

/** Whether a name stands anywhere in the code, so that another of that name would be mistaken for it. */
export function isTaken(name: string, code: string): boolean {
  return new RegExp(`(?<![\\w$.])${name}(?![\\w$])`).test(code);
}

/**
 * Adds lines of imports: behind the last import of a package, before those of the application's own files; at the top
 * where there are none.
 */
export function addImports(source: string, code: string, lines: readonly string[], style: Style): string {
  const statements = importStatements(source, code);
  const before = statements.filter(({ from }) => !from.startsWith('.')).at(-1);
  const text = lines.join(style.newline);
  if (before !== undefined) return splice(source, endOfLine(source, code, before.end), style.newline + text);
  const [first] = statements;
  return splice(source, first?.start ?? 0, text + style.newline);
}

/** Behind a comment that stands on the same line, which is about what stands there. */
function endOfLine(source: string, code: string, position: number): number {
  const rest = /^[^\r\n]*/.exec(source.slice(position))?.[0].length ?? 0;
  return code.slice(position, position + rest).trim() === '' ? position + rest : position;
}
