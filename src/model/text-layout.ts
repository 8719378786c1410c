import { stripVTControlCharacters } from 'node:util';

/** The smallest part of the width that wrapped text may have. An indent that leaves less is not used. */
const MIN_TEXT_SHARE = 0.4;

const widthOf = (text: string) => stripVTControlCharacters(text).length;

/** Aligns the cells of rows in columns. The cells may have colors. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const pad = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** Wraps lines at spaces. Returns the text unchanged if the width is unknown, as that of a pipe, or 0. */
export function wrapLines(text: string, columns = 0): string {
  return columns === 0 ? text : text.replace(/.+/g, (line) => wrapLine(line, columns));
}

/** Further lines are indented to a cell of the line. */
function wrapLine(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  if (plain.length <= columns) return line;
  const indent = indentOf(plain, columns);
  let [result, width] = ['', 0];
  for (const { index, 1: gap = '', 2: word = '' } of line.matchAll(/( *)([^ ]+)/g)) {
    // Moves a complete cell to the next line, unless it starts where that line would start.
    const isMovable = gap.length > 1 && width + gap.length !== indent;
    const [unit = word] = isMovable ? line.slice(index).trimStart().split('  ', 1) : [];
    const isBreak = width > 0 && width + gap.length + widthOf(unit) > columns;
    result += (isBreak ? `\n${' '.repeat(indent)}` : gap) + word;
    width = (isBreak ? indent : width + gap.length) + widthOf(word);
  }
  return result;
}

/** Returns the start of the last cell or of the second cell, if that leaves enough space. */
function indentOf(plain: string, columns: number): number {
  // A cell starts after two spaces, or after a label such as `error:`.
  const [first = 0, ...others] = Array.from(plain.matchAll(/(?<=^ *| {2}|^ *\w+: )(?=\S)/g), ({ index }) => index);
  const [second = first, last = second] = [others[0], others.at(-1)];
  const longestWord = Math.max(...plain.slice(last).split(' ').map(widthOf));
  const minWidth = Math.max(columns * MIN_TEXT_SHARE, longestWord);
  return [last, second, first + 2].find((start) => columns - start >= minWidth) ?? second;
}
