const MAX_LENGTH = 256;
// Control, format (text direction) and private characters, and lone surrogates: they can rewrite a terminal.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/** Makes text of a server or a token safe for a terminal: one line, bounded length, no control characters. */
export function printable(text: string): string {
  return escapeUnprintable(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}

/** Escapes control characters without shortening the text. */
export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

/** Returns the printable text in quotation marks, and any other value as JSON. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${printable(value)}"`;
  return value === undefined ? 'nothing' : printable(JSON.stringify(value));
}

/** Returns a TypeScript string literal, never shortened. */
export function literal(text: string): string {
  return `'${escapeUnprintable(text.replace(/[\\']/g, '\\$&'))}'`;
}

/** Masks everything that may be a compact token: terminal output ends up in logs and screenshots. */
export function withoutTokens(text: string): string {
  return text.replace(/[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)*/g, '<token>');
}
