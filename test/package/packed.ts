import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a command to its end. What it wrote is in the error when it fails. */
export async function run(folder: string, command: string, ...parameters: string[]): Promise<string> {
  try {
    const { stdout } = await execute(command, parameters, {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', npm_config_audit: 'false', npm_config_fund: 'false' },
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

/** Packs what stands in `dist`; `npm run test:package` builds it first. */
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

/** Starts an application that prints its address as its first line. */
export async function start(
  folder: string,
  script: string,
  env: Record<string, string>,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, [script], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('error', reject);
    void ended.then(() => {
      reject(new Error(`${script} ended before it listened\n${complaints}`));
    });
  });
  return {
    url,
    stop: () => {
      child.kill();
      return ended;
    },
  };
}
