// Enough for the name of an issuer or a key, and less than a token.
const MAX_STRING_LENGTH = 128;

/**
 * Formats facts as JSON on one line, for the log and for hints. Strings are shortened and line breaks are escaped, because `kid` and
 * `issuer` come from a token that is not verified.
 *
 * @param maxLength of the whole text.
 */
export function factsText(facts: unknown, maxLength = Infinity): string {
  try {
    const text = JSON.stringify(facts, (_name, value: unknown) => {
      if (typeof value === 'bigint') return String(value);
      return typeof value === 'string' ? shortened(value, MAX_STRING_LENGTH) : value;
    }) as string | undefined;
    return text === undefined ? typeof facts : shortened(text, maxLength);
  } catch {
    // The application's own detail may be circular. That must not change the response.
    return '(not serializable)';
  }
}

function shortened(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
}
