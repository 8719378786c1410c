// Measures the start-up time of an application with each package, and the installed size.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ours, peers } from './footprint/installed.mjs';
import { inRounds, median } from './rounds.mjs';
import { newKey } from './tokens.mjs';

export const title = 'Footprint';

const START = fileURLToPath(new URL('footprint/start.mjs', import.meta.url));
const OURS = 'nestjs-resource-server';

/** `base`: the start without the package. Its time is subtracted. */
const CONTENDERS = [
  { name: OURS, kind: 'ours', base: 'nest', installed: ours },
  {
    name: 'recipe',
    label: '@nestjs/passport, passport, passport-jwt, jwks-rsa',
    base: 'nest',
    installed: () => peers(['@nestjs/passport', 'passport', 'passport-jwt', 'jwks-rsa']),
  },
  {
    name: 'nest-keycloak-connect',
    label: 'nest-keycloak-connect with keycloak-connect',
    base: 'nest',
    installed: () => peers(['nest-keycloak-connect', 'keycloak-connect']),
  },
  ...['express-oauth2-jwt-bearer', 'aws-jwt-verify', 'fast-jwt', 'jose', 'jsonwebtoken'].map((name) => ({
    name,
    label: `${name} (import only)`,
    base: 'node',
    installed: () => peers([name]),
  })),
];

export async function measure({ isQuick, log }) {
  const sizes = { rounds: isQuick ? 3 : 11 };
  log('installed sizes');
  const installed = Object.fromEntries(CONTENDERS.map((contender) => [contender.name, contender.installed()]));
  log('start-up');
  const starts = await startsOf(sizes);
  const results = CONTENDERS.map(({ name, label = name, kind = 'peer', base }) => ({
    name,
    label,
    kind,
    base,
    ...installed[name],
    startMs: median(starts[name].map((ms, round) => ms - starts[base][round])),
  }));
  const bases = { node: median(starts.node), nest: median(starts.nest) };
  return {
    sizes,
    bases,
    results,
    figures: figuresOf(results, bases),
  };
}

async function startsOf({ rounds }) {
  const { jwk, publicKey } = newKey('RS256');
  const settings = JSON.stringify({ jwk, der: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') });
  const names = ['node', 'nest', ...CONTENDERS.map(({ name }) => name)];
  const runs = Object.fromEntries(names.map((name) => [name, () => startOf(name, settings)]));
  // The first run fills the file system cache.
  await inRounds(1, runs);
  return inRounds(rounds, runs);
}

/** Returns the time since the start of the process, as the process reports it. */
async function startOf(name, settings) {
  const child = fork(START, [name, settings], {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    timeout: 30_000,
  });
  const exit = once(child, 'exit');
  const [ms] = await Promise.race([once(child, 'message'), exit.then(() => [])]);
  await exit;
  if (ms === undefined) throw new Error(`${name} exited before it reported its start-up time`);
  return ms;
}

function figuresOf(results, bases) {
  const of = (wanted) => results.find(({ name }) => name === wanted);
  const [own, recipe, keycloak] = [of(OURS), of('recipe'), of('nest-keycloak-connect')];
  return {
    nestStartMs: bases.nest,
    startMs: own.startMs,
    recipeStartMs: recipe.startMs,
    keycloakStartMs: keycloak.startMs,
    packedKiB: own.ownKiB,
    packedFiles: own.files,
    treeKiB: own.treeKiB,
    treePackages: own.packages,
    recipeTreeKiB: recipe.treeKiB,
    recipeTreePackages: recipe.packages,
  };
}
