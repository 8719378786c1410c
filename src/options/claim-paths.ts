import { isJsonObject } from '../model/unknown-value.js';
import { type Option, withDefault } from './option-table.js';
import type { ClaimPath } from './options.js';

/** The names that lead to a value. With `keysOf`, to an object whose member names are the values. */
export type ResolvedClaimPath = readonly string[] | { readonly keysOf: readonly string[] };

const ITEM_RULES = {
  isItem: (path: unknown): path is ClaimPath => parseClaimPath(path) !== undefined,
  fix: () => 'Set it to the name or the path of a claim, a list of names, or { keysOf: path }.',
};

/** The option with the claims that grant one kind of authority. */
export function claimPaths(...defaults: string[]): Option<readonly ResolvedClaimPath[]> {
  const parseAll = (paths: readonly ClaimPath[]) => Object.freeze(paths.map(parseClaimPath) as ResolvedClaimPath[]);
  return withDefault(parseAll(defaults), (reader, name) =>
    parseAll(reader.items(name, 'claim paths, for example ["realm_access.roles"]', ITEM_RULES)),
  );
}

function parseClaimPath(path: unknown): ResolvedClaimPath | undefined {
  if (!isJsonObject(path) || Object.keys(path).join() !== 'keysOf') return parseNames(path);
  const keysOf = parseNames(path.keysOf);
  return keysOf && Object.freeze({ keysOf });
}

function parseNames(path: unknown): readonly string[] | undefined {
  const names: unknown = typeof path === 'string' ? namesIn(path) : path;
  if (!Array.isArray(names) || names.length === 0) return undefined;
  const list = Array.from<unknown>(names);
  return list.every((name) => typeof name === 'string' && name !== '') ? Object.freeze(list as string[]) : undefined;
}

// A name at the start, `.name`, `["name"]` or `['name']`. The dots in the address of a namespaced claim
// (`https://example.com/roles`) do not separate names.
const STEP = /^([^["'\]]*:\/\/[^["'\]]+|[^.["'\]]+)|(?<!^)\.([^.["'\]]+)|\["([^"]+)"\]|\['([^']+)'\]/gy;

/** Returns the names in a path such as `resource_access["my.client"].roles`; no names if it is not a path. */
function namesIn(path: string): readonly unknown[] {
  const steps = [...path.matchAll(STEP)];
  const isWhole = steps.map(([step]) => step).join('') === path;
  return isWhole ? steps.map(([, ...names]) => names.find((name: unknown) => name !== undefined)) : [];
}
