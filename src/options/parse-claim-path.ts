const QUOTED = String.raw`\[(?:"(?<double>[^"]+)"|'(?<single>[^']+)')\]`;
// The dots in the address of a namespaced claim (`https://example.com/roles`) do not separate names.
const FIRST_NAME = String.raw`(?<name>[^["'\]]*://[^["'\]]+|[^.["'\]]+)`;
const PATH_START = new RegExp(`^(?:${FIRST_NAME}|${QUOTED})`);
const PATH_STEP = new RegExp(String.raw`^(?:\.(?<name>[^.["'\]]+)|${QUOTED})`);

/** Returns the names in a path such as `resource_access["my.client"].roles`; no names if it is not a path. */
export function parseClaimPath(path: unknown): readonly string[] {
  if (!Array.isArray(path)) return Object.freeze(typeof path === 'string' ? namesIn(path) : []);
  const names: unknown[] = Array.from(path);
  return Object.freeze(names.every((name) => typeof name === 'string' && name !== '') ? (names as string[]) : []);
}

function namesIn(path: string): string[] {
  const names: string[] = [];
  for (let rest = path; rest !== '';) {
    const step = (names.length === 0 ? PATH_START : PATH_STEP).exec(rest);
    const name = step?.groups?.name ?? step?.groups?.double ?? step?.groups?.single;
    if (step === null || name === undefined) return [];
    names.push(name);
    rest = rest.slice(step[0].length);
  }
  return names;
}
