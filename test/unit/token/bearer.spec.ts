import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bearerToken, MAX_TOKEN_LENGTH } from '../../../src/token/bearer.js';
import { unicodeText } from '../../support/unicode-text.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const MEBIBYTE = 1024 * 1024;

describe('bearerToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER abc', 'abc'],
    ['bEaReR abc', 'abc'],
    ['Bearer   abc', 'abc'],
    ['Bearer abc  ', 'abc'],
    ['Bearer   abc  ', 'abc'],
    ['Bearer Bearer', 'Bearer'],
    ['Bearer mF_9.B5f-4.1JqM', 'mF_9.B5f-4.1JqM'],
  ])('reads from %j the token %j', (value, token) => {
    expect(bearerToken([value])).toBe(token);
  });

  it.each([
    ['no header', []],
    ['an empty header', ['']],
  ])('rejects %s (TOKEN_MISSING)', (_what, values) => {
    expect(codeOf(() => bearerToken(values))).toBe('TOKEN_MISSING');
  });

  it.each([
    'Basic YWxpY2U6c2VjcmV0',
    'DPoP abc',
    'abc',
    'Bearerabc',
    'Bearer\tabc',
    'Bearer\u00a0abc',
    'Bearer,abc',
    'Bearer=abc',
    'Bearer:abc',
    ' Bearer abc',
    '\tBearer abc',
    '"Bearer" abc',
    'Beare',
    'Token Bearer abc',
    'Ｂｅａｒｅｒ abc',
    'ʙearer abc',
    ' ',
  ])('rejects %j, which is another scheme (SCHEME_UNSUPPORTED)', (value) => {
    expect(codeOf(() => bearerToken([value]))).toBe('SCHEME_UNSUPPORTED');
  });

  it.each(['Bearer', 'bearer', 'Bearer ', 'Bearer      '])(
    'rejects %j, which has no token (TOKEN_MALFORMED)',
    (value) => {
      expect(codeOf(() => bearerToken([value]))).toBe('TOKEN_MALFORMED');
    },
  );

  it.each([
    ['two headers', ['Bearer abc', 'Bearer abc']],
    ['two headers, one of them of another scheme', ['Basic YWxpY2U6c2VjcmV0', 'Bearer abc']],
    ['two headers, one of them empty', ['', 'Bearer abc']],
    ['two empty headers', ['', '']],
    ['two credentials in one header', ['Bearer abc, Bearer def']],
    ['two credentials without a space', ['Bearer abc,def']],
    ['a comma at the end', ['Bearer abc,']],
    ['a word behind the token', ['Bearer abc def']],
    ['the token twice', ['Bearer abc Bearer abc']],
  ])('rejects %s (TOKEN_MULTIPLE)', (_what, values) => {
    expect(codeOf(() => bearerToken(values))).toBe('TOKEN_MULTIPLE');
  });

  it('accepts a token of 32768 characters and none that is longer (TOKEN_TOO_LARGE)', () => {
    expect(MAX_TOKEN_LENGTH).toBe(32_768);
    const longest = 'a'.repeat(MAX_TOKEN_LENGTH);
    expect(bearerToken([`Bearer ${longest}`])).toBe(longest);
    expect(bearerToken([`Bearer ${longest} `])).toBe(longest);
    expect(codeOf(() => bearerToken([`Bearer ${longest}a`]))).toBe('TOKEN_TOO_LARGE');
  });

  it.each([
    ['letters', 'a'],
    ['commas', ','],
    ['words', 'a '],
    ['dots', '.'],
  ])('rejects a mebibyte of %s by its length (TOKEN_TOO_LARGE)', (_what, unit) => {
    expect(codeOf(() => bearerToken([`Bearer ${unit.repeat(MEBIBYTE / unit.length)}.`]))).toBe('TOKEN_TOO_LARGE');
  });

  it('rejects a mebibyte of spaces (TOKEN_MALFORMED)', () => {
    expect(codeOf(() => bearerToken([`Bearer${' '.repeat(MEBIBYTE)}`]))).toBe('TOKEN_MALFORMED');
  });

  it('leaves all other characters of the token to the decoder', () => {
    for (const token of ['a\tb', 'a\u00a0b', 'a"b', 'é', '\0']) expect(bearerToken([`Bearer ${token}`])).toBe(token);
  });

  it('has nothing of the header in its errors', () => {
    for (const values of [['Basic secret'], ['Bearer secret secret'], ['Bearer secret', 'Bearer secret']]) {
      const error = refusalOf(() => bearerToken(values));
      expect(`${error.message} ${JSON.stringify(error.detail)} ${String(error.cause)}`).not.toContain('secret');
    }
  });

  const header = fc.oneof(
    unicodeText(),
    fc.string({ unit: fc.constantFrom('B', 'b', 'earer', 'EARER', 'Bearer', ' ', '\t', ',', 'abc', '.', '=') }),
    unicodeText().map((rest) => `Bearer ${rest}`),
  );

  it('throws only AuthError and returns only one word without a comma, whatever is sent', () => {
    fc.assert(
      fc.property(fc.array(header, { maxLength: 3 }), (values) => {
        const code = codeOf(() => {
          const token = bearerToken(values);
          expect(token).toMatch(/^[^ ,]+$/);
          expect(values).toHaveLength(1);
          expect(values[0]?.slice(0, 7).toLowerCase()).toBe('bearer ');
          expect(values[0]?.slice(7).trim()).toBe(token.trim());
        });
        expect([undefined, 'TOKEN_MISSING', 'SCHEME_UNSUPPORTED', 'TOKEN_MULTIPLE', 'TOKEN_MALFORMED']).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  it('reads every token that RFC 6750 §2.1 allows, with any spaces around it', () => {
    const alphabet = Array.from('ABCXYZabcxyz0189-._~+/');
    const b64token = fc
      .tuple(fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1 }), fc.constantFrom('', '=', '=='))
      .map((parts) => parts.join(''));
    const spaces = fc.nat({ max: 5 }).map((count) => ' '.repeat(count));
    fc.assert(
      fc.property(b64token, spaces, spaces, fc.mixedCase(fc.constant('bearer')), (token, before, after, scheme) => {
        expect(bearerToken([`${scheme} ${before}${token}${after}`])).toBe(token);
      }),
    );
  });
});
