import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import { escapeLines } from '../model/printable-text.js';

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

/** Writes a value as a document of indented JSON. */
export function toJson(value: unknown): string {
  return `${escapeLines(JSON.stringify(value, undefined, 2))}\n`;
}

/** Writes a value as a TypeScript literal, never shortened. */
export function toTypeScript(value: unknown): string {
  const text = inspect(value, { depth: null, breakLength: 100, maxArrayLength: null, maxStringLength: null });
  return escapeLines(text);
}
