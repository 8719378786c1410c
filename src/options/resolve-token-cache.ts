import type { OptionReader } from './option-reader.js';

export interface ResolvedTokenCache {
  readonly maxEntries: number;
  readonly maxAgeSeconds: number;
}

/** @returns undefined where it is switched off. */
export function readTokenCache(reader: OptionReader): ResolvedTokenCache | undefined {
  if (reader.record.tokenCache === false) return undefined;
  const cache = reader.optionalChild('tokenCache');
  cache.allowOnly(['maxEntries', 'maxAgeSeconds']);
  return Object.freeze({
    maxEntries: cache.integer('maxEntries', { min: 1, max: 10_000_000, fallback: 10_000 }),
    maxAgeSeconds: cache.number('maxAgeSeconds', { min: 1, max: 86_400, fallback: 300 }),
  });
}
