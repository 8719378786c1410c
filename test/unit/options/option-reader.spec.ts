import { describe, expect, it } from '@jest/globals';
import { OptionReader } from '../../../src/options/option-reader.js';
import { pathsOf, problemsOf } from '../../support/catching.js';

describe('OptionReader', () => {
  it('finishes silently where there is no problem', () => {
    const reader = new OptionReader({ a: 1 });
    reader.allowOnly(['a', 'b']);
    expect(problemsOf(() => reader.finish())).toEqual([]);
    expect(reader.problemCount).toBe(0);
  });

  it('gathers the problems of its children with the whole path, in order', () => {
    const reader = new OptionReader({ a: { b: { c: 1 } } });
    const child = reader.child(reader.record.a, 'a');
    child.problem('x', 'first');
    child.optionalChild('b').problem('c', 'second');
    reader.problem('', 'third');
    expect(problemsOf(() => reader.finish())).toEqual([
      { path: 'a.x', message: 'first' },
      { path: 'a.b.c', message: 'second' },
      { path: '', message: 'third' },
    ]);
  });

  it('reads a child that is not there as its fallback, and one that is null as a problem', () => {
    const reader = new OptionReader({ nothing: null });
    expect(reader.optionalChild('missing', { from: 'a' }).record).toEqual({ from: 'a' });
    expect(reader.optionalChild('missing').record).toEqual({});
    expect(reader.optionalChild('nothing', { from: 'a' }).record).toEqual({});
    expect(pathsOf(() => reader.finish())).toEqual(['nothing']);
  });

  it('takes from the defaults what is not set or undefined, and nothing else', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const reader = new OptionReader({ a: undefined, b: null, c: 0, d: '' }).withDefaults(
      { a: 1, b: 2, c: 3, d: 4, e: 5 },
      names,
    );
    expect(reader.record).toEqual({ a: 1, b: null, c: 0, d: '', e: 5 });
  });

  it('reads members of the prototype too, so that no check of a class is lost', () => {
    class Base {
      get a() {
        return 'getter'.toUpperCase();
      }
      b() {
        return 'method';
      }
    }
    const { record } = new OptionReader(new Base()).withDefaults({ a: 'default', b: 'default' }, ['a', 'b']);
    expect([record.a, typeof record.b]).toEqual(['GETTER', 'function']);
  });

  it('keeps path and problems under defaults', () => {
    const reader = new OptionReader({ list: [{}] });
    reader.child({}, 'list[0]').withDefaults({ a: 1 }, ['a']).problem('a', 'is wrong');
    expect(pathsOf(() => reader.finish())).toEqual(['list[0].a']);
  });

  it('hands out frozen copies of lists', () => {
    const names = ['a'];
    const list = new OptionReader({ names }).stringList('names');
    names.push('b');
    expect(list).toEqual(['a']);
    expect(Object.isFrozen(list)).toBe(true);
  });

  it.each([
    [0, true],
    [10, true],
    [9.5, true],
    [-0, true],
    [-1, false],
    [10.001, false],
    [NaN, false],
    [-Infinity, false],
    ['5', false],
    [null, false],
  ])('has %p for a number from 0 to 10: %p', (value, isGood) => {
    const reader = new OptionReader({ value });
    const read = reader.number('value', { min: 0, max: 10, fallback: 7 });
    expect(read).toBe(isGood ? value : 7);
    expect(pathsOf(() => reader.finish())).toEqual(isGood ? [] : ['value']);
  });
});
