/** All that a command knows of the process that it runs in, so that a test can be that process. */
export interface CommandIo {
  /** Where a token is read from; `isTTY`: somebody would have to type it. */
  readonly stdin: AsyncIterable<string | Uint8Array> & { readonly isTTY?: boolean };
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly fetch: typeof globalThis.fetch;
  /** Whether somebody looks at `stdout`: else there are no colours. */
  readonly isTerminal: boolean;
  /** What the names of files are relative to. */
  readonly cwd: string;
}

export interface TextSink {
  write(text: string): unknown;
}

/** What a command ends with, for scripts. */
export const EXIT = {
  OK: 0,
  /** Something was found that has to be mended. */
  PROBLEMS: 1,
  /** The command was not understood; nothing was checked. */
  USAGE: 2,
  /** Nobody answers at the issuer, or the application does not start: nothing is known of it. */
  UNREACHABLE: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command cannot do what it was asked: its message is all that is printed, on `stderr`. */
export class CommandError extends Error {
  override readonly name = 'CommandError';

  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.USAGE,
  ) {
    super(message);
  }
}
