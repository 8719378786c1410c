import base from '../../jest.config.mjs';

/** The documentation: its tables agree with the source, and its code compiles and runs. `npm run docs:check` */
export default {
  ...base,
  rootDir: '../..',
  testRegex: ['test/docs/[^/]+\\.spec\\.ts$'],
  testPathIgnorePatterns: ['/node_modules/'],
};
