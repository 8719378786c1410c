import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject, parseJson } from '../model/unknown-value.js';
import type { KeyStore, StoredKeys } from '../keys/key-store.js';

const MAX_FILE_BYTES = 1024 * 1024;
const LEFTOVER_MS = 3_600_000;
/** The names of the temporary files of this class. The folder may contain files of other programs. */
const TEMPORARY = /^[\da-f]{64}\.json\.[\da-f-]{36}\.tmp$/;

/**
 * Stores key sets in a folder, one JSON file per issuer. The folder should outlive the process, as a volume does. It is
 * created if needed, with access for its owner only: anyone who can write to it decides which tokens are accepted. A folder or
 * a file that every user can write to is not used (not checked on Windows).
 */
export class FileKeyStore implements KeyStore {
  constructor(private readonly folder: string) {}

  async load(issuer: string): Promise<StoredKeys | undefined> {
    const path = this.pathOf(issuer);
    let stored: unknown;
    try {
      await refuseIfWritableByAll(this.folder);
      const { size, isFile } = await refuseIfWritableByAll(path);
      // Reading a pipe or a device may never end.
      if (!isFile) throw new Error(`${path} is not a file. Remove it`);
      if (size > MAX_FILE_BYTES) throw new Error(`${path} is larger than 1 MiB`);
      stored = parseJson(await readFile(path, 'utf8'));
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error instanceof SyntaxError ? new Error(`${path} is not JSON`) : error;
    }
    if (!isJsonObject(stored) || stored.issuer !== issuer) throw new Error(`${path} has no keys of this issuer`);
    // The caller validates the members, as it does for every store.
    const { fetchedAtMs, origin, jwks } = stored as unknown as StoredKeys;
    return { fetchedAtMs, origin, jwks };
  }

  async save(issuer: string, keys: StoredKeys): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await refuseIfWritableByAll(this.folder);
    await this.removeLeftovers();
    const path = this.pathOf(issuer);
    // Rename a complete file, so that a reader never sees a partial one, even after a crash.
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify({ issuer, ...keys }));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Removes temporary files of processes that ended while they saved. */
  private async removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (!TEMPORARY.test(name)) continue;
      const path = join(this.folder, name);
      // Another process may have removed the file already. A file that cannot be removed does not prevent the save.
      const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > LEFTOVER_MS) await rm(path, { force: true }).catch(() => undefined);
    }
  }

  /** The issuer is hashed, because a path that contains it could lead out of the folder. */
  private pathOf(issuer: string): string {
    return join(this.folder, `${createHash('sha256').update(issuer).digest('hex')}.json`);
  }
}

async function refuseIfWritableByAll(path: string): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const entry = await stat(path);
  // On Windows the mode does not tell who can write.
  if (process.platform !== 'win32' && (entry.mode & 0o002) !== 0)
    throw new Error(
      `every user can write to ${path} and thereby decide which tokens are accepted. Run chmod o-w, or choose a new folder inside it, \
which is created for its owner only`,
    );
  return { size: entry.size, isFile: entry.isFile() };
}
