import { createRequire } from 'node:module';

const COPIES = Symbol.for('nestjs-resource-server:copies');

/** The copies of this package that the process loaded: their versions, by the address of their code. */
const copies = ((globalThis as { [COPIES]?: Map<string, string> })[COPIES] ??= new Map<string, string>());
const { version } = createRequire(import.meta.url)('../../package.json') as { readonly version: string };
copies.set(import.meta.url, version);

/**
 * Returns a warning if the process loaded the package several times, as in a monorepo whose projects install different versions. Each
 * copy has its own `AuthGuard` and `JwtStrategy`, which Nest cannot inject for one another.
 */
export function warningOfCopies(): string | undefined {
  if (copies.size < 2) return undefined;
  const found = Array.from(copies, ([url, of]) => `${of} (${url})`);
  return `nestjs-resource-server is loaded ${String(copies.size)} times: ${found.join(', ')}. Install one version for all projects.`;
}
