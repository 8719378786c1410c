import base from '../../jest.config.mjs';

/** What npm would publish, packed and installed into empty folders: npm run test:package. Asks the npm registry. */
export default {
  ...base,
  rootDir: '../..',
  // `npm run test:builds` runs only builds.spec.ts, also in a checkout whose path contains "builds"; other commands leave it out.
  testRegex: [`test/package/${process.argv.includes('builds') ? 'builds' : '(?!builds)[^/]*'}\\.spec\\.ts$`],
  testPathIgnorePatterns: ['/node_modules/'],
  collectCoverageFrom: [],
  coverageThreshold: {},
};
