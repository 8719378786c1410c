import { isOrigin } from '../model/address.js';
import { isJsonObject } from '../model/json-object.js';
import type { OptionReader } from './option-reader.js';
import { fromBearerHeader, TOKEN_PLACES, type TokenPlace, type TokenReader } from './token-places.js';

export type ResolvedTokenFrom = readonly (TokenPlace | TokenReader<unknown>)[];

const DEFAULT_TOKEN_FROM: ResolvedTokenFrom = Object.freeze([fromBearerHeader()]);

export function readTokenFrom(reader: OptionReader): ResolvedTokenFrom {
  const { tokenFrom } = reader.record;
  if (tokenFrom === undefined) return DEFAULT_TOKEN_FROM;
  if (!Array.isArray(tokenFrom) || tokenFrom.length === 0) {
    reader.problem('tokenFrom', 'must be a non-empty list, [fromBearerHeader()] say');
    return DEFAULT_TOKEN_FROM;
  }
  const places: unknown[] = Array.from(tokenFrom);
  const seen = new Set<unknown>();
  places.forEach((place, index) => {
    // Twice the same place would find each token twice, and refuse it.
    const problem = problemOf(place) ?? (seen.has(keyOf(place)) ? 'is listed before' : undefined);
    if (problem === undefined) seen.add(keyOf(place));
    else reader.problem(`tokenFrom[${String(index)}]`, problem);
  });
  return Object.freeze(places as ResolvedTokenFrom);
}

function keyOf(place: unknown): unknown {
  if (typeof place === 'function') return place;
  const { from, name } = place as { from: TokenPlace['from']; name?: string };
  return from === 'bearer-header' ? from : `${from} ${String(name)}`;
}

// RFC 6265 §4.1.1; the name of a field or parameter has no bounds of its own.
const COOKIE_NAME = /^[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7a\x7c\x7e]+$/;

function problemOf(place: unknown): string | undefined {
  if (typeof place === 'function') return undefined;
  if (!isJsonObject(place) || !TOKEN_PLACES.includes(place.from as TokenPlace['from']))
    return 'must be fromBearerHeader(), fromCookie(name), fromFormBody(), fromQuery(), or a function that returns the token';
  const { from, name, origins } = place;
  if (from !== 'bearer-header' && (typeof name !== 'string' || name === '')) return 'must have a name';
  if (from !== 'cookie') return undefined;
  if (!COOKIE_NAME.test(name as string)) return 'has a name that no cookie can have (RFC 6265 §4.1.1)';
  if (Array.isArray(origins) && origins.every(isPageOrigin)) return undefined;
  return "must have origins like 'https://app.example.com'";
}

/** They are compared as they are: a `*` would match nothing. */
function isPageOrigin(text: unknown): boolean {
  return isOrigin(text) && !String(text).includes('*');
}
