// The contenders. `file` is a module in contenders/, which receives `settings`. `pool` selects one repeated token or many
// fresh tokens.

const OURS = 'nestjs-resource-server';

const [NEST_EXPRESS, NEST_FASTIFY, EXPRESS] = ['Nest on Express', 'Nest on Fastify', 'Express'];

/** @param tokens the number of fresh tokens. */
export function contendersFor(tokens) {
  // The cache is so small that it evicts a token before it arrives again. The filter of seen tokens has false positives, so
  // up to a tenth of the fresh tokens are stored. With a quarter of the pool instead of a fortieth, one token in twenty
  // would not be verified.
  const tokenCache = { maxEntries: Math.floor(tokens / 40), maxAgeSeconds: 300 };
  return [
    ...onNest('express', NEST_EXPRESS, tokenCache),
    {
      id: 'nest-express/nest-keycloak-connect',
      group: NEST_EXPRESS,
      name: 'nest-keycloak-connect, offline',
      kind: 'peer',
      file: 'nest-keycloak-connect',
      pool: 'repeated',
    },
    ...onNest('fastify', NEST_FASTIFY, tokenCache),
    { id: 'express', group: EXPRESS, name: 'unguarded', kind: 'base', file: 'unguarded-express', pool: 'repeated' },
    {
      id: 'express/express-oauth2-jwt-bearer',
      group: EXPRESS,
      name: 'express-oauth2-jwt-bearer',
      kind: 'peer',
      file: 'express-oauth2-jwt-bearer',
      pool: 'repeated',
    },
  ];
}

function onNest(platform, group, tokenCache) {
  const contender = (id, name, kind, file, pool = 'repeated', more = {}) => ({
    id: `nest-${platform}/${id}`,
    group,
    name,
    kind,
    file,
    pool,
    settings: { platform, ...more },
  });
  return [
    contender('unguarded', 'unguarded', 'base', 'unguarded-nest'),
    contender('trivial', 'a guard that returns true', 'base', 'trivial-guard'),
    contender('ours', OURS, 'ours', 'ours'),
    contender('ours-fresh', `${OURS}, fresh`, 'ours', 'ours', 'fresh', { tokenCache }),
    contender('recipe', 'passport-jwt and jwks-rsa', 'peer', 'recipe'),
  ];
}
