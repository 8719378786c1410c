import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isJsonObject } from '../json-object.js';
import type { KeyStore, StoredKeys } from '../keys/key-store.js';

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Keeps key sets in a folder, a JSON file for each issuer. For a volume that outlives the process: `new
 * FileKeyStore('/var/lib/orders/keys')`. The folder is made when it is not there, for its owner alone; whoever can
 * write to it decides which tokens are accepted.
 */
export class FileKeyStore implements KeyStore {
  constructor(private readonly folder: string) {}

  async load(issuer: string): Promise<StoredKeys | undefined> {
    const path = this.pathOf(issuer);
    let text: string;
    try {
      const { size } = await stat(path);
      if (size > MAX_FILE_BYTES) throw new Error(`${path} is too large for a key set`);
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      throw error;
    }
    const stored: unknown = parse(text, path);
    if (!isJsonObject(stored) || stored.issuer !== issuer || typeof stored.fetchedAtMs !== 'number') {
      throw new Error(`${path} is not the key set of this issuer`);
    }
    const { fetchedAtMs, jwks } = stored;
    if (!isJsonObject(jwks) || !Array.isArray(jwks.keys)) throw new Error(`${path} holds no list of keys`);
    return { fetchedAtMs, jwks: { keys: jwks.keys } };
  }

  async save(issuer: string, keys: StoredKeys): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = this.pathOf(issuer);
    // Written beside and then renamed: a reader, or a crash, never meets half a file.
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

  /** An issuer's name is an address: hashed, it cannot lead out of the folder. */
  private pathOf(issuer: string): string {
    return join(this.folder, `${createHash('sha256').update(issuer).digest('hex')}.json`);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path} is not JSON`);
  }
}
