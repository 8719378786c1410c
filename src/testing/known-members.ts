/**
 * What is misspelt would be without effect, and a test would pass or fail for no reason that can be seen.
 * @throws Error that names those that there are.
 */
export function checkMembers(what: string, given: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name))
      throw new Error(`${what} has no member ${JSON.stringify(name)}; there are ${Object.keys(known).join(', ')}`);
  }
}
