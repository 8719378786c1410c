import { describe, expect, it } from '@jest/globals';
import { literal, printable, quoted, withoutTokens } from '../../../src/cli/printable.js';

describe('what is printed', () => {
  it('has no characters that act on a terminal, and a bounded length', () => {
    expect(printable('a\u001b[31m\n\u009b\u202e\u2028\ud800é')).toBe(
      String.raw`a\u001b[31m\u000a\u009b\u202e\u2028\ud800é`,
    );
    expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
  });

  it('shows what is no text as JSON has it', () => {
    expect([quoted(undefined), quoted(7), quoted(null), quoted(['a']), quoted(' a')]).toEqual([
      'nothing',
      '7',
      'null',
      '["a"]',
      '" a"',
    ]);
  });

  it('writes TypeScript that nothing can be put into', () => {
    expect(literal(String.raw`a'b\c`)).toBe(String.raw`'a\'b\\c'`);
    expect(literal('a\nb')).toBe(String.raw`'a\u000ab'`);
    expect(literal('x'.repeat(300))).toHaveLength(302);
  });

  it('does not repeat what may be a token', () => {
    expect(withoutTokens("unknown option '--tokn=eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln'")).toBe(
      "unknown option '--tokn=<token>'",
    );
    expect(withoutTokens('unknown option --colour')).toBe('unknown option --colour');
  });
});
