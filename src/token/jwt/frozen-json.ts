import { AuthError } from '../../model/errors.js';

// Deeper than any real token, and far less than what overflows the stack.
const MAX_DEPTH = 64;

/**
 * Parses a part of a token and freezes it deeply, so that application code cannot change what was verified, for this request or
 * for another that uses the cached token. Members named `__proto__`, `constructor` or `prototype` are removed at
 * any depth, because copying them would change the prototype of an object.
 *
 * If a member occurs twice, the last one counts, as RFC 7519 §4 allows. The signature covers the bytes, so that there is only
 * one reading of them.
 */
export function parseFrozenJson(text: string, part: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new AuthError('TOKEN_MALFORMED', { reason: `${part} is not JSON` });
  }
  freeze(value, part, 0);
  return value;
}

function freeze(value: unknown, part: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > MAX_DEPTH) throw new AuthError('TOKEN_MALFORMED', { reason: `${part} is nested too deep` });
  if (Array.isArray(value)) {
    for (const item of value) freeze(item, part, depth + 1);
  } else {
    // JSON.parse creates own members only, also for `__proto__`.
    for (const name in value) {
      if (name === '__proto__' || name === 'constructor' || name === 'prototype') Reflect.deleteProperty(value, name);
      else freeze((value as Record<string, unknown>)[name], part, depth + 1);
    }
  }
  Object.freeze(value);
}
