import { describe, expect, it } from '@jest/globals';
import { alignColumns, wrapLines } from '../../../src/model/text-layout.js';

describe('alignColumns', () => {
  it('aligns cells by their visible width, in rows of any length', () => {
    const rows = [
      ['a', 'bb'],
      ['\u001b[32mccc\u001b[39m', 'd', 'e'],
    ];
    expect(alignColumns(rows)).toBe('a    bb\n\u001b[32mccc\u001b[39m  d   e');
  });
});

describe('wrapLines', () => {
  it('changes nothing without a width, and no line that fits', () => {
    const text = 'one two\nthree';
    expect([wrapLines(text), wrapLines(text, 0), wrapLines(text, 7)]).toEqual([text, text, text]);
  });

  it('breaks at spaces, and indents to the start of the last cell', () => {
    expect(wrapLines('ok  name  one two three', 20)).toBe('ok  name  one two\n          three');
  });

  it('moves a whole cell before it breaks one', () => {
    expect(wrapLines('http  GET  /orders  guarded  OrdersController.list', 30)).toBe(
      'http  GET  /orders  guarded\n      OrdersController.list',
    );
  });

  it('keeps every character of a word, also spaces other than the usual one', () => {
    const word = 'https://a\u00a0b\u3000c/';
    expect(wrapLines(`found:  "${word}" and more words`, 24).replace(/\n */g, ' ')).toContain(word);
  });
});
