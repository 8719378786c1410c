// The import directions of docs/architecture.md: leaves <- keys <- options <- token <- {access, remote} <- nest <- testing; one door
// per dependency.

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

/** Where packages are: installed, with types of their own or from @types, or (the bare name) not installed at all. */
function packages(...names) {
  return names.flatMap((name) => {
    const types = name.replace(/^@/, '').replace('/', '__');
    return [`^node_modules/${name}/`, `^node_modules/@types/${types}/`, `^${name}(?:/|$)`];
  });
}

/** A package that is imported through one door only. */
function oneDoor(name, packageNames, doors, comment) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^src/', pathNot: doors },
    to: { path: packages(...packageNames) },
  };
}

/** The last of these folders knows itself, the ones before it, and the leaves; without a folder: leaves know leaves. */
function direction(folders, comment) {
  const own = folders.at(-1) === undefined ? LEAF_PATH : `^src/${folders.at(-1)}/`;
  return {
    name: `${folders.at(-1) ?? 'leaves'}-look-one-way`,
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
      comment: 'A cycle has no first file to read, and leaves a class undefined at load. Types count too.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      comment:
        'The import leads nowhere: a typing error, or a package that package.json does not list. Our own name is left out: it is found after a build only.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^nestjs-resource-server(?:/|$)' },
    },
    direction([], 'Everything builds on the leaves, so a leaf that builds on something else soon makes a cycle.'),
    direction(['keys'], 'Which key may verify what is a fact of the key; who asks has no say in it.'),
    direction(['keys', 'options'], 'Options are read once, at start, before anything that uses them is there.'),
    direction(['keys', 'options', 'presets'], 'A preset is options that somebody has written down already.'),
    direction(
      ['keys', 'options', 'token'],
      'What makes a token acceptable is decided without network and without Nest, so that it can be tested so.',
    ),
    direction(
      ['keys', 'options', 'token', 'access'],
      'What a caller may do is decided without network and without Nest, too.',
    ),
    direction(['keys', 'options', 'token', 'remote'], 'Fetching serves the verification, whichever framework asks.'),
    direction(['keys', 'options', 'token', 'store'], 'What is remembered serves the verification, too.'),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest'],
      'What serves the tests of an application stays out of production.',
    ),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest', 'presets', 'cli'],
      'The command line tool asks the package; nothing of the package asks for a command line.',
    ),
    direction(
      ['keys', 'options', 'token', 'access', 'remote', 'store', 'nest', 'swagger'],
      'What describes an application looks at it; nothing of the package asks for a description.',
    ),
    {
      name: 'schematics-ask-options-only',
      comment:
        'They run inside the Nest CLI, where no application is; all they ask is whether the one they write would start.',
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
      comment: 'What looks at an issuer starts at once, and where no application is.',
      severity: 'error',
      from: { path: '^src/cli/doctor/' },
      to: { path: '^src/nest/' },
    },
    oneDoor(
      'commander-and-picocolors-stay-in-cli',
      ['commander', 'picocolors'],
      '^src/cli/',
      'An application that starts loads no command line.',
    ),
    {
      name: 'nobody-imports-index',
      comment: 'src/index.ts is the list of what is public. Import from the file that has it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(?:^|/)index\\.ts$', pathNot: 'node_modules' },
    },
    oneDoor(
      'passport-jwt-has-one-door',
      ['passport-jwt'],
      '^src/nest/jwt\\.strategy\\.ts$',
      'Only the strategy is a passport-jwt strategy; its own verification checks too little to be used elsewhere.',
    ),
    oneDoor(
      'jwks-rsa-has-one-door',
      ['jwks-rsa'],
      '^src/remote/jwks-client\\.ts$',
      'jwks-rsa is safe only with its cache, rate limit and requests replaced, which src/remote/jwks-client.ts does.',
    ),
    oneDoor(
      'lru-cache-has-few-doors',
      ['lru-cache'],
      '^src/(?:token/(?:tenant-key-source-cache|jwt/compact|token-cache)|remote/(?:unknown-kid-budget|key-source-registry|metadata))\\.ts$',
      'What is remembered must have a bound: tenants, decoded headers, verified tokens, metadata, key ids that were missed. A new cache is a decision.',
    ),
    oneDoor(
      'nest-stays-in-nest',
      ['@nestjs/[^/]+', 'passport'],
      '^src/(?:nest|testing|swagger)/',
      'Only src/nest (and src/testing, src/swagger) know Nest and passport.',
    ),
    oneDoor(
      'optional-peers-stay-out',
      OPTIONAL_PEERS,
      // By `import()` where the package is installed; src/swagger is an entry point for those who have it.
      '^src/(?:nest/(?:transports/(?:ws|rpc)|routes/nest-versions|telemetry)\\.ts$|swagger/)',
      'An application that has not installed an optional peer must still load; even a type would ask for it.',
    ),
    {
      name: 'network-has-one-door',
      comment: 'src/remote/http-exchange.ts has the deadline and the size limit that every request needs.',
      severity: 'error',
      // src/model/address.ts reads addresses with node:net, and opens no connection; src/testing listens on loopback.
      from: {
        path: '^src/',
        pathNot: '^src/(?:remote/http-exchange|model/address|testing/test-issuer|testing/test-endpoints)\\.ts$',
      },
      to: { path: '^(?:node:)?(?:http|https|http2|net|tls|dgram)$' },
    },
    {
      name: 'no-http-client',
      comment:
        "Node's own fetch does; another client would come with another idea of deadlines, proxies and redirects.",
      severity: 'error',
      from: {},
      to: { path: packages('undici', 'axios', 'got', 'ky', 'node-fetch', 'cross-fetch', 'superagent') },
    },
    {
      name: 'src-not-to-dev-dependencies',
      comment: 'A devDependency is not there where the package is installed. A peer that is also one is.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'src-not-to-undeclared',
      comment: 'Whatever src imports stands in package.json; that something else happens to install it is no promise.',
      severity: 'error',
      from: { path: '^src/' },
      // An optional peer stands in peerDependenciesMeta, too, which is no list of packages.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'src-stays-in-src',
      comment: 'Only src is built and published.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(?:bench|demo|dist|test)/' },
    },
    {
      name: 'demo-and-bench-are-users',
      comment:
        "They import 'nestjs-resource-server' as any user does, so that they show and measure what is published.",
      severity: 'error',
      from: { path: '^(?:bench|demo)/' },
      to: { path: '^(?:dist|src|test)/', dependencyTypes: ['local'] },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^(?:bench|demo)/dist/' },
    // Type-only imports too: they are directions as well.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
