import { isUtf8 } from 'node:buffer';
import { LRUCache } from 'lru-cache';
import { AuthError } from '../../model/errors.js';
import { isJsonObject, parseJson } from '../../model/unknown-value.js';
import { decodeBase64url, NOT_BASE64URL } from './base64url.js';

/** A decoded token. Nothing in it is verified. It is deeply frozen. */
export interface DecodedToken {
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The longest compact token that is processed, in characters. Node's limit for all headers is 16 KiB by default. */
export const MAX_TOKEN_LENGTH = 32_768;

/**
 * Decodes a JWS in compact serialization (RFC 7515 §7.1) whose payload is a JSON object (RFC 7519 §3). Encrypted
 * tokens (five parts) are not supported.
 */
export function decodeCompact(token: string): DecodedToken {
  if (typeof token !== 'string') throw malformed('not a string');
  if (token.length > MAX_TOKEN_LENGTH) throw new AuthError('TOKEN_TOO_LARGE', { limit: MAX_TOKEN_LENGTH });
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first === -1 || second === -1 || token.includes('.', second + 1)) throw malformed('not three parts');
  read(token, second);
  const header = decodeHeader(token, first);
  const claims = decodeObject(first + 1, second, 'payload');
  return { token, header, claims };
}

// Reused for each token, and read before other code can run. This avoids allocations and work for the garbage collector.
const characters = Buffer.allocUnsafeSlow(3 * MAX_TOKEN_LENGTH);
const signature = Buffer.allocUnsafeSlow(MAX_TOKEN_LENGTH);
const decoded = Buffer.allocUnsafeSlow(MAX_TOKEN_LENGTH);
/** The token whose characters and signature the buffers contain. */
let last = { token: '', inputLength: 0, signatureLength: 0 };
const NO_TOKEN = last;

function read(token: string, inputLength: number): void {
  // If decoding fails half way, the buffers belong to no token.
  last = NO_TOKEN;
  // A character beyond ASCII has two or three bytes.
  if (characters.write(token) !== token.length) throw malformed('not base64url');
  const signatureLength = decode(inputLength + 1, token.length, 'signature', signature);
  last = { token, inputLength, signatureLength };
}

/** Returns the signing input (RFC 7515 §5.2) and the signature. Both are valid only until the next token is decoded. */
export function signatureOf({ token }: Pick<DecodedToken, 'token'>) {
  if (last.token !== token) read(token, token.lastIndexOf('.'));
  const { inputLength, signatureLength } = last;
  return { input: characters.subarray(0, inputLength), signature: signature.subarray(0, signatureLength) };
}

// Tokens of one issuer and key have exactly the same header. A caller that sends many headers only evicts entries.
const headers = new LRUCache<string, DecodedToken['header']>({ max: 500 });
const MAX_CACHED_HEADER_LENGTH = 256;

function decodeHeader(token: string, length: number): DecodedToken['header'] {
  const text = token.slice(0, length);
  const known = headers.get(text);
  if (known !== undefined) return known;
  const header = decodeObject(0, length, 'header');
  // Copied, because a slice would keep the whole token in memory.
  if (length <= MAX_CACHED_HEADER_LENGTH) headers.set(Buffer.from(text).toString(), header);
  return header;
}

function decodeObject(start: number, end: number, part: string): Readonly<Record<string, unknown>> {
  const length = decode(start, end, part, decoded);
  const value = parsePart(utf8Text(length, part), part);
  if (!isJsonObject(value)) throw malformed(`${part} is not a JSON object`);
  return value;
}

function utf8Text(length: number, part: string): string {
  const text = decoded.toString('utf8', 0, length);
  // Invalid UTF-8 becomes this character, but the text may also contain the character itself.
  if (text.includes('\ufffd') && !isUtf8(decoded.subarray(0, length))) throw malformed(`${part} is not UTF-8`);
  return text;
}

const EQUALS_SIGN = 0x3d;

/** Also decodes a part with padding (RFC 4648 §3.2), which the check `padding` rejects unless the options of the issuer accept it. */
function decode(start: number, end: number, part: string, target: Uint8Array): number {
  let last = end;
  if (characters[end - 1] === EQUALS_SIGN && (end - start) % 4 === 0)
    last = characters[end - 2] === EQUALS_SIGN ? end - 2 : end - 1;
  const length = decodeBase64url(characters, start, last, target);
  if (length === NOT_BASE64URL) throw malformed(`${part} is not base64url`);
  return length;
}

function parsePart(text: string, part: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    // The parser's own message quotes the text.
    throw malformed(`${part} is ${error instanceof RangeError ? 'nested too deep' : 'not JSON'}`);
  }
}

function malformed(reason: string): AuthError {
  return new AuthError('TOKEN_MALFORMED', { reason });
}
