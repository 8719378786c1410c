/** Returns the known name with the fewest edits. A shortened name (`maxTokenAge`) matches too. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3) return undefined;
  const wrong = name.toLowerCase();
  const edits = known.map((candidate) => {
    const right = candidate.toLowerCase();
    return Math.min(editDistance(wrong, right), editDistance(wrong, right.slice(0, wrong.length)));
  });
  const least = Math.min(...edits);
  return least <= Math.floor(wrong.length / 3) ? known[edits.indexOf(least)] : undefined;
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
