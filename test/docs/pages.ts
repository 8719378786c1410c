import { readdirSync, readFileSync } from 'node:fs';

/** The code blocks of one page. */
export interface Page {
  /** The file without folder and extension: `testing`, `README`. */
  readonly name: string;
  readonly blocks: readonly CodeBlock[];
}

export interface CodeBlock {
  /** The path in the reader's application, if the first line has it: `// src/app.module.ts`. Such a block is a complete file. */
  readonly path: string | undefined;
  readonly code: string;
}

/** Reads the `ts` blocks of the README and of docs. A `typescript` block is not read. */
export function readPages(): readonly Page[] {
  const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].map((path) => ({
    name: path.replace(/^docs\/|\.md$/g, ''),
    blocks: [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => ({
      path: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
      code,
    })),
  }));
}
