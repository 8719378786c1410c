import type { AccessTokenClaims } from '../model/access-token.js';
import { isJsonObject } from '../model/unknown-value.js';
import { type Option, withDefault } from './option-table.js';
import type { ClaimPath } from './options.js';

/** The step of a path that leads to each item of a list. */
export const EACH_ITEM = Symbol('each item');

/** The names that lead to values. */
export type ClaimSteps = readonly (string | typeof EACH_ITEM)[];

/** With `keysOf`, the member names of the object at the path are the values. With `split`, its parts between this separator. */
export type ClaimLocation =
  ClaimSteps | { readonly keysOf: ClaimSteps } | { readonly path: ClaimSteps; readonly split: string };

/** A function returns the values itself. */
export type ResolvedClaimPath = ClaimLocation | ((claims: AccessTokenClaims) => unknown);

const ITEM_RULES = {
  isItem: (path: unknown): path is ClaimPath => parseClaimPath(path) !== undefined,
  fix: () =>
    "Set it to the name or the path of a claim, a list of names, { keysOf: path }, { path, split: ',' }, or a function of the claims.",
};

/** The option with the claims that grant one kind of authority. */
export function claimPaths(...defaults: string[]): Option<readonly ResolvedClaimPath[]> {
  const parseAll = (paths: readonly ClaimPath[]) => Object.freeze(paths.map(parseClaimPath) as ResolvedClaimPath[]);
  return withDefault(parseAll(defaults), (reader, name) =>
    parseAll(reader.items(name, 'claim paths, for example ["realm_access.roles"]', ITEM_RULES)),
  );
}

function parseClaimPath(path: unknown): ResolvedClaimPath | undefined {
  if (typeof path === 'function') return path as ResolvedClaimPath;
  if (!isJsonObject(path)) return parseSteps(path);
  const members = Object.keys(path).sort().join();
  const steps = parseSteps(members === 'keysOf' ? path.keysOf : path.path);
  if (steps === undefined) return undefined;
  if (members === 'keysOf') return Object.freeze({ keysOf: steps });
  const { split } = path;
  return members === 'path,split' && typeof split === 'string' && split !== ''
    ? Object.freeze({ path: steps, split })
    : undefined;
}

function parseSteps(path: unknown): ClaimSteps | undefined {
  const steps: unknown = typeof path === 'string' ? stepsIn(path) : path;
  if (!Array.isArray(steps) || steps.length === 0) return undefined;
  const list = Array.from<unknown>(steps);
  const isStep = (step: unknown) => step === EACH_ITEM || (typeof step === 'string' && step !== '');
  return list.every(isStep) ? Object.freeze(list as (string | typeof EACH_ITEM)[]) : undefined;
}

// A name at the start, `.name`, `["name"]`, `['name']` or `[]`. The dots in the address of a namespaced claim
// (`https://example.com/roles`) do not separate names.
const STEP = /^([^["'\]]*:\/\/[^["'\]]+|[^.["'\]]+)|(?<!^)\.([^.["'\]]+)|\["([^"]+)"\]|\['([^']+)'\]|(?<!^)\[\]/gy;

/** Returns the steps of a path such as `resource_access["my.client"].roles[].name`; none if it is not a path. */
function stepsIn(path: string): readonly unknown[] {
  const steps = [...path.matchAll(STEP)];
  const isWhole = steps.map(([step]) => step).join('') === path;
  return isWhole ? steps.map(([, ...names]) => names.find((name: unknown) => name !== undefined) ?? EACH_ITEM) : [];
}
