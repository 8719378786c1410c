// JavaScript writes an unset variable as `undefined`: `https://${process.env.HOST}/realms/shop`.
const UNSET_PART = /(?:^|[./:@\s])(?:undefined|null|NaN)(?:$|[./:\s])/;
// A shell replaces it with nothing: `https:///realms/shop`, `https://.example.com`, `api://`.
const EMPTY_PART = /^https?:$|^[a-z][\w+.-]*:\/+$|^https?:\/\/(?:[/.]|:\d*(?:\/|$))/i;
// `docker run --env-file` keeps the quotation marks of the file.
const QUOTED = /^\s*(["']).*\1\s*$/s;

/**
 * Returns what to write instead of a text from a variable that is not set or was read incorrectly, or of a placeholder such as
 * `<your audience>`: it would match no token. Returns undefined for another text.
 */
export function fixOfUnsetValue(value: string): string | undefined {
  if (value.startsWith('<')) return 'Replace this placeholder with the value.';
  if (QUOTED.test(value)) return 'Remove the quotation marks (`docker run --env-file` keeps them).';
  const isUnset = value.trim() === '' || UNSET_PART.test(value) || EMPTY_PART.test(value);
  return isUnset ? 'Set the variable that it comes from.' : undefined;
}

/** Whether the text can be compared with values of tokens. */
export function isUsableText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value === value.trim() && fixOfUnsetValue(value) === undefined;
}

/** Returns what to write instead of a value that is not a usable text. */
export function fixOfText(value: unknown, fix = 'Set it to a non-empty string.'): string {
  if (typeof value !== 'string' || value.trim() === '') return fix;
  return fixOfUnsetValue(value) ?? 'Remove the white space at its beginning and end.';
}
