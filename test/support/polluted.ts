/**
 * Runs with these members in `Object.prototype`, enumerable as a dependency leaves them that merges the JSON of a client. Compare
 * results after it: the matchers of Jest read such members as well.
 */
export async function polluted<Result>(
  members: Readonly<Record<string, unknown>>,
  run: () => Result | Promise<Result>,
): Promise<Result> {
  const names = Object.keys(members);
  for (const name of names)
    Object.defineProperty(Object.prototype, name, {
      value: members[name],
      enumerable: true,
      writable: true,
      configurable: true,
    });
  try {
    return await run();
  } finally {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  }
}
