import { durationText } from '../../token/duration-text.js';

/** `3 minutes ago (2026-01-31T12:00:00Z)`, `in 2 days (…)`. */
export function timeAndDistance(seconds: number, nowSeconds: number): string {
  const distance = durationText(Math.abs(seconds - nowSeconds));
  const date = new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${seconds <= nowSeconds ? `${distance} ago` : `in ${distance}`} (${date})`;
}
