import { describe, expect, it } from '@jest/globals';
import { CannotEdit, closingBracket, codeOf, elementsIn } from '../../../src/schematics/source-text.js';

describe('the code of a source', () => {
  it.each([
    ['a // b', 'a     '],
    ['a /* ( */ b', 'a         b'],
    ["f('(\\'')", "f('   ')"],
    ['f("\\")")', 'f("   ")'],
    ['f(`)`)', 'f(` `)'],
    ['`a${ b(`)`) }c`', '` ${ b(` `) } `'],
    ['`${a}${`${b}`}`', '`${a}${`${b}`}`'],
    ['`$ \\${ $`', '`       `'],
    ['a = /[/)"]/g;', 'a =         ;'],
    ['return /\\//', 'return     '],
    ['a / b / c', 'a / b / c'],
    ['f(a) / 2', 'f(a) / 2'],
    ['// one\n/* two\nthree */ x', '      \n      \n         x'],
    ['{ "key": ["]"] }', '{ "   ": [" "] }'],
  ])('of %j is %j', (source, code) => {
    expect(codeOf(source)).toBe(code);
  });

  it.each(['(', ')', '(]', '{ `${ }', "'", '"\n"', '`', '/*', 'a = /b'])('is not guessed of %j', (source) => {
    expect(() => codeOf(source)).toThrow(CannotEdit);
  });
});

describe('the elements between brackets', () => {
  it('are told apart at the commas of these brackets only', () => {
    const code = '[ a, f(b, c) , { d, e }, [g,h], ]';
    expect(elementsIn(code, 0).map(({ start, end }) => code.slice(start, end))).toEqual([
      'a',
      'f(b, c)',
      '{ d, e }',
      '[g,h]',
    ]);
  });

  it('end with the bracket that closes these', () => {
    expect(closingBracket('([{}])()', 0)).toBe(5);
    expect(() => closingBracket('([{}]', 0)).toThrow(CannotEdit);
  });
});
