import { isJsonObject } from '../model/json-object.js';
import type { ResolvedClaimPath } from '../options/resolve-issuer.js';

const NONE: readonly string[] = Object.freeze([]);

/**
 * What the claims at these paths grant, without duplicates. A list counts with its strings; anything that is neither a
 * string nor a list grants nothing.
 *
 * @param split how a string is taken: as it is, or (scopes, RFC 6749 §3.3) as values between spaces.
 */
export function authoritiesAt(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly ResolvedClaimPath[],
  split: 'whole' | 'at-spaces',
): readonly string[] {
  let grants: string[] | undefined;
  for (const path of paths) {
    const value = 'keysOf' in path ? keysOf(valueAt(claims, path.keysOf)) : valueAt(claims, path);
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item !== 'string') continue;
      (grants ??= []).push(...(split === 'at-spaces' ? item.split(' ') : [item]));
    }
  }
  return grants === undefined ? NONE : Object.freeze([...new Set(grants)].filter((grant) => grant !== ''));
}

function keysOf(value: unknown): readonly string[] | undefined {
  if (!isJsonObject(value)) return undefined;
  // A role that is there, and not granted.
  return Object.keys(value).filter((name) => value[name] !== false && value[name] !== null);
}

function valueAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    // Own members only: a path must not wander into Object.prototype or the length of a string.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
