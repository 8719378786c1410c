import type { Readable } from 'node:stream';
import { inspect } from 'node:util';

/** The parts of the process that a command uses. Tests replace them. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly clock: () => number;
  readonly fetch: typeof globalThis.fetch;
  readonly hasColors: boolean;
}

export const EXIT = {
  OK: 0,
  PROBLEMS: 1,
  USAGE: 2,
  /** The issuer does not answer, or the application does not start. */
  UNREACHABLE: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command. Only the message is printed, on `stderr`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.USAGE,
  ) {
    super(message);
  }
}

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
