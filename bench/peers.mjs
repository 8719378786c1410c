// The packages that this package is compared with. bench/peers contains them, and `npm run bench` installs them. Use
// `loadPeer` instead of an import: the linter resolves imports, also where these packages are not installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../', import.meta.url);
const PEERS = new URL('peers/', import.meta.url);

export const loadPeer = createRequire(new URL('package.json', PEERS));

export function installPeers() {
  const locked = readJson(new URL('package-lock.json', PEERS)).packages;
  const isThere = (name) => peerVersion(name) === locked[`node_modules/${name}`].version;
  if (peerNames().every(isThere)) return;
  // `npm run` sets this variable. With the path, Windows does not need a shell to find npm.
  const { npm_execpath: npm } = process.env;
  if (npm === undefined)
    throw new Error('The packages in bench/peers are not installed. Run `npm --prefix bench/peers ci`.');
  const { status } = spawnSync(process.execPath, [npm, 'ci', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(PEERS),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('`npm ci` failed in bench/peers');
}

/** Returns the versions of Node, this package, Nest and the given peer packages. */
export function versions(packages = peerNames()) {
  const ours = readJson(new URL('package.json', ROOT));
  const nest = readJson(new URL('node_modules/@nestjs/core/package.json', ROOT));
  const names = packages.map((name) => `${name} ${peerVersion(name)}`);
  return [`Node ${process.versions.node}`, `${ours.name} ${ours.version}`, `Nest ${nest.version}`, ...names].join(', ');
}

function peerNames() {
  return Object.keys(readJson(new URL('package.json', PEERS)).dependencies);
}

function peerVersion(name) {
  try {
    return readJson(new URL(`node_modules/${name}/package.json`, PEERS)).version;
  } catch {
    return undefined;
  }
}

function readJson(url) {
  return JSON.parse(readFileSync(url, 'utf8'));
}
