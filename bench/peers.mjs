// The packages that we are compared with, out of bench/peers. They are loaded by hand: an import would have to resolve
// wherever the sources are linted, and they are installed only where somebody compares.
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
  // Set by `npm run`. Without a shell, which Windows would need to find npm.
  const { npm_execpath: npm } = process.env;
  if (npm === undefined) throw new Error('The packages to compare with are missing: npm --prefix bench/peers ci');
  const { status } = spawnSync(process.execPath, [npm, 'ci', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(PEERS),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The packages to compare with cannot be installed');
}

/** What was measured, with its versions. */
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
