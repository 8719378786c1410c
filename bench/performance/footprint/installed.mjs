// What an installation brings: a package, and all that it depends on. Peers are the application's own.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PEERS = join(ROOT, 'bench', 'peers');

/** Our own package as it would be published, and its tree. */
export function ours() {
  const { files, size } = packed();
  const tree = treeOf([ROOT]);
  tree.set(realpathSync(ROOT), size);
  return summary(size, tree, files);
}

/** Packages of bench/peers, or of ours where they are not there, as one installation. */
export function peers(names) {
  const folders = names.map((name) => {
    const folder = find(name, PEERS);
    if (folder === undefined) throw new Error(`${name} is not installed`);
    return folder;
  });
  const tree = treeOf(folders);
  const own = folders.reduce((total, folder) => total + tree.get(realpathSync(folder)), 0);
  return summary(own, tree);
}

function summary(own, tree, files) {
  const bytes = [...tree.values()].reduce((total, size) => total + size, 0);
  return { ownKiB: own / 1024, treeKiB: bytes / 1024, packages: tree.size, files };
}

function packed() {
  const { npm_execpath: npm } = process.env;
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'];
  const [command, ...before] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const { status, stdout } = spawnSync(command, [...before, ...args], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error('npm cannot tell what would be packed');
  const [{ unpackedSize, entryCount }] = JSON.parse(stdout);
  return { size: unpackedSize, files: entryCount };
}

/** For the folder of each package, once, its size. */
function treeOf(folders) {
  const sizes = new Map();
  const pending = folders.map((folder) => realpathSync(folder));
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (sizes.has(folder)) continue;
    sizes.set(folder, folder === realpathSync(ROOT) ? 0 : sizeOf(folder));
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      const found = find(name, folder);
      if (found === undefined) throw new Error(`${name}, which ${folder} depends on, is not installed`);
      pending.push(realpathSync(found));
    }
  }
  return sizes;
}

/** As Node finds a package: in the nearest node_modules. */
function find(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(from);
  return above === from ? undefined : find(name, above);
}

/** Of all files, without packages that are installed within. */
function sizeOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((total, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? total : total + sizeOf(path);
    return entry.isFile() ? total + statSync(path).size : total;
  }, 0);
}
