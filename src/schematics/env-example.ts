import type { ProviderSetup } from './providers.js';

/** The text of an `.env.example` with the variables of a provider; those that it has stay as they are. */
export function withVariables(present: string | undefined, setup: ProviderSetup, label: string): string {
  const text = present ?? '';
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const missing = setup.variables.filter(({ name }) => !new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, 'm').test(text));
  if (missing.length === 0) return text;
  const lines = missing.flatMap(({ name, value, comment }) => [
    ...(comment === undefined ? [] : [`# ${comment}`]),
    // A hash begins a comment, and a space ends the value, where it is not quoted.
    `${name}=${/[\s#]/.test(value) ? `"${value}"` : value}`,
  ]);
  const separator = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
  return text + separator + [`# nestjs-resource-server: tokens of ${label}`, ...lines, ''].join(newline);
}
