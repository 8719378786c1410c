/** An object as JSON has them: no list, no null. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MAX_LENGTH = 100;
const SECRET = /PRIVATE KEY|^eyJ/;

/**
 * Describes a value in a message for developers. Objects and lists are only named, because they may hold private keys.
 * Keys, tokens, and the credentials and the query of an address are hidden.
 */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return describeText(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isJsonObject(value)) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}

function describeText(text: string): string {
  if (SECRET.test(text)) return 'a key or a token';
  const safe = text.replace(/\/\/\S*@/, '//***@').replace(/^(\w+:\/\/[^?]*\?).+/s, '$1***');
  return JSON.stringify(safe.length > MAX_LENGTH ? `${safe.slice(0, MAX_LENGTH)}…` : safe);
}
