import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The code of one page. */
export interface Page {
  /** The path below docs without its extension: `guides/graphql`. The README is `README`. */
  readonly name: string;
  readonly blocks: readonly CodeBlock[];
  /** The complete files of the page, and their tests: of the page itself and of `test/docs/pages/NAME`. */
  readonly files: readonly SourceFile[];
}

export interface CodeBlock {
  /**
   * The path in the reader's application, if the first line has it: `// src/app.module.ts`. Such a block is a complete file. A script
   * (`// issuer.mjs`) is compiled, but not run.
   */
  readonly path: string | undefined;
  readonly code: string;
}

export interface SourceFile {
  readonly path: string;
  readonly code: string;
}

/** Pages that start with one of these are checked: `DOCS_PAGES=guides/,security npm run docs:check`. Default: all. */
const SELECTED = process.env.DOCS_PAGES?.split(',') ?? [''];

/** Returns the README and the pages of docs, without the API reference and the site's copies of files in the root. */
export function readPages(): readonly Page[] {
  const docs = filesBelow('docs').filter((path) => /^(?!\.vitepress|project|reference\/api).*\.md$/.test(path));
  const pages = [
    ['README', 'README.md'] as const,
    ...docs.map((path) => [path.slice(0, -3), join('docs', path)] as const),
  ];
  return pages
    .filter(([name]) => SELECTED.some((start) => name.startsWith(start)))
    .map(([name, path]) => {
      const blocks = codeBlocks(readFileSync(path, 'utf8'));
      const complete = blocks.flatMap(({ path = '', code }) => (path.endsWith('.ts') ? [{ path, code }] : []));
      return { name, blocks, files: [...complete, ...readTests(name)] };
    });
}

/** Reads the `ts` blocks, and the `js` blocks that are scripts. A `typescript` block is not read. */
function codeBlocks(text: string): readonly CodeBlock[] {
  return [...text.matchAll(/^```(ts|js)\b.*\n([\s\S]*?)^```/gm)]
    .map(([, language, code = '']) => ({ language, path: /^\/\/ (\S+\.(?:ts|mjs))\n/.exec(code)?.[1], code }))
    .filter(({ language, path }) => language === 'ts' || path !== undefined);
}

function readTests(page: string): readonly SourceFile[] {
  const folder = join('test/docs/pages', page);
  const tests = existsSync(folder) ? filesBelow(folder).filter((path) => path.endsWith('.ts')) : [];
  return tests.map((path) => ({ path, code: readFileSync(join(folder, path), 'utf8') }));
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries.map((path) => path.replaceAll('\\', '/')).sort();
}

/** Returns the `ts` blocks in the doc comments of a file, without the asterisks. */
export function codeInComments(path: string): readonly string[] {
  const comments = readFileSync(path, 'utf8').match(/\/\*\*[\s\S]*?\*\//g) ?? [];
  return comments.flatMap((comment) => codeBlocks(comment.replace(/^ *\* ?/gm, '')).map(({ code }) => code));
}

/** The names that the examples in doc comments use without an import, to keep them short. */
const NAMES: Readonly<Record<string, string>> = {
  Socket: `import type { Socket } from 'socket.io';`,
  ...importsFrom('nestjs-resource-server', [
    'AuthenticatedGateway',
    'AuthMiddleware',
    'authHook',
    'SocketAuthenticator',
  ]),
  ...importsFrom('nestjs-resource-server/presets', ['auth0', 'google', 'requiredEnv']),
  ...importsFrom('nestjs-resource-server/testing', ['AuthTestingModule', 'mockAuth', 'TestIssuer', 'withTestIssuer']),
  ...importsFrom('@nestjs/swagger', ['SwaggerModule', 'OpenAPIObject']),
  ...importsFrom('@nestjs/testing', ['Test']),
  ...importsFrom('@nestjs/websockets', ['WebSocketGateway']),
  ...importsFrom('node:http', ['IncomingMessage']),
  app: `declare const app: import('@nestjs/platform-fastify').NestFastifyApplication;`,
  document: `declare const document: import('@nestjs/swagger').OpenAPIObject;`,
  // An augmentation needs the module that it augments.
  Register: `import 'nestjs-resource-server';`,
  MyUser: 'interface MyUser { readonly id: string }',
  ...Object.fromEntries(
    ['AppModule', 'Orders', 'OrdersController', 'OrdersModule'].map((name) => [name, `declare class ${name} {}`]),
  ),
};

function importsFrom(module: string, names: readonly string[]) {
  return Object.fromEntries(names.map((name) => [name, `import { ${name} } from '${module}';`]));
}

/** Returns the examples in the doc comments of the source as complete files, by a path. */
export function readExamples(): ReadonlyMap<string, string> {
  const paths = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const examples = paths.flatMap((path) =>
    codeInComments(join('src', path)).map((code, index) => [`${path.slice(0, -3)}.${String(index)}.ts`, code] as const),
  );
  return new Map(examples.map(([path, code]) => [path, completed(code)]));
}

function completed(code: string): string {
  const used = Object.entries(NAMES).filter(([name]) => new RegExp(`\\b${name}\\b`).test(code));
  // An example may be a method of a gateway.
  const isMethod = code.startsWith('async ');
  const body = isMethod
    ? `class Example {\n  declare connections: SocketAuthenticator;\n${code}}\n`
    : code.replace('…', '');
  const more = isMethod ? [NAMES.SocketAuthenticator] : [];
  return [...used.map(([, line]) => line), ...more, body, 'export {};'].join('\n');
}
