// Compares contenders in alternating rounds, so that a change of the machine's speed affects all of them. A ratio is the
// median of the ratios within the rounds.

/**
 * @param runs maps the name of each contender to a function that runs once and resolves to its figure.
 * @param before prepares a round, for example creates new tokens. It is not timed.
 * @returns the figures of all rounds for each name.
 */
export async function inRounds(rounds, runs, before) {
  const names = Object.keys(runs);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    await before?.();
    // Changes the order in each round, so that no contender always runs first or always after the same one.
    const shifted = names.map((_, index) => names[(index + round) % names.length]);
    const order = round % 2 === 0 ? shifted : shifted.reverse();
    for (const name of order) figures[name].push(await runs[name]());
  }
  return figures;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Returns the median of the ratios to the figure of `base` in the same round. */
export function ratioTo(base, figures) {
  return median(figures.map((figure, round) => figure / base[round]));
}

/** Returns the microseconds per item. */
export async function microsecondsEach(items, run) {
  const start = process.hrtime.bigint();
  for (const item of items) await run(item);
  return Number(process.hrtime.bigint() - start) / 1000 / items.length;
}
