import { createRequire } from 'node:module';

const COPIES = Symbol.for('nestjs-resource-server:copies');

/** The copies of this package that the process loaded: their versions, by the address of their code. */
const copies = ((globalThis as { [COPIES]?: Map<string, string> })[COPIES] ??= new Map<string, string>());
copies.set(import.meta.url, ownVersion());

/**
 * Returns a warning if the process loaded the package several times, as in a monorepo whose projects install different versions. Each
 * copy has its own `AuthGuard` and `JwtStrategy`, which Nest cannot inject for one another.
 */
export function warningOfCopies(): string | undefined {
  if (copies.size < 2) return undefined;
  const found = Array.from(copies, ([url, version]) => `${version} (${url})`);
  return `nestjs-resource-server is loaded ${String(copies.size)} times: ${found.join(', ')}. Install one version for all projects.`;
}

function ownVersion(): string {
  try {
    const require = createRequire(import.meta.url);
    const { name, version } = require('../../package.json') as { readonly name: string; readonly version: string };
    return name === 'nestjs-resource-server' ? version : 'bundled';
  } catch {
    // A bundler left no package.json beside the code.
    return 'bundled';
  }
}
