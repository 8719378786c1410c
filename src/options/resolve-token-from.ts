import { isOrigin } from '../model/address.js';
import { isJsonObject } from '../model/unknown-value.js';
import type { OptionReader } from './option-reader.js';
import { TOKEN_PLACES, type TokenPlace, type TokenReader } from './token-places.js';

export type ResolvedTokenFrom = readonly (TokenPlace | TokenReader<unknown>)[];

const PLACES =
  'fromBearerHeader(), fromCookie(name), fromFormBody(), fromQuery(), or a function that returns the token';

export function readTokenFrom(reader: OptionReader): ResolvedTokenFrom {
  const places = reader.items('tokenFrom', PLACES, { nonEmpty: true }) ?? [];
  const seen = new Set<unknown>();
  places.forEach((place, index) => {
    // The same place twice would find each token twice, and reject it (TOKEN_MULTIPLE).
    const problem = problemOfPlace(place) ?? (seen.has(keyOf(place)) ? 'is listed before. Remove it.' : undefined);
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

// RFC 6265 §4.1.1. Names of fields and parameters are not restricted.
const COOKIE_NAME = /^[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7a\x7c\x7e]+$/;

function problemOfPlace(place: unknown): string | undefined {
  if (typeof place === 'function') return undefined;
  if (!isJsonObject(place) || !TOKEN_PLACES.includes(place.from as TokenPlace['from']))
    return `is not a place of a token. Set it to ${PLACES}.`;
  const { from, name, origins } = place;
  if (from !== 'bearer-header' && (typeof name !== 'string' || name === ''))
    return 'has no name. Set a non-empty name.';
  if (from !== 'cookie') return undefined;
  if (!COOKIE_NAME.test(name as string))
    return `has the name ${JSON.stringify(name)}. Use only characters that RFC 6265 §4.1.1 allows in the name of a cookie.`;
  if (Array.isArray(origins) && origins.every(isPageOrigin)) return undefined;
  return 'has origins that are not valid. Set them to a list such as ["https://app.example.com"].';
}

/** Origins are compared as strings, so a wildcard would match nothing. */
function isPageOrigin(text: unknown): boolean {
  return isOrigin(text) && !String(text).includes('*');
}
