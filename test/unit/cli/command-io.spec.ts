import { describe, expect, it } from '@jest/globals';
import { printable, quoted } from '../../../src/cli/command-io.js';

describe('printed text', () => {
  it('has no characters that control a terminal, and a bounded length', () => {
    expect(printable('a\u001b[31m\n\u009b\u202e\u2028\ud800é')).toBe(
      String.raw`a\u001b[31m\u000a\u009b\u202e\u2028\ud800é`,
    );
    expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
  });

  it('shows a value that is not text as JSON', () => {
    const texts = [undefined, 7, null, ['a'], ' a'].map(quoted);
    expect(texts).toEqual(['nothing', '7', 'null', '["a"]', '" a"']);
  });
});
