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
    ...(expected === undefined ? [] : [`Expected: ${textOf(expected)}.`]),
    ...(got === undefined ? [] : [`Got: ${textOf(got)}.`]),
  ];
  return [hint, ...parts].join(' ');
}

const MAX_LENGTH = 256;

function textOf(value: unknown): string {
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) return typeof value;
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  } catch {
    // The application's own detail, which has a circle in it, say. That must not decide what is answered.
    return typeof value;
  }
}
