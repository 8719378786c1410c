const MAX_LENGTH = 256;
// Control, format (text direction), private and unassigned characters, lone surrogates, and the line ends of Unicode.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/**
 * Escapes the characters with which text could start a line of its own, reverse its direction or control a terminal, as `\uXXXX`.
 * Log lines, messages and command output pass every text through it that a token, a key set, a client or a server may have
 * written. The result is valid inside a string of JSON or TypeScript.
 */
export function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    // Not by code points: a string of JSON has two escapes for one beyond U+FFFF.
    Array.from({ length: character.length }, (_, index) => escapeOf(character.charCodeAt(index))).join(''),
  );
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}

/** Escapes text that has lines on purpose, such as an indented document. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeUnprintable).join('\n');
}

export function shortened(text: string, maxLength = MAX_LENGTH): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}

/** Returns text on one line, of bounded length. */
export function printable(text: string, maxLength = MAX_LENGTH): string {
  return escapeUnprintable(shortened(text, maxLength));
}

/** Returns a text in quotation marks, and any other value as JSON, on one line of bounded length. */
export function quoted(value: unknown, maxLength = MAX_LENGTH): string {
  if (typeof value === 'string') return escapeUnprintable(JSON.stringify(shortened(value, maxLength)));
  return value === undefined ? 'nothing' : printable(JSON.stringify(value), maxLength);
}
