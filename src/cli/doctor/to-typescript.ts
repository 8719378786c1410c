import { literal } from '../printable.js';

export type Writable = string | number | boolean | readonly string[] | { readonly [name: string]: Writable };

const MAX_LINE_LENGTH = 80;

/** Writes a value as a TypeScript expression. */
export function toTypeScript(value: Writable): string {
  if (typeof value === 'string') return literal(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(literal).join(', ')}]`;
  return objectLiteral(properties(value));
}

export function properties(value: Readonly<Record<string, Writable>>): readonly string[] {
  return Object.entries(value).map(([name, property]) => `${name}: ${toTypeScript(property)}`);
}

/** @param parts properties, and spread expressions such as `...auth0({ … })`. */
export function objectLiteral(parts: readonly string[]): string {
  const line = `{ ${parts.join(', ')} }`;
  if (line.length <= MAX_LINE_LENGTH && !line.includes('\n')) return line;
  return `{\n${parts.map((part) => `${part},`.replace(/^/gm, '  ')).join('\n')}\n}`;
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}
