import type { ProviderSetup } from './provider-setup.js';

const INTRODUCTION = [
  '# Copy this file to .env and load it with one of these commands:',
  '# nest start --env-file .env, or node --env-file=.env dist/main.js',
];

/** Variables that are present stay as they are. Examples are in angle brackets, with which the application does not start. */
export function envExample(present: string, setup: ProviderSetup): string {
  const newline = present.includes('\r\n') ? '\r\n' : '\n';
  const missing = setup.variables.filter(
    ({ name }) => !new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, 'm').test(present),
  );
  if (missing.length === 0) return present;
  const lines = [
    ...(present.trim() === '' ? [] : [present.trimEnd(), '']),
    `# nestjs-resource-server: tokens of ${setup.label}`,
    ...(present.includes('--env-file') ? [] : INTRODUCTION),
    ...missing.flatMap(({ name, value, isExample, comment }) => {
      // Without quotes, a hash starts a comment and a space ends the value.
      const text = /[\s#]/.test(value) ? `"${value}"` : value;
      return [...(comment === undefined ? [] : [`# ${comment}`]), `${name}=${isExample ? `<${value}>` : text}`];
    }),
    '',
  ];
  return lines.join(newline);
}
