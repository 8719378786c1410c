const UNITS = [
  ['day', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** `3 min ago (2026-01-31T12:00:00Z)`, `in 2 days (…)`. */
export function timeAndDistance(seconds: number, nowSeconds: number): string {
  const distance = lengthOf(Math.abs(seconds - nowSeconds));
  const date = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${seconds <= nowSeconds ? `${distance} ago` : `in ${distance}`} (${date})`;
}

function lengthOf(seconds: number): string {
  const whole = Math.round(seconds);
  const [name, size] = UNITS.find(([, unit]) => whole >= unit * 2) ?? (['s', 1] as const);
  const count = Math.floor(whole / size);
  return `${String(count)} ${name === 'day' ? 'days' : name}`;
}
