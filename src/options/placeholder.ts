/** What is wrong with a text that stands where a value is to be put: it would match no token. */
export function problemOfPlaceholder(value: string): string | undefined {
  return value.startsWith('<') ? `is ${JSON.stringify(value)}, which stands for what is to be put there` : undefined;
}
