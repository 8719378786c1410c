import { isUtf8 } from 'node:buffer';
import { LRUCache } from 'lru-cache';
import { AuthError } from '../errors.js';
import { isJsonObject } from '../json-object.js';
import { MAX_TOKEN_LENGTH } from './bearer.js';
import { parseSealedJson } from './sealed-json.js';

/** A token, read. Nothing of it is to be trusted yet. Header and claims are frozen with all that is in them. */
export interface DecodedToken {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
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
  const header = decodeHeader(token.slice(0, first));
  const claims = decodeObject(token.slice(first + 1, second), 'payload');
  decodeBase64url(token.slice(second + 1), 'signature', decoded);
  return { token, header, claims };
}

// Written anew for each token, and read before anything else can run: two allocations less, and no slab for the
// garbage collector to find.
const decoded = Buffer.allocUnsafeSlow(MAX_TOKEN_LENGTH);
const signed = Buffer.allocUnsafeSlow(MAX_TOKEN_LENGTH);

/**
 * What the signature is over, header and payload as they were sent (RFC 7515 §5.2), and the signature. Both hold only
 * until this is called, or a token decoded, the next time.
 */
export function signatureOf({ token }: Pick<DecodedToken, 'token'>): {
  readonly input: Buffer;
  readonly signature: Buffer;
} {
  const end = token.lastIndexOf('.');
  signed.write(token, 0, end, 'latin1');
  const length = decodeBase64url(token.slice(end + 1), 'signature', decoded);
  return { input: signed.subarray(0, end), signature: decoded.subarray(0, length) };
}

// The tokens of one issuer and key share their header to the letter. Whoever sends others wins nothing but our time.
const headers = new LRUCache<string, DecodedToken['header']>({ max: 100 });
const LONGEST_KEPT_HEADER = 1_024;

function decodeHeader(text: string): DecodedToken['header'] {
  const known = headers.get(text);
  if (known !== undefined) return known;
  const header = decodeObject(text, 'header');
  // As a string of its own: a slice would keep the whole token in memory.
  if (text.length <= LONGEST_KEPT_HEADER) headers.set(Buffer.from(text).toString(), header);
  return header;
}

// For a length of 2 and 3 modulo 4: the last characters whose unused bits are zero.
const LAST_OF_TWO = new Set('AQgw');
const LAST_OF_THREE = new Set('AEIMQUYcgkosw048');

/**
 * Only the one canonical form is taken: no padding, no other alphabet, no stray bits at the end (RFC 7515 §2). So a
 * token cannot be rewritten into another string that is accepted too.
 *
 * Node's decoder passes over what it does not know, so then fewer bytes come out than such a length has. It knows the
 * alphabet of base64, too.
 *
 * @returns how many bytes were written into `target`.
 */
function decodeBase64url(text: string, part: string, target: Buffer): number {
  const written = target.write(text, 0, 'base64url');
  const { length } = text;
  const rest = length % 4;
  const isCanonical =
    written === Math.floor((length * 3) / 4) &&
    (rest === 0 ||
      (rest === 2 && LAST_OF_TWO.has(text.charAt(length - 1))) ||
      (rest === 3 && LAST_OF_THREE.has(text.charAt(length - 1)))) &&
    !text.includes('+') &&
    !text.includes('/') &&
    // Of a character beyond ASCII it takes one byte, which may be that of another one.
    Buffer.byteLength(text) === length;
  if (!isCanonical) throw malformed(`${part} is not base64url`);
  return written;
}

function decodeObject(text: string, part: string): Readonly<Record<string, unknown>> {
  const length = decodeBase64url(text, part, decoded);
  const json = decoded.toString('utf8', 0, length);
  // What is no UTF-8 has become this character; but it may stand there by itself, too.
  if (json.includes('\ufffd') && !isUtf8(decoded.subarray(0, length))) throw malformed(`${part} is not UTF-8`);
  const value = parseSealedJson(json, part);
  if (!isJsonObject(value)) throw malformed(`${part} is not a JSON object`);
  return value;
}

function malformed(reason: string): AuthError {
  return new AuthError('TOKEN_MALFORMED', { reason });
}
