import { describe, expect, it } from '@jest/globals';
import { CONTROL_TEXT, hasControls } from '../../support/catching.js';
import { printable, quoted } from '../../../src/model/printable-text.js';

describe('printed text', () => {
  it('has no characters that control a terminal, and a bounded length', () => {
    expect(printable('a\u001b[31m\n\u009b\u202e\u2028\ud800é')).toBe(
      String.raw`a\u001b[31m\u000a\u009b\u202e\u2028\ud800é`,
    );
    expect(printable('x'.repeat(300))).toBe(`${'x'.repeat(256)}…`);
  });

  it('stays a string of JSON and of TypeScript', () => {
    const text = `${CONTROL_TEXT}"\\\u{e0001}\u{1f600}`;
    expect(hasControls(quoted(text))).toBe(false);
    expect(JSON.parse(quoted(text))).toBe(text);
    expect(quoted(text)).toContain(String.raw`\udb40\udc01😀`);
  });

  it('shows a value that is not text as JSON', () => {
    const texts = [undefined, 7, null, ['a'], ' a'].map((value) => quoted(value));
    expect(texts).toEqual(['nothing', '7', 'null', '["a"]', '" a"']);
  });
});
