// Measures the installed size of a package with its dependencies. Peer dependencies belong to the application.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PEERS = join(ROOT, 'bench', 'peers');

/** Returns the size of this package as npm would publish it, and of its dependency tree. */
export function ours() {
  const { files, size } = packed();
  const tree = treeOf([ROOT]);
  tree.set(realpathSync(ROOT), size);
  return summary(size, tree, files);
}

/** Returns the size of several packages as one installation. Searches bench/peers first, then the root node_modules. */
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
  if (status !== 0) throw new Error('`npm pack --dry-run` failed');
  const [{ unpackedSize, entryCount }] = JSON.parse(stdout);
  return { size: unpackedSize, files: entryCount };
}

/** Maps the folder of each package in the tree to its size. */
function treeOf(folders) {
  const sizes = new Map();
  const pending = folders.map((folder) => realpathSync(folder));
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    if (sizes.has(folder)) continue;
    sizes.set(folder, folder === realpathSync(ROOT) ? 0 : sizeOf(folder));
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies)) {
      const found = find(name, folder);
      if (found === undefined) throw new Error(`${name}, a dependency of ${folder}, is not installed`);
      pending.push(realpathSync(found));
    }
  }
  return sizes;
}

/** Finds a package as Node does: in the nearest node_modules folder. */
function find(name, from) {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(from);
  return above === from ? undefined : find(name, above);
}

/** Returns the size of all files, without nested node_modules. */
function sizeOf(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((total, entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? total : total + sizeOf(path);
    return entry.isFile() ? total + statSync(path).size : total;
  }, 0);
}
