import { literal } from '../printable.js';

/** What can stand in a configuration to paste. */
export type Writable = string | number | boolean | readonly string[] | { readonly [name: string]: Writable };

const LONGEST_LINE = 80;

/** As TypeScript. */
export function written(value: Writable): string {
  if (typeof value === 'string') return literal(value);
  if (typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(literal).join(', ')}]`;
  return writtenObject(writtenMembers(value));
}

export function writtenMembers(members: Readonly<Record<string, Writable>>): readonly string[] {
  return Object.entries(members).map(([name, value]) => `${name}: ${written(value)}`);
}

/** @param parts members as TypeScript, or what is spread. */
export function writtenObject(parts: readonly string[]): string {
  const line = `{ ${parts.join(', ')} }`;
  if (line.length <= LONGEST_LINE && !line.includes('\n')) return line;
  return `{\n${parts.map((part) => `${part},`.replace(/^/gm, '  ')).join('\n')}\n}`;
}

function isList(value: object): value is readonly string[] {
  return Array.isArray(value);
}
