import { Readable } from 'node:stream';
import type { CheckRow } from '../../src/cli/doctor/check-report.js';
import { run } from '../../src/cli/run.js';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandEnvironment {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  readonly hasColors?: boolean;
  readonly columns?: number;
}

/** Runs the command line tool in this process. */
export async function command(
  argv: readonly string[],
  { stdin, hasColors = false, columns, ...environment }: CommandEnvironment = {},
): Promise<CommandResult> {
  const output = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof output) => ({
    write: (text: string) => (output[name] += text),
    hasColors,
    columns,
  });
  const exitCode = await run(argv, {
    stdin: Readable.from(stdin === undefined ? [] : [Buffer.from(stdin)]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: {},
    clock: Date.now,
    fetch,
    ...environment,
  });
  return { exitCode, ...output };
}

export interface Examination extends CommandResult {
  readonly checks: readonly CheckRow[];
  /** The names of the checks that found a problem. */
  readonly problems: readonly string[];
  readonly configuration: string | null;
  row(check: string): CheckRow;
}

/** Runs `doctor --json` and reads its document. */
export async function examine(
  parameters: readonly string[],
  environment: CommandEnvironment = {},
): Promise<Examination> {
  const result = await command(['doctor', '--json', ...parameters], environment);
  const document = JSON.parse(result.stdout) as Pick<Examination, 'checks' | 'configuration'>;
  const { checks, configuration } = document;
  return {
    ...result,
    checks,
    configuration,
    problems: checks.filter(({ status }) => status === 'problem').map(({ check }) => check),
    row: (name) => {
      const row = checks.find(({ check }) => check === name);
      if (row === undefined) throw new Error(`no row ${name} in ${result.stdout}`);
      return row;
    },
  };
}
