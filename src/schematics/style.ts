import { closingBracket } from './source-text.js';

/** How a file is written, so that what is added to it looks the same. */
export interface Style {
  readonly quote: "'" | '"';
  readonly semicolon: ';' | '';
  /** One step of indentation. */
  readonly indent: string;
  /** What follows the last element where each has a line of its own. */
  readonly trailingComma: ',' | '';
  readonly newline: '\n' | '\r\n';
  /** Columns of a line. */
  readonly width: number;
}

/** Prettier's own default (https://prettier.io/docs/options#print-width), which `nest new` leaves as it is. */
export const DEFAULT_WIDTH = 80;

/** Reads the style from a source and its code (`codeOf`). What it does not show is as `nest new` writes it. */
export function styleOf(source: string, code: string, width: number): Style {
  const imports = [...code.matchAll(/^import\b[^;'"]*(['"]).*$/gm)];
  const doubles = imports.filter(([, quote]) => quote === '"').length;
  const indents = [...code.matchAll(/^([ \t]+)\S/gm)].map(([, white = '']) => white);
  const semicolons = imports.filter(([statement]) => statement.trimEnd().endsWith(';')).length;
  return {
    quote: doubles * 2 > imports.length ? '"' : "'",
    semicolon: imports.length > 0 && semicolons === 0 ? '' : ';',
    indent: indents.find((white) => white.startsWith('\t')) ? '\t' : (shortest(indents) ?? '  '),
    trailingComma: leavesOutTrailingCommas(code) ? '' : ',',
    newline: source.includes('\r\n') ? '\r\n' : '\n',
    width,
  };
}

/** Our templates are written with single quotes, semicolons, two spaces and trailing commas. */
export function inStyle(template: string, style: Style): string {
  return template
    .split('\n')
    .map((line) => {
      const [white = ''] = /^ */.exec(line) ?? [];
      const text = line.slice(white.length).replaceAll("'", style.quote).replace(/;$/, style.semicolon);
      return style.indent.repeat(white.length / 2) + text;
    })
    .join('\n')
    .replace(/,(?=\n\s*[)\]}])/g, style.trailingComma)
    .replaceAll('\n', style.newline);
}

function shortest(texts: readonly string[]): string | undefined {
  return texts.toSorted((one, other) => one.length - other.length)[0];
}

/** Only decorators are looked at: what else has braces, as a block, has no commas. */
function leavesOutTrailingCommas(code: string): boolean {
  const endings = [...code.matchAll(/@\w+\s*\(\s*\{/g)].map(({ index, 0: opening }) => {
    const open = index + opening.length - 1;
    return code.slice(open + 1, closingBracket(code, open));
  });
  const onLines = endings.filter((body) => /\n[ \t]*$/.test(body) && body.trim() !== '');
  return onLines.length > 0 && onLines.every((body) => !body.trimEnd().endsWith(','));
}
