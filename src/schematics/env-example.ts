import type { ProviderSetup } from './providers.js';

const START = [
  '# Copy this file to .env. Nothing reads that by itself; these do:',
  '# nest start --env-file .env, or node --env-file=.env dist/main.js',
];

/**
 * The text of an `.env.example` with the variables of a provider; those that it has stay as they are. What is an example stands in
 * angle brackets, so that an application that still has it says so when it starts.
 */
export function withVariables(present: string | undefined, setup: ProviderSetup): string {
  const text = present ?? '';
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const missing = setup.variables.filter(({ name }) => !new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, 'm').test(text));
  if (missing.length === 0) return text;
  const lines = missing.flatMap(({ name, value, isExample, comment }) => [
    ...(comment === undefined ? [] : [`# ${comment}`]),
    `${name}=${isExample ? `<${value}>` : quoted(value)}`,
  ]);
  const start = text.includes('--env-file') ? [] : START;
  const separator = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
  return (
    text + separator + [`# nestjs-resource-server: tokens of ${setup.label}`, ...start, ...lines, ''].join(newline)
  );
}

/** A hash begins a comment, and a space ends the value, where it is not quoted. */
function quoted(value: string): string {
  return /[\s#]/.test(value) ? `"${value}"` : value;
}
