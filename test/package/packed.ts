import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a command to its end. What it wrote is in the error when it fails. */
export async function run(folder: string, command: string, ...parameters: string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, parameters, {
      cwd: folder,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        npm_config_audit: 'false',
        npm_config_fund: 'false',
        npm_config_prefer_offline: 'true',
        // `npx -p node@22 npm run …` sets it, and npx in a test would take its own package from it.
        npm_config_package: undefined,
      },
      maxBuffer: 32 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${[command, ...parameters].join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}

export interface Tarball {
  readonly path: string;
  readonly files: readonly string[];
  readonly packedBytes: number;
  readonly unpackedBytes: number;
}

/** Packs `dist`; `npm run test:package` builds it first. */
export async function pack(into: string): Promise<Tarball> {
  const printed = await run(process.cwd(), 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', into);
  const parsed = JSON.parse(printed) as PackReport[] | Record<string, PackReport>;
  const [report] = Object.values(parsed) as [PackReport];
  return {
    path: join(into, report.filename),
    files: report.files.map(({ path }) => path),
    packedBytes: report.size,
    unpackedBytes: report.unpackedSize,
  };
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** An empty folder of its own, outside of this repository, so that nothing of ours is found by chance. */
export async function emptyFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'nestjs-resource-server-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function write(folder: string, files: Record<string, string | object>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, undefined, 2));
  }
}

/** Returns the code block of a page that starts with this text. */
export function codeBlock(page: string, start: string): string {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```\w+\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const block = blocks.find((code) => code.startsWith(start));
  if (block === undefined) throw new Error(`${page} has no code block that starts with ${start}`);
  return block;
}

/** Starts a script of Node. Resolves with what `ready` finds in its output so far, and rejects if the script ends before. */
async function startUntil<Found>(
  folder: string,
  parameters: readonly string[],
  env: Record<string, string>,
  ready: (output: string) => Found | undefined,
): Promise<{ found: Found; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, parameters, {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const found = await new Promise<Found>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const result = ready(output);
      if (result !== undefined) resolve(result);
    });
    child.once('error', reject);
    void ended.then(() => {
      reject(new Error(`${parameters.join(' ')} ended too early\n${output}\n${errors}`));
    });
  });
  return {
    found,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}

/** Starts an application that prints its address in a line of its own. */
export async function start(folder: string, command: string | readonly string[], env: Record<string, string>) {
  const { found, stop } = await startUntil(
    folder,
    [command].flat(),
    env,
    (output) => /^(https?:.*)\n/m.exec(output)?.[1],
  );
  return { url: found, stop };
}

/** Builds and starts an example, and returns the calls that it prints: a title with the status, and a curl command. */
export async function startExample(folder: string) {
  await run(folder, 'npm', 'run', 'build');
  const { found, stop } = await startUntil(folder, ['dist/main.js'], { PORT: '0' }, (output) => {
    const calls = [...output.matchAll(/^(.*) \((\d+)\):\n\ncurl -i (\S+)(?: -H "Authorization: (.*)")?\n/gm)].map(
      ([, title = '', status, url = '', authorization]) => ({ title, expected: Number(status), url, authorization }),
    );
    return output.includes('Press Ctrl+C') ? calls : undefined;
  });
  return { calls: found, stop };
}
