/** A source that is left as it is, since a change might break it; the message ends the sentence "… was not changed:". */
export class CannotEdit extends Error {
  override readonly name = 'CannotEdit';
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+*%~^<>-]|\b(?:return|typeof|case|in|of|void|delete|await|yield))$/;

/**
 * The source with a space for each character of a comment, and within strings, templates and regular expressions; so what
 * is found in it is code, at the place where it stands in the source. JSON is read, too.
 *
 * Not a parser: a source whose brackets do not match afterwards is refused ({@link CannotEdit}).
 */
export function codeOf(source: string): string {
  const code = source.split('');
  const open: string[] = [];
  let position = 0;

  const blank = (from: number, to: number) => {
    for (let at = from; at < to; at += 1) if (code[at] !== '\n' && code[at] !== '\r') code[at] = ' ';
  };
  const endOf = (pattern: RegExp, what: string): number => {
    pattern.lastIndex = position;
    if (!pattern.test(source)) throw new CannotEdit(`${what} in it does not end`);
    return pattern.lastIndex;
  };
  const template = () => {
    const end = endOf(/(?:[^\\`$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y, 'a template');
    blank(position, end - (source[end - 1] === '{' ? 2 : 1));
    if (source[end - 1] === '{') open.push('${');
    position = end;
  };

  while (position < source.length) {
    const character = source.charAt(position);
    const next = source[position + 1];
    if (character === '/' && (next === '/' || next === '*')) {
      const end = next === '/' ? endOf(/[^\r\n]*/y, 'a comment') : endOf(/[\s\S]*?\*\//y, 'a comment');
      blank(position, end);
      position = end;
    } else if (character === "'" || character === '"') {
      const start = position;
      position += 1;
      position = endOf(character === "'" ? /(?:[^\\'\r\n]|\\[\s\S])*'/y : /(?:[^\\"\r\n]|\\[\s\S])*"/y, 'a string');
      blank(start + 1, position - 1);
    } else if (character === '`') {
      position += 1;
      template();
    } else if (character === '/' && BEFORE_REGEXP.test(lastCode(code, position))) {
      const start = position;
      position += 1;
      position = endOf(/(?:[^\\/[\r\n]|\\.|\[(?:[^\]\\\r\n]|\\.)*\])+\/[a-z]*/y, 'a regular expression');
      blank(start, position);
    } else if (character in CLOSING) {
      open.push(character);
      position += 1;
    } else if (character === ')' || character === ']' || character === '}') {
      const opened = open.pop();
      position += 1;
      if (opened === '${' && character === '}') template();
      else if (opened === undefined || CLOSING[opened] !== character) throw new CannotEdit('its brackets do not match');
    } else {
      position += 1;
    }
  }
  if (open.length > 0) throw new CannotEdit('its brackets do not match');
  return code.join('');
}

/** What is read of a source's code, where that is understood. */
export function ifUnderstood<Result>(source: string, read: (code: string) => Result): Result | undefined {
  try {
    return read(codeOf(source));
  } catch (error) {
    if (error instanceof CannotEdit) return undefined;
    throw error;
  }
}

/** The last code before a position: as much as tells what a slash is. */
function lastCode(code: readonly string[], position: number): string {
  let end = position;
  while (end > 0 && code[end - 1]?.trim() === '') end -= 1;
  return code.slice(Math.max(0, end - 'return'.length - 1), end).join('');
}

/** Where the bracket that opens at `position` of the code is closed. */
export function closingBracket(code: string, position: number): number {
  let depth = 0;
  for (let at = position; at < code.length; at += 1) {
    const character = code.charAt(at);
    if (character in CLOSING) depth += 1;
    else if (character === ')' || character === ']' || character === '}') depth -= 1;
    if (depth === 0) return at;
  }
  throw new CannotEdit('its brackets do not match');
}

/** A stretch of the source, from its first character of code to behind its last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What stands between the commas of the brackets that open at `position`. */
export function elementsIn(code: string, position: number): readonly Range[] {
  const close = closingBracket(code, position);
  const elements: Range[] = [];
  let start = position + 1;
  for (let at = start; at <= close; at += 1) {
    if (at === close || code[at] === ',') {
      const part = code.slice(start, at);
      const end = start + part.trimEnd().length;
      if (part.trim() !== '') elements.push({ start: start + part.length - part.trimStart().length, end });
      start = at + 1;
    } else if (code.charAt(at) in CLOSING) {
      at = closingBracket(code, at);
    }
  }
  return elements;
}

/** The text with `inserted` at `position`, in the place of what stands up to `end`. */
export function splice(text: string, position: number, inserted: string, end = position): string {
  return text.slice(0, position) + inserted + text.slice(end);
}

/** The white space at the beginning of the line of `position`. */
export function indentAt(text: string, position: number): string {
  const line = text.slice(text.lastIndexOf('\n', position - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}
