import { inspect } from 'node:util';

const MAX_LENGTH = 256;
// Control, format (text direction) and private characters, and lone surrogates: they can rewrite a terminal.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/** Makes text of a server or a token safe for a terminal: one line, bounded length, no control characters. */
export function printable(text: string): string {
  return escapeUnprintable(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}

export function escapeUnprintable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

export function quoted(value: unknown): string {
  if (typeof value === 'string') return `"${printable(value)}"`;
  return value === undefined ? 'nothing' : printable(JSON.stringify(value));
}

/** Writes a value as a TypeScript literal, never shortened. */
export function toTypeScript(value: unknown): string {
  const text = inspect(value, { depth: null, breakLength: 100, maxArrayLength: null, maxStringLength: null });
  return text.split('\n').map(escapeUnprintable).join('\n');
}
