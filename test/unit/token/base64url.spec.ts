import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64url, NOT_BASE64URL } from '../../../src/token/jwt/base64url.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The decoded bytes of a part of a longer text, or undefined if the part is rejected. */
function decoded(text: string): Buffer | undefined {
  const target = Buffer.alloc(text.length + 8, 0xee);
  const source = Buffer.from(`AA.${text}.AA`, 'latin1');
  const length = decodeBase64url(source, 3, 3 + text.length, target);
  return length === NOT_BASE64URL ? undefined : target.subarray(0, length);
}

describe('decodeBase64url', () => {
  it('returns the bytes that were encoded, of any length', () => {
    const sameBytes = (bytes: Uint8Array) => {
      expect(decoded(Buffer.from(bytes).toString('base64url'))).toStrictEqual(Buffer.from(bytes));
    };
    for (let length = 0; length < 70; length += 1) sameBytes(Buffer.alloc(length, 0xff));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), sameBytes));
  });

  it('accepts a text only if it is the encoding of its bytes', () => {
    const texts = ['', 'A', 'AA', 'AAA', 'AAAA', 'AAAAA'].flatMap((start) =>
      Array.from({ length: 256 }, (_, code) => start + String.fromCharCode(code)),
    );
    for (const text of texts) {
      const canonical = Buffer.from(text, 'base64url').toString('base64url') === text;
      expect([text, decoded(text) !== undefined]).toStrictEqual([text, canonical]);
    }
  });

  it.each(Array.from({ length: 8 }, (_, at) => at))('rejects every other character at position %i', (at) => {
    for (let code = 0; code < 256; code += 1) {
      const character = String.fromCharCode(code);
      const text = `${'A'.repeat(at)}${character}${'A'.repeat(7 - at)}`;
      expect([code, decoded(text) !== undefined]).toStrictEqual([code, ALPHABET.includes(character)]);
    }
  });
});
