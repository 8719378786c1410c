import type { AuthError } from '../errors.js';
import type { Explanation } from '../token/explain.js';
import { HINTS } from '../token/hints.js';

/** What a developer is told of a refusal (`explainRefusals`), with what the options expect and what was sent. */
export function hintOf(error: AuthError, explained: readonly Explanation[]): string {
  const row = explained.find(({ passed, code }) => passed === false && code === error.code);
  if (row === undefined) return withValues(HINTS[error.code], error.detail.expected, undefined);
  return withValues(row.hint ?? HINTS[error.code], row.expected, row.got);
}

function withValues(hint: string, expected: unknown, got: unknown): string {
  const parts = [
    ...(expected === undefined ? [] : [`Expected: ${JSON.stringify(expected)}.`]),
    ...(got === undefined ? [] : [`Got: ${JSON.stringify(got)}.`]),
  ];
  return [hint, ...parts].join(' ');
}
