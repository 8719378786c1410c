import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileKeyStore } from '../../../src/store/file-key-store.js';

const ISSUER = 'https://issuer.example.com/';
const KEYS = { fetchedAtMs: 1_700_000_000_000, origin: 'discovery', jwks: { keys: [{ kty: 'EC', kid: 'a' }] } };

let parent: string;
let folder: string;
let store: FileKeyStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'keys-'));
  folder = join(parent, 'created', 'on', 'demand');
  store = new FileKeyStore(folder);
});

afterEach(() => rm(parent, { recursive: true, force: true }));

const files = () => readdir(folder);
const onlyFile = async () => join(folder, (await files())[0] ?? 'none');

describe('FileKeyStore', () => {
  it('loads what it has saved, also in another process', async () => {
    await store.save(ISSUER, KEYS);
    await expect(new FileKeyStore(folder).load(ISSUER)).resolves.toEqual(KEYS);
  });

  it('loads nothing for an issuer without saved keys', async () => {
    await expect(store.load(ISSUER)).resolves.toBeUndefined();
    await store.save(ISSUER, KEYS);
    await expect(store.load('https://issuer.example.com')).resolves.toBeUndefined();
  });

  it('keeps only the last save, also of several saves at the same time', async () => {
    await Promise.all([1, 2, 3, 4].map((fetchedAtMs) => store.save(ISSUER, { ...KEYS, fetchedAtMs })));
    await store.save(ISSUER, { ...KEYS, fetchedAtMs: 5 });
    await expect(store.load(ISSUER)).resolves.toMatchObject({ fetchedAtMs: 5 });
    await expect(files()).resolves.toHaveLength(1);
  });

  it('has one file for each issuer, and none outside of the folder', async () => {
    const issuers = ['https://a.example.com', '../../a', '/etc/passwd', 'a\0b', '', 'x'.repeat(5_000)];
    for (const [index, issuer] of issuers.entries()) await store.save(issuer, { ...KEYS, fetchedAtMs: index });
    for (const [index, issuer] of issuers.entries()) {
      await expect(store.load(issuer)).resolves.toMatchObject({ fetchedAtMs: index });
    }
    await expect(files()).resolves.toHaveLength(issuers.length);
    await expect(readdir(parent)).resolves.toEqual(['created']);
  });

  it.each([
    ['incomplete JSON', '{"issuer":'],
    ['no content', ''],
    ['null', 'null'],
    ['the keys of another issuer', JSON.stringify({ issuer: 'https://evil.example.com/', ...KEYS })],
    ['more than a megabyte', JSON.stringify({ issuer: ISSUER, ...KEYS, padding: 'x'.repeat(1024 * 1024) })],
  ])('rejects a file with %s, and names the file', async (_what, text) => {
    await store.save(ISSUER, KEYS);
    const path = await onlyFile();
    await writeFile(path, text);
    await expect(store.load(ISSUER)).rejects.toThrow(path);
  });

  it('keeps the last file, and no temporary one, if it cannot save', async () => {
    await store.save(ISSUER, KEYS);
    const path = await onlyFile();
    const before = await readFile(path, 'utf8');
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await expect(store.save(ISSUER, { ...KEYS, jwks: { keys: [circular] } })).rejects.toThrow();
    await expect(readFile(path, 'utf8')).resolves.toBe(before);
    await expect(files()).resolves.toHaveLength(1);
  });

  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  const leftover = (name = randomUUID()) => `${'a'.repeat(64)}.json.${name}.tmp`;

  it('removes temporary files of processes that have ended, and none that is being written', async () => {
    await store.save(ISSUER, KEYS);
    const [old, young] = [leftover(), leftover()];
    await Promise.all([old, young].map((name) => writeFile(join(folder, name), '{')));
    await utimes(join(folder, old), twoHoursAgo, twoHoursAgo);
    await store.save(ISSUER, KEYS);
    const left = await files();
    expect(left).toHaveLength(2);
    expect(left).toContain(young);
  });

  it('removes no file of another program', async () => {
    await store.save(ISSUER, KEYS);
    const names = ['upload.tmp', 'a.json.1.tmp', `${leftover()}.tmp`, `x${leftover()}`, 'a.json', 'notes.txt'];
    for (const name of names) {
      await writeFile(join(folder, name), 'theirs');
      await utimes(join(folder, name), twoHoursAgo, twoHoursAgo);
    }
    await store.save(ISSUER, KEYS);
    expect(await files()).toEqual(expect.arrayContaining(names));
  });

  it('saves beside an old folder that has the name of a temporary file', async () => {
    await store.save(ISSUER, KEYS);
    for (const name of ['cache.tmp', leftover()]) {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'file'), 'theirs');
      await utimes(join(folder, name), twoHoursAgo, twoHoursAgo);
    }
    await store.save(ISSUER, { ...KEYS, fetchedAtMs: 1 });
    await expect(store.load(ISSUER)).resolves.toMatchObject({ fetchedAtMs: 1 });
    await expect(files()).resolves.toHaveLength(3);
  });

  const onPosix = process.platform === 'win32' ? it.skip : it;

  onPosix.each([0o777, 0o1777, 0o702])(
    'neither loads from nor saves to a folder that every user can write to (%o)',
    async (mode) => {
      await store.save(ISSUER, KEYS);
      const path = await onlyFile();
      await chmod(folder, mode);
      await expect(store.load(ISSUER)).rejects.toThrow(`every user can write to ${folder} `);
      await expect(store.save(ISSUER, { ...KEYS, fetchedAtMs: 1 })).rejects.toThrow('Run chmod o-w');
      expect(await readFile(path, 'utf8')).toContain(String(KEYS.fetchedAtMs));
      await chmod(folder, 0o775);
      await expect(store.load(ISSUER)).resolves.toEqual(KEYS);
    },
  );

  onPosix('loads no file that every user can write to', async () => {
    await store.save(ISSUER, KEYS);
    const path = await onlyFile();
    await chmod(path, 0o666);
    await expect(store.load(ISSUER)).rejects.toThrow(`every user can write to ${path} `);
    await store.save(ISSUER, KEYS);
    await expect(store.load(ISSUER)).resolves.toEqual(KEYS);
  });

  onPosix('loads nothing that is not a file, such as a pipe, which it would read without an end', async () => {
    await store.save(ISSUER, KEYS);
    const path = await onlyFile();
    await rm(path);
    execFileSync('mkfifo', ['-m', '600', path]);
    await expect(store.load(ISSUER)).rejects.toThrow(`${path} is not a file`);
  });
});
