import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_TOKEN_LENGTH } from '../../../src/token/jwt/compact.js';
import { bearerToken } from '../../../src/token/token-extractor.js';
import { unicodeText } from '../../support/unicode-text.js';
import { codeOf, refusalOf } from '../../support/catching.js';

const MEBIBYTE = 1024 * 1024;

describe('bearerToken', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bEaReR abc', 'abc'],
    ['Bearer   abc  ', 'abc'],
    ['Bearer Bearer', 'Bearer'],
    // The decoder checks all other characters.
    ...['a\tb', 'a\u00a0b', 'a"b', 'é', '\0'].map((token) => [`Bearer ${token}`, token]),
  ])('reads from %j the token %j', (value = '', token) => {
    expect(bearerToken([value])).toBe(token);
  });

  it.each<[string, readonly string[][]]>([
    ['TOKEN_MISSING', [[], ['']]],
    ['TOKEN_MALFORMED', [['Bearer'], ['bearer'], ['Bearer '], [`Bearer${' '.repeat(MEBIBYTE)}`]]],
    [
      'SCHEME_UNSUPPORTED',
      [
        ...['Basic YWxpY2U6c2VjcmV0', 'DPoP abc', 'abc', 'Bearerabc', 'Bearer\tabc', 'Bearer\u00a0abc', 'Bearer,abc'],
        ...[
          'Bearer=abc',
          ' Bearer abc',
          '\tBearer abc',
          '"Bearer" abc',
          'Beare',
          'Token Bearer abc',
          'ʙearer abc',
          ' ',
        ],
      ].map((value) => [value]),
    ],
    [
      'TOKEN_MULTIPLE',
      [
        ['Bearer abc', 'Bearer abc'],
        ['Basic YWxpY2U6c2VjcmV0', 'Bearer abc'],
        ['', 'Bearer abc'],
        ['', ''],
        ...['abc, Bearer def', 'abc,def', 'abc,', 'abc def', 'abc Bearer abc'].map((rest) => [`Bearer ${rest}`]),
      ],
    ],
    ['TOKEN_TOO_LARGE', ['a', ',', 'a ', '.'].map((unit) => [`Bearer ${unit.repeat(MEBIBYTE / unit.length)}.`])],
  ])('rejects other headers (%s)', (code, rejected) => {
    for (const values of rejected)
      expect([values.length, codeOf(() => bearerToken(values))]).toEqual([values.length, code]);
  });

  it('accepts a token of 32768 characters and none that is longer (TOKEN_TOO_LARGE)', () => {
    expect(MAX_TOKEN_LENGTH).toBe(32_768);
    const longest = 'a'.repeat(MAX_TOKEN_LENGTH);
    expect(bearerToken([`Bearer ${longest} `])).toBe(longest);
    expect(codeOf(() => bearerToken([`Bearer ${longest}a`]))).toBe('TOKEN_TOO_LARGE');
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
