import type { ConfigurationProblem } from '../model/errors.js';

/**
 * Returns a problem for each property that is not known, with the nearest known name. A misspelled option would otherwise
 * have no effect: a check that the developer relies on would not be made.
 */
export function unknownProperties(value: object, known: readonly string[]): readonly ConfigurationProblem[] {
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  return unknown.map((path) => {
    const near = nearestName(path, known);
    const fix = near === undefined ? `Use one of ${known.join(', ')}.` : `Did you mean \`${near}\`?`;
    return { path, message: `is unknown. ${fix}` };
  });
}

/** Returns the known name with the fewest edits. A shortened name (`maxTokenAge`) matches too. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3) return undefined;
  const wrong = name.toLowerCase();
  const rows = known.map((candidate) => {
    const right = candidate.toLowerCase();
    const edits = editDistance(wrong, right);
    return { candidate, edits, least: Math.min(edits, editDistance(wrong, right.slice(0, wrong.length))) };
  });
  const [nearest] = rows.sort((a, b) => a.least - b.least || a.edits - b.edits);
  return nearest !== undefined && nearest.least <= Math.floor(wrong.length / 3) ? nearest.candidate : undefined;
}

/** The Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  Array.from(from).forEach((character, line) => {
    const next = [line + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  });
  return row[to.length] ?? 0;
}
