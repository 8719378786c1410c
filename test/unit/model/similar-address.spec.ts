import { describe, expect, it } from '@jest/globals';
import { isDowngrade, isSimilarAddress, slashHint } from '../../../src/model/similar-address.js';

describe('isSimilarAddress', () => {
  it.each([
    ['https://a.example', 'https://a.example/', true],
    ['http://a.example/b', 'https://A.example:443/B/', true],
    ['api://orders', 'orders', true],
    ['Orders', 'orders ', true],
    ['https://a.example', 'https://a.example', false],
    ['https://a.example', 'https://b.example', false],
    ['https://a.example', 'https://a.example:8443', false],
    ['https://a.example/?x=1', 'https://a.example/?x=2', false],
    ['https://', '/', false],
  ])('compares %j with %j: %s', (one, other, expected) => {
    expect(isSimilarAddress(one, other)).toBe(expected);
  });
});

it('slashHint describes only a trailing slash', () => {
  expect([slashHint('a', 'a/'), slashHint('a/', 'a')]).toEqual([
    'with the trailing slash',
    'without the trailing slash',
  ]);
  expect(slashHint('a', 'b')).toBeUndefined();
});

it('isDowngrade is true only from https to another scheme', () => {
  expect(isDowngrade('https://a.example', 'http://a.example')).toBe(true);
  expect(isDowngrade('HTTPS://a.example', 'a.example')).toBe(true);
  expect(isDowngrade('http://a.example', 'https://a.example')).toBe(false);
});
