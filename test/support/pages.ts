import { readdirSync, readFileSync } from 'node:fs';

/** The code of README and docs. */
export interface Page {
  /** `testing`. */
  readonly name: string;
  readonly files: readonly PageFile[];
}

export interface PageFile {
  /** Where it stands in an application, if its first line says so: `// src/app.module.ts`. */
  readonly path: string | undefined;
  readonly code: string;
}

export function pages(): readonly Page[] {
  const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].map((path) => ({
    name: path.replace(/^docs\/|\.md$/g, ''),
    files: [...readFileSync(path, 'utf8').matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => ({
      path: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1],
      code,
    })),
  }));
}
