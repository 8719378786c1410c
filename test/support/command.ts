import { Readable } from 'node:stream';
import type { CheckRow } from '../../src/cli/doctor/check-row.js';
import { run } from '../../src/cli/run.js';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  readonly stdin?: string;
  readonly clock?: () => number;
  readonly fetch?: typeof globalThis.fetch;
  readonly env?: Record<string, string>;
  readonly isTerminal?: boolean;
  readonly cwd?: string;
}

/** The command line tool, in this process. */
export async function command(argv: readonly string[], given: Given = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const exitCode = await run(argv, {
    stdin: Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: given.env ?? {},
    clock: given.clock ?? Date.now,
    fetch: given.fetch ?? fetch,
    isTerminal: given.isTerminal ?? false,
    cwd: given.cwd ?? process.cwd(),
  });
  return { exitCode, ...written };
}

export interface Examined extends Ran {
  readonly checks: readonly CheckRow[];
  readonly problems: readonly string[];
  readonly configuration: string;
  row(check: string): CheckRow;
}

/** `doctor --json`, and what is in its document. */
export async function examine(parameters: readonly string[], given: Given = {}): Promise<Examined> {
  const ran = await command(['doctor', '--json', ...parameters], given);
  const { checks, configuration } = JSON.parse(ran.stdout) as { checks: CheckRow[]; configuration: string };
  return {
    ...ran,
    checks,
    configuration,
    problems: checks.filter(({ status }) => status === 'problem').map(({ check }) => check),
    row: (name) => {
      const found = checks.find(({ check }) => check === name);
      if (found === undefined) throw new Error(`no row ${name} in ${ran.stdout}`);
      return found;
    },
  };
}
