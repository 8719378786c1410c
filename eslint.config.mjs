import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What scripts use of Node's globals. */
const NODE_GLOBALS = ['Buffer', 'URL', 'clearTimeout', 'console', 'fetch', 'performance', 'process', 'setTimeout'];

export default defineConfig(
  {
    ignores: [
      '**/dist/',
      'coverage/',
      'docs/reference/api/',
      'docs/.vitepress/{cache,dist}/',
      'test/docs/pages/',
      '.docs-check-*/',
      '.stryker-tmp/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        // The type tests are programs of their own: one of them registers a user type, for its whole program.
        project: ['tsconfig.eslint.json', 'test/types/plain/tsconfig.json', 'test/types/registered/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // A Nest module is often an empty class under its decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // A parameter may be there for its place or its type only; a rest takes what is named beside it away.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**'],
    rules: {
      // A library writes through Nest's logger, and takes its settings from its options only.
      'no-console': 'error',
      'no-restricted-imports': ['error', { name: 'node:process', importNames: ['env'] }],
      'no-restricted-properties': ['error', { object: 'process', property: 'env' }],
      // `fetchJson` is the one door to the network: it has a deadline and a size limit, and is handed its `fetch`.
      'no-restricted-globals': ['error', 'fetch'],
      // `<unknown>` is the default of our generics only until an application registers its user type.
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
    },
  },
  {
    files: ['demo/**/*.ts', 'test/**/*.ts'],
    rules: {
      // Nest declares what `create()` and `createNestApplication()` take as classes, and means object literals.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // `expect(() => check(value)).toThrow()` needs no braces.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['test/types/**/*.ts'],
    rules: {
      // These methods stand there for the types of their parameters; nobody calls them.
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { module: 'writable', require: 'readonly' } },
  },
  prettier,
);
