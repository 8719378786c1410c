/** The version of this package. A test compares it with package.json, which a bundler may leave out. */
export const VERSION = '0.1.0';

const COPIES = Symbol.for('nestjs-resource-server:copies');

/** The versions of the copies of this package that the process loaded. */
const copies = ((globalThis as { [COPIES]?: string[] })[COPIES] ??= []);
copies.push(VERSION);

/**
 * Returns a warning if the process loaded the package several times, as in a monorepo whose projects install different versions. Each
 * copy has its own `AuthGuard` and `JwtStrategy`, which Nest cannot inject for one another.
 */
export function warningOfCopies(): string | undefined {
  if (copies.length < 2) return undefined;
  return `nestjs-resource-server is loaded ${String(copies.length)} times, in the versions ${copies.join(', ')}. Install one version for all projects.`;
}
