const UNITS = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
  ['seconds', 1],
] as const;

/** `90 seconds`, `3 hours`: as exact as a developer wants to know it. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [name, size] = UNITS.find(([, unit]) => whole >= unit * 2) ?? (['seconds', 1] as const);
  const count = Math.floor(whole / size);
  return `${String(count)} ${count === 1 ? name.slice(0, -1) : name}`;
}
