import { isJsonObject } from '../model/unknown-value.js';
import type { ResolvedClaimPath } from '../options/claim-paths.js';
import type { ResolvedClaimPaths } from '../options/resolve-issuer.js';

/** Scopes, roles and permissions of a token. Read from the claims on first use, because most handlers use at most one of them. */
export class Authorities implements Record<keyof ResolvedClaimPaths, readonly string[] | undefined> {
  // Own members from the start: a polluted prototype must not grant authorities.
  scopes: readonly string[] | undefined = undefined;
  roles: readonly string[] | undefined = undefined;
  permissions: readonly string[] | undefined = undefined;

  constructor(readonly claimPaths: ResolvedClaimPaths) {}
}

type Claims = Readonly<Record<string, unknown>>;

export function authoritiesOf(claims: Claims, kind: keyof ResolvedClaimPaths, known: Authorities): readonly string[] {
  const split = kind === 'scopes' ? 'at-spaces' : 'whole';
  return (known[kind] ??= authoritiesAt(claims, known.claimPaths[kind], split));
}

const NONE: readonly string[] = Object.freeze([]);

/**
 * Returns the authorities at these paths. Items of a list that are not strings are ignored; any other value grants nothing.
 * @param split whether a string is one authority, or a list separated by spaces (scopes, RFC 6749 §3.3).
 */
export function authoritiesAt(
  claims: Claims,
  paths: readonly ResolvedClaimPath[],
  split: 'whole' | 'at-spaces',
): readonly string[] {
  let authorities: string[] | undefined;
  for (const path of paths) {
    const value = 'keysOf' in path ? keysOf(valueAt(claims, path.keysOf)) : valueAt(claims, path);
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item !== 'string') continue;
      (authorities ??= []).push(...(split === 'at-spaces' ? item.split(' ') : [item]));
    }
  }
  return authorities === undefined ? NONE : Object.freeze([...new Set(authorities)].filter((name) => name !== ''));
}

function keysOf(value: unknown): readonly string[] | undefined {
  if (!isJsonObject(value)) return undefined;
  // `false` and `null` state that the authority is not granted.
  return Object.keys(value).filter((name) => value[name] !== false && value[name] !== null);
}

function valueAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    // Own members only: a path must not reach Object.prototype or the length of a string.
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
