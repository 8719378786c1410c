import { AuthError } from '../../model/errors.js';

// Deeper than anything that means something, and far less than what overflows the stack.
const MAX_DEPTH = 64;

/**
 * Parses a part of a token, and freezes all of it: what handlers get is what was verified, and nobody can change it on the
 * way, for this request or another. Members whose names change what an object is when it is copied (`__proto__`,
 * `constructor`, `prototype`) are left out, at any depth.
 *
 * Of duplicate members the last one counts, as RFC 7519 §4 allows: the signature covers the bytes, so there is one
 * reading of them.
 *
 * @param part what it is, for the reason of a refusal.
 * @throws AuthError TOKEN_MALFORMED
 */
export function parseFrozenJson(text: string, part: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new AuthError('TOKEN_MALFORMED', { reason: `${part} is not JSON` });
  }
  if (isNested(value)) seal(value, part, 0);
  return value;
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function seal(value: object, part: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new AuthError('TOKEN_MALFORMED', { reason: `${part} is nested too deep` });
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) if (isNested(item)) seal(item, part, depth + 1);
  } else {
    // What JSON.parse makes has own members only, `__proto__` among them where somebody sent it.
    for (const name in value) {
      if (name === '__proto__' || name === 'constructor' || name === 'prototype') {
        Reflect.deleteProperty(value, name);
        continue;
      }
      const member: unknown = (value as Record<string, unknown>)[name];
      if (isNested(member)) seal(member, part, depth + 1);
    }
  }
  Object.freeze(value);
}
