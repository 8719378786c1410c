import type { Readable } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { inspect, styleText } from 'node:util';
import { escapeLines } from '../model/printable-text.js';
import { wrapLines } from '../model/text-layout.js';

/** A stream that a command prints to. */
export interface Output {
  write(text: string): unknown;
  readonly hasColors: boolean;
  /** The width of the terminal. Undefined for a pipe or a file, and 0 for some terminals. */
  readonly columns: number | undefined;
}

/** The parts of the process that a command uses. Tests replace them. */
export interface CommandIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => number;
  readonly fetch: typeof globalThis.fetch;
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

/** Unlike in Node, `NO_COLOR` takes precedence over `FORCE_COLOR`. */
export function outputTo(stream: WriteStream, env: NodeJS.ProcessEnv) {
  const hasColors = !env.NO_COLOR && styleText('bold', ' ', { stream }) !== ' ';
  return { write: stream.write.bind(stream), hasColors, columns: stream.columns };
}

/** Applies a color or another format, if the output has colors. */
export function style({ hasColors }: Output, format: Parameters<typeof styleText>[0], text: string): string {
  return hasColors ? styleText(format, text, { validateStream: false }) : text;
}

/** Prints a line with a label. The text may quote a file or a server, so control characters are escaped. */
export function printProblem(output: Output, label: 'error' | 'warning', text: string): void {
  const line = `${style(output, label === 'error' ? 'red' : 'yellow', label)}: ${escapeLines(text)}\n`;
  output.write(wrapLines(line, output.columns));
}

/** Writes a value as a document of indented JSON. */
export function toJson(value: unknown): string {
  return `${escapeLines(JSON.stringify(value, undefined, 2))}\n`;
}

/** Writes a value as a TypeScript literal, never shortened. */
export function toTypeScript(value: unknown, columns = 0): string {
  // The 10 columns are for the name of the function that is called with the value.
  const breakLength = columns === 0 ? 100 : Math.min(100, columns - 10);
  const text = inspect(value, { depth: null, breakLength, maxArrayLength: null, maxStringLength: null });
  return escapeLines(text);
}
