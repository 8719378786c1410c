/** @type {import('jest').Config} */
export default {
  testEnvironment: '<rootDir>/test/environment.mjs',
  testRegex: ['test/.*\\.spec\\.ts$'],
  // Commands of their own: `npm run test:package`, which needs the npm registry, and `npm run docs:check`.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/.stryker-tmp/', '/test/package/', '/test/docs/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    // The demo imports the package by its name, as any user does.
    '^nestjs-resource-server$': '<rootDir>/src/index.ts',
    '^nestjs-resource-server/(.*)$': '<rootDir>/src/$1.ts',
  },
  transform: {
    '^.+\\.(ts|js)$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        // no module.type here: @swc/jest picks es6 or commonjs per load
      },
    ],
  },
  // The cookie of Fastify's inject and the content-disposition of its static files are ES modules, which CommonJS requires.
  transformIgnorePatterns: [
    '/node_modules/(?!cookie/|content-disposition/|(?:light-my-request|@fastify/static)/node_modules/)',
  ],
  collectCoverageFrom: [
    'src/**/*.ts',
    '!src/index.ts',
    '!src/testing.ts',
    '!src/presets.ts',
    '!src/swagger.ts',
    '!src/mcp.ts',
    '!src/cli.ts',
  ],
  // Not v8: it counts files that hold only types as not covered.
  coverageProvider: 'babel',
  coverageThreshold: { global: { lines: 95, branches: 90 } },
  // No workerIdleMemoryLimit: a worker that Jest starts anew for it now and then gets no more work, and the run never ends.
  maxWorkers: 2,
};
