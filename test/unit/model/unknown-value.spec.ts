import { describe, expect, it } from '@jest/globals';
import { isJsonObject } from '../../../src/model/unknown-value.js';

describe('isJsonObject', () => {
  it.each([
    [{}, true],
    [Object.create(null), true],
    [[], false],
    [null, false],
    [undefined, false],
    ['', false],
    [() => ({}), false],
  ])('is for %p: %p', (value, expected) => {
    expect(isJsonObject(value)).toBe(expected);
  });
});
