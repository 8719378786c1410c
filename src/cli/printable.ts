const LONGEST = 256;
// Control, format (which reorder a line) and private characters, and halves of pairs: they could rewrite the terminal.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/** For a terminal, whatever a server or a token says: on one line, of a bounded length, and without control characters. */
export function printable(text: string): string {
  return escaped(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}

function escaped(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** The same in quotation marks, so that a space at its end is seen. What is no text is shown as JSON has it. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${printable(value)}"`;
  return value === undefined ? 'nothing' : printable(JSON.stringify(value));
}

/** As it is written in TypeScript; whole, since it is there to be pasted. */
export function literal(text: string): string {
  return `'${escaped(text.replace(/[\\']/g, '\\$&'))}'`;
}

/** What may be a compact token is never repeated: a terminal is logged, and looked at over shoulders. */
export function withoutTokens(text: string): string {
  return text.replace(/[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)*/g, '<token>');
}
