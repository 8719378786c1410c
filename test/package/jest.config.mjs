import base from '../../jest.config.mjs';

/** What npm would publish, packed and installed into empty folders: npm run test:package. Asks the npm registry. */
export default {
  ...base,
  rootDir: '../..',
  testRegex: ['test/package/.*\\.spec\\.ts$'],
  // `npm run test:builds` selects it.
  testPathIgnorePatterns: ['/node_modules/', ...(process.argv.includes('builds') ? [] : ['/builds\\.spec'])],
  collectCoverageFrom: [],
  coverageThreshold: {},
};
