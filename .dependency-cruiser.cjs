// The import directions of docs/architecture.md: model <- keys <- options <- token <- access, remote, store <- nest <- entry folders. Each
// dependency is imported in one place.

const LEAF_PATH = '^src/model/';

const OPTIONAL_PEERS = [
  'graphql',
  '@nestjs/graphql',
  '@nestjs/websockets',
  '@nestjs/microservices',
  '@nestjs/swagger',
  '@nestjs/terminus',
  '@grpc/grpc-js',
  'socket.io',
  'ws',
  'graphql-ws',
  'ioredis',
  'redis',
  '@opentelemetry/api',
];

/** The paths of packages: installed with their own types, or from @types, or (the bare name) not installed. */
function packages(...names) {
  return names.flatMap((name) => {
    const types = name.replace(/^@/, '').replace('/', '__');
    return [`^node_modules/${name}/`, `^node_modules/@types/${types}/`, `^${name}(?:/|$)`];
  });
}

/** Restricts the imports of packages to these files. */
function onlyIn(name, packageNames, files, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^src/', pathNot: files },
    to: { path: packages(...packageNames) },
  };
}

/** Restricts the imports of the last folder to itself, the folders before it, and src/model. Without a folder: src/model imports only itself. */
function direction(folders, comment) {
  const own = folders.at(-1) === undefined ? LEAF_PATH : `^src/${folders.at(-1)}/`;
  return {
    name: `${folders.at(-1) ?? 'model'}-imports-one-way`,
    comment,
    severity: 'error',
    from: { path: own },
    to: { path: '^src/', pathNot: [LEAF_PATH, ...folders.map((folder) => `^src/${folder}/`)] },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'A cycle has no first file to read, and a class in it may be undefined when it is loaded. Types count as well.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      comment:
        'The import cannot be resolved: a misspelling, or a package that package.json does not list. The name of this package is excluded, because it resolves only after a build.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^nestjs-resource-server(?:/|$)' },
    },
    direction([], 'Every folder imports the vocabulary, so an import from it would soon create a cycle.'),
    direction(['keys'], 'What a key may verify depends on the key only.'),
    direction(['keys', 'options'], 'Options are read once at start, before anything that uses them exists.'),
    direction(['keys', 'options', 'presets'], 'A preset only creates options.'),
    direction(
      ['keys', 'options', 'token'],
      'The verification of a token needs neither the network nor Nest, and is tested without them.',
    ),
    direction(['keys', 'options', 'token', 'access'], 'Authorization needs neither the network nor Nest.'),
    direction(['keys', 'options', 'token', 'remote'], 'Fetching does not depend on the framework.'),
    direction(['keys', 'options', 'token', 'store'], 'Stores do not depend on the framework.'),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest'],
      'The testing kit is not loaded in production.',
    ),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest', 'presets', 'cli'],
      'The command line tool uses the package, never the other way round.',
    ),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest', 'swagger'],
      'The Swagger integration uses the package, never the other way round.',
    ),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest', 'mcp'],
      'The support of MCP uses the package, never the other way round.',
    ),
    {
      name: 'schematics-ask-options-only',
      comment:
        'Schematics run inside the Nest CLI without an application. They only validate the options that they write.',
      severity: 'error',
      from: { path: '^src/schematics/' },
      to: {
        path: '^src/',
        pathNot: [
          LEAF_PATH,
          '^src/presets\\.ts$',
          ...['keys', 'options', 'presets', 'schematics'].map((folder) => `^src/${folder}/`),
        ],
      },
    },
    {
      name: 'doctor-without-nest',
      comment:
        'The doctor command works without an application and without Nest. With --app, it imports both through src/cli/load-application.ts.',
      severity: 'error',
      from: { path: '^src/cli/doctor/' },
      to: { path: '^src/nest/' },
    },
    {
      name: 'no-import-of-index',
      comment: 'src/index.ts is the list of public exports. Import from the file that declares the export.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(?:^|/)index\\.ts$', pathNot: 'node_modules' },
    },
    onlyIn(
      'passport-jwt-only-in-strategy',
      ['passport-jwt'],
      '^src/nest/jwt\\.strategy\\.ts$',
      'Only the strategy extends passport-jwt. The verification of passport-jwt checks too little to be used.',
    ),
    onlyIn(
      'jwks-rsa-only-in-client',
      ['jwks-rsa'],
      '^src/remote/jwks-client\\.ts$',
      'src/remote/jwks-client.ts replaces the cache, rate limit and requests of jwks-rsa, without which it is not safe.',
    ),
    onlyIn(
      'lru-cache-in-few-files',
      ['lru-cache'],
      '^src/(?:token/(?:trusted-issuers|jwt/compact|token-cache)|nest/routes/route-metadata|mcp/session-owners|remote/(?:unknown-kid-budget|key-source-registry|metadata|separate-keys))\\.ts$',
      'Each cache must be bounded: tenants, decoded headers, verified tokens, routes, metadata, missed key ids, keys with an address of their own, sessions. A new cache is a decision.',
    ),
    onlyIn(
      'nest-stays-in-nest',
      ['@nestjs/[^/]+', 'passport'],
      '^src/(?:nest|testing|swagger|mcp)/',
      'Only src/nest, src/testing, src/swagger and src/mcp import Nest and passport.',
    ),
    onlyIn(
      'optional-peers-stay-out',
      OPTIONAL_PEERS,
      // By `import()` if the package is installed. src/swagger is an entry point for applications that have it.
      '^src/(?:nest/(?:transports/rpc|sockets/socket-connection|nest-internals|telemetry)\\.ts$|swagger/)',
      'An application without an optional peer must still load, and compile.',
    ),
    {
      name: 'network-only-in-exchange',
      comment: 'src/remote/http-exchange.ts has the deadline and the size limit that each request needs.',
      severity: 'error',
      // src/model/address.ts only parses addresses with node:net. src/testing listens on loopback.
      from: {
        path: '^src/',
        pathNot: '^src/(?:remote/http-exchange|model/address|testing/test-issuer|testing/test-endpoints)\\.ts$',
      },
      to: { path: '^(?:node:)?(?:http|https|http2|net|tls|dgram)$' },
    },
    {
      name: 'no-http-client',
      comment: "Node's fetch is sufficient. Another client has other deadlines, proxies and redirects.",
      severity: 'error',
      from: {},
      to: { path: packages('undici', 'axios', 'got', 'ky', 'node-fetch', 'cross-fetch', 'superagent') },
    },
    {
      name: 'src-not-to-dev-dependencies',
      comment: 'A devDependency is not installed with the package, unless it is also a peer.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/schematics/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'schematics-not-to-dev-dependencies',
      comment: 'Schematics may import types of devDependencies, because their declaration files are not published.',
      severity: 'error',
      from: { path: '^src/schematics/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    },
    {
      name: 'src-not-to-undeclared',
      comment: 'src imports only what package.json declares, not what another package happens to install.',
      severity: 'error',
      from: { path: '^src/' },
      // peerDependenciesMeta is not a list of packages.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'src-stays-in-src',
      comment: 'Only src is published.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(?:bench|demo|dist|test)/' },
    },
    {
      name: 'demo-and-bench-are-users',
      comment:
        "They import 'nestjs-resource-server' as a user does, so that they show and measure the published package.",
      severity: 'error',
      from: { path: '^(?:bench|demo)/' },
      to: { path: '^(?:dist|src|test)/', dependencyTypes: ['local'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^(?:bench|demo)/dist/' },
    // Type-only imports count as well.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
