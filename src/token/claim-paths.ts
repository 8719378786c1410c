/**
 * What the claims at these paths grant, without duplicates. A list counts with its strings; anything that is neither a
 * string nor a list grants nothing.
 *
 * @param split how a string is taken: as it is, or (scopes, RFC 6749 §3.3) as values between spaces.
 */
export function grantsAt(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly (readonly string[])[],
  split: 'whole' | 'at-spaces',
): readonly string[] {
  const grants = new Set<string>();
  for (const path of paths) {
    const value = valueAt(claims, path);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const item of values) {
      if (typeof item !== 'string') continue;
      for (const grant of split === 'at-spaces' ? item.split(' ') : [item]) if (grant !== '') grants.add(grant);
    }
  }
  return Object.freeze([...grants]);
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
