import { isUtf8 } from 'node:buffer';
import { LRUCache } from 'lru-cache';
import { AuthError } from '../errors.js';
import { MAX_TOKEN_LENGTH } from './bearer.js';
import { freezeDeep } from './claims.js';

/** A token in its three parts. Nothing of it is to be trusted yet. */
export interface DecodedToken {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What the signature is over: header and payload as they were sent (RFC 7515 §5.2). */
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

/**
 * Decodes a JWS in compact serialization (RFC 7515 §7.1) whose payload is a JSON object (RFC 7519 §3). Encrypted
 * tokens (five parts) are not understood.
 * @throws AuthError TOKEN_MALFORMED, TOKEN_TOO_LARGE
 */
export function decodeCompact(token: string): DecodedToken {
  if (typeof token !== 'string') throw malformed('not a string');
  if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first === -1 || second === -1 || token.includes('.', second + 1)) throw malformed('not three parts');
  return {
    token,
    header: decodeHeader(token.slice(0, first)),
    claims: decodeObject(token.slice(first + 1, second), 'payload'),
    signingInput: Buffer.from(token.slice(0, second), 'latin1'),
    signature: decodeBase64url(token.slice(second + 1), 'signature'),
  };
}

// The tokens of one issuer and key share their header to the letter. Whoever sends others wins nothing but our time.
const headers = new LRUCache<string, DecodedToken['header']>({ max: 100 });
const LONGEST_KEPT_HEADER = 1_024;

function decodeHeader(text: string): DecodedToken['header'] {
  const known = headers.get(text);
  if (known !== undefined) return known;
  const header = freezeDeep(decodeObject(text, 'header'), 'TOKEN_MALFORMED');
  // As a string of its own: a slice would keep the whole token in memory.
  if (text.length <= LONGEST_KEPT_HEADER) headers.set(Buffer.from(text).toString(), header);
  return header;
}

/**
 * Only the one canonical form is taken: no padding, no other alphabet, no stray bits at the end (RFC 7515 §2). So a
 * token cannot be rewritten into another string that is accepted too.
 */
function decodeBase64url(text: string, part: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw malformed(`${part} is not base64url`);
  return bytes;
}

function decodeObject(text: string, part: string): Readonly<Record<string, unknown>> {
  const bytes = decodeBase64url(text, part);
  if (!isUtf8(bytes)) throw malformed(`${part} is not UTF-8`);
  const value = parseJson(bytes.toString('utf8'), part);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${part} is not a JSON object`);
  return value as Record<string, unknown>;
}

const UNSAFE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Of duplicate members the last one counts, as RFC 7519 §4 allows: the signature covers the bytes, so there is one
 * reading of them. Members whose names change what an object is when it is copied are left out, at any depth.
 */
function parseJson(text: string, part: string): unknown {
  try {
    // A reviver makes parsing many times slower: only where one of the names may stand, spelled out or escaped.
    const maybeUnsafe = text.includes('proto') || text.includes('constructor') || text.includes('\\u');
    if (!maybeUnsafe) return JSON.parse(text);
    return JSON.parse(text, (name, value: unknown) => (UNSAFE_NAMES.has(name) ? undefined : value));
  } catch {
    // The parser's own message quotes the text.
    throw malformed(`${part} is not JSON`);
  }
}

function malformed(reason: string): AuthError {
  return new AuthError('TOKEN_MALFORMED', { reason });
}
