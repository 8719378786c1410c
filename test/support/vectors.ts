import { readFileSync } from 'node:fs';

/** Reads a file of test/vectors. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'));
}
