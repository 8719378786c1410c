import { describeValue } from '../model/unknown-value.js';

// JavaScript writes an unset variable as `undefined`: `https://${process.env.HOST}/realms/shop`.
const UNSET_PART = /(?:^|[./:@\s])(?:undefined|null|NaN)(?:$|[./:\s])/;
// A shell replaces it with nothing: `https:///realms/shop`, `https://.example.com`, `api://`.
const EMPTY_PART = /^https?:$|^[a-z][\w+.-]*:\/+$|^https?:\/\/(?:[/.]|:\d*(?:\/|$))/i;
// `docker run --env-file` keeps the quotation marks of the file.
const QUOTED = /^\s*(["']).*\1\s*$/s;

/**
 * Describes the problem of a text from a variable that is not set or was read incorrectly, or of a placeholder such as
 * `<your audience>`: it would match no token. Returns undefined if there is no problem.
 */
export function problemOfUnsetValue(value: string): string | undefined {
  const fixes: readonly (readonly [isProblem: boolean, fix: string])[] = [
    [value.startsWith('<'), 'Replace this placeholder with the value.'],
    [QUOTED.test(value), 'Remove the quotation marks (`docker run --env-file` keeps them).'],
    [value.trim() === '' || UNSET_PART.test(value) || EMPTY_PART.test(value), 'Set the variable that it comes from.'],
  ];
  const fix = fixes.find(([isProblem]) => isProblem)?.[1];
  return fix && `is ${describeValue(value)}. ${fix}`;
}
